"""What people judged teaches the search: measured on what was not learned, kept only if it helps, and forgotten again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import app
from bot.factory import load_knowledge, rebuild
from bot.judged import read_judged, write_judged
from bot.settings import Settings
from finetune import commands, search_training
from finetune.adapter_commands import REFUSED
from finetune.curation.dataset import Dataset
from finetune.errors import TrainingError
from finetune.evaluation.canaries import SOURCE as CANARY
from finetune.records import Conversation
from finetune.search_training import FEWEST, SearchTraining, teach_search, told
from retrieval.calibration import LabelledQuestion
from retrieval.errors import PublishError
from retrieval.publish import current, read_manifest
from tests.example_talks import talk
from tests.fakes import WordEncoder
from tests.tuned_shop import write_golden, write_tuned_shop

# What customers call things, and the team never thought of; and the answers of the shop's own people.
NICKNAMES = {"zork": "Batteries are not covered.", "blip": "The tracking number appears within 2 hours."}
WORDS = ("bring", "carry", "fetch", "lift", "move", "push", "pull", "send", "take", "throw", "turn", "wash")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_tuned_shop(tmp_path)


def talks(*, every: int = 1) -> list[Conversation]:
    """48 conversations of different customers in the customers' own words."""
    return [
        talk(f"{name}{place}{word}", (f"{name} {word} {place}", answer), day=number)
        for name, answer in NICKNAMES.items()
        for place in ("inside", "outside")
        for number, word in enumerate(WORDS[::every])
    ]


def set_of(
    train: Sequence[Conversation],
    validation: Sequence[Conversation] = (),
    test: Sequence[Conversation] = (),
) -> Dataset:
    return Dataset("set-1", Path("set-1"), tuple(train), tuple(validation), tuple(test), (), {})


def first_for(settings: Settings, question: str) -> tuple[str, float]:
    knowledge = load_knowledge(settings, WordEncoder(), None)
    (hit, *_) = knowledge.index.search(question, prefer="en", day=datetime.now(UTC).date())
    return hit.passage.article_id, hit.score


def judged_in_index(settings: Settings) -> int:
    published = current(settings.index_path)
    assert published is not None
    return int(read_manifest(published)["counts"]["judged"])


def test_what_people_judged_is_found_from_then_on(settings: Settings) -> None:
    training = teach_search(set_of(talks()), settings, WordEncoder())
    assert training.better, told(training)
    assert {each.text for each in read_judged(settings.judged_questions_path)} == {
        each.text for each in training.judged
    }
    assert first_for(settings, "zork catch it")[0] == "warranty"
    assert first_for(settings, "blip catch it")[0] == "tracking"
    assert judged_in_index(settings) == 48
    assert "48 questions that people judged learned" in told(training)["en"]
    assert "right article first" in told(training)["en"]
    assert "正确文章排第一" in told(training)["zh"]


def test_a_night_without_news_builds_no_index_unless_the_last_one_was_killed_before_it_did(
    settings: Settings,
) -> None:
    learned = teach_search(set_of(talks()), settings, WordEncoder()).judged
    before = current(settings.index_path)
    assert teach_search(set_of(talks()), settings, WordEncoder()).better
    assert current(settings.index_path) == before
    settings.judged_questions_path.unlink()
    rebuild(settings, WordEncoder(), lambda *_: None)
    write_judged(settings.judged_questions_path, [each.labelled for each in learned])  # … and no index
    teach_search(set_of(talks()), settings, WordEncoder())
    assert judged_in_index(settings) == 48


def test_what_would_cost_the_teams_golden_questions_is_not_kept(settings: Settings) -> None:
    about = [f"are batteries covered by the warranty {word}" for word in WORDS]
    right = {"kind": "answer", "articles": ["warranty"]}
    write_golden(
        settings.knowledge_base,
        [{"id": text, "question": text, "expect": right} for text in about],
    )
    wrong = [
        talk(
            f"{word}{number}", (f"batteries warranty covered {word} {number}", NICKNAMES["blip"]), day=number
        )
        for number in range(4)
        for word in WORDS
    ]
    before = current(settings.index_path)
    training = teach_search(set_of(wrong), settings, WordEncoder())
    assert not training.better
    assert any(score.gained for score in training.scores)  # who believes them finds it better
    assert "not learned" in told(training)["en"]
    assert not settings.judged_questions_path.exists()
    assert current(settings.index_path) == before


def test_what_was_forgotten_goes_with_the_next_night(settings: Settings) -> None:
    teach_search(set_of(talks()), settings, WordEncoder())
    with pytest.raises(TrainingError, match=rf"judged 24 questions.*learns from {FEWEST}"):
        teach_search(set_of(talks(every=2)), settings, WordEncoder())
    assert not settings.judged_questions_path.exists()
    assert judged_in_index(settings) == 0


def test_neither_the_test_side_nor_invented_customers_nor_varied_questions_are_learned(
    settings: Settings,
) -> None:
    asked = talks()
    invented = replace(talk("canary", ("zork canary", NICKNAMES["zork"])), source=CANARY)
    varied = talk("varied", ("zork varied", NICKNAMES["zork"]), metadata={"variant": "typo"})
    held_out = talk("test", ("zork held out", NICKNAMES["zork"]))
    training = teach_search(
        set_of([*asked[:-4], invented, varied], asked[-4:], [held_out]), settings, WordEncoder()
    )
    assert {each.text for each in training.judged} == {each.exchanges[0].question for each in asked}


def test_the_command_says_what_came_of_it_and_refuses_with_exit_code_3(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "load_settings", lambda: settings)
    monkeypatch.setattr(commands, "make_encoder", lambda *_: WordEncoder())
    monkeypatch.setattr(commands, "load_dataset_folder", lambda _: set_of(talks()))

    def run() -> Result:
        return CliRunner().invoke(app.cli, ["teach-search"])

    done = run()
    assert done.exit_code == 0, done.output
    assert "48 questions that people judged learned" in " ".join(done.output.split())
    monkeypatch.setattr(SearchTraining, "better", property(lambda _: False))
    done = run()
    assert done.exit_code == REFUSED
    assert "not learned" in done.output


def test_an_index_that_cannot_be_built_leaves_what_was_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [LabelledQuestion("大家电保修多久呀", frozenset({"warranty"}))]
    write_judged(settings.judged_questions_path, before)
    rebuild(settings, WordEncoder(), lambda *_: None)

    def full(*_: object) -> None:
        raise PublishError("the disk is full")

    monkeypatch.setattr(search_training, "rebuild", full)
    with pytest.raises(PublishError, match="the disk is full"):
        teach_search(set_of(talks()), settings, WordEncoder())
    assert read_judged(settings.judged_questions_path) == before
