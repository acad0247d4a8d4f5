"""Two encoders on the same questions: what differs is the encoder, and a reason says which figure speaks against one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.content import load_content
from bot.golden import load_golden
from bot.settings import Settings
from bot.understanding.intents import TrainingSet
from finetune.encoder_comparison import (
    INTENTS,
    SEARCH,
    Questions,
    compare_encoders,
    in_figures,
    judged_by_search,
    why_not,
)
from finetune.evaluation.measures import SCOPES, Scope, Score
from finetune.evaluation.statistics import Estimate, estimate, paired_difference
from retrieval.encoder import Vectors
from tests.encoder_shop import write_encoder_shop
from tests.fakes import WordEncoder
from tests.tuned_shop import GOLDEN, write_golden


class DeafEncoder(WordEncoder):
    """Hears the same in every text."""

    name = "deaf@test"

    def _encode(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), self.dimension), self.dimension**-0.5, dtype=np.float32)


def score(metric: str, scope: Scope, tuned: list[int], now: list[int]) -> Score:
    ours, theirs = ([float(each) for each in side] for side in (tuned, now))
    return Score(
        metric, scope, estimate(ours), estimate(theirs), paired_difference(ours, theirs), "higher", 0.0
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_encoder_shop(tmp_path)


@pytest.fixture
def questions(settings: Settings) -> Questions:
    rows = [
        (f"{words} {n}", label)
        for n in range(8)
        for label, words in (
            ("postage", "运费多少"),
            ("damaged", "parcel damaged"),
            ("order-status", "where is my order"),
        )
    ]
    seen, held = rows[:12], rows[12:]
    return Questions(
        load_content(settings.knowledge_base),
        TrainingSet(tuple(text for text, _ in seen), tuple(label for _, label in seen)),
        TrainingSet(tuple(text for text, _ in held), tuple(label for _, label in held)),
        judged_by_search(load_golden(settings.knowledge_base)),
    )


def test_both_measures_are_taken_over_all_and_by_language(settings: Settings, questions: Questions) -> None:
    stages: list[str] = []
    hearing, deaf = WordEncoder(), DeafEncoder()
    found = compare_encoders(hearing, deaf, questions, settings, lambda stage, *_: stages.append(stage))
    assert [(each.metric, each.scope) for each in found] == [
        (metric, scope) for metric in (INTENTS, SEARCH) for scope in SCOPES
    ]
    counts = {(each.metric, each.scope): each.difference.count for each in found}
    assert counts[INTENTS, "all"] == 12 == counts[INTENTS, "zh"] + counts[INTENTS, "en"]
    assert counts[SEARCH, "all"] == 24 == counts[SEARCH, "zh"] + counts[SEARCH, "en"]
    assert found[0].candidate.mean == 1.0
    for encoder in (hearing, deaf):  # each searches, and reads, for itself
        assert {*questions.held_out.texts, *(each.question for each in questions.golden)} <= set(
            encoder.asked
        )
    assert stages.count("write") == 4  # begun and done, for two indexes
    assert not list(settings.var.glob("encoders"))


def test_an_encoder_beside_itself_is_no_better_and_is_told_so_with_figures(
    settings: Settings, questions: Questions
) -> None:
    found = compare_encoders(WordEncoder(), WordEncoder(), questions, settings, lambda *_: None)
    assert {each.difference.mean for each in found} == {0.0}
    (reason,) = why_not(found)
    assert (
        "not put right more often beyond noise: 100.0 % → 100.0 %, +0.0 points (+0.0 … +0.0) on 12" in reason
    )


BETTER = [
    score(INTENTS, "all", [1] * 40, [0] * 10 + [1] * 30),
    score(INTENTS, "zh", [1] * 20, [0] * 5 + [1] * 15),
    score(INTENTS, "en", [1] * 20, [0] * 5 + [1] * 15),
    score(SEARCH, "all", [1] * 30, [1] * 30),
    score(SEARCH, "zh", [1] * 15, [1] * 15),
    score(SEARCH, "en", [1] * 15, [1] * 15),
]


def test_what_is_better_and_finds_as_much_has_no_reason_against_it() -> None:
    assert why_not(BETTER) == ()


def test_a_gain_that_may_be_noise_is_none() -> None:
    scores = [score(INTENTS, "all", [1] * 40, [0] + [1] * 39), *BETTER[1:]]
    assert "beyond noise: 97.5 % → 100.0 %, +2.5 points (+0.0 …" in why_not(scores)[0]


def test_a_loss_in_one_language_is_enough_whatever_the_other_gains() -> None:
    scores = [*BETTER[:2], score(INTENTS, "en", [0] * 10 + [1] * 30, [1] * 40), *BETTER[3:]]
    assert why_not(scores)[0].startswith("Fewer English questions are put right: 100.0 % → 75.0 %")
    scores = [*BETTER[:4], score(SEARCH, "zh", [0] * 10 + [1] * 30, [1] * 40), BETTER[5]]
    assert why_not(scores)[0].startswith("Search finds less for Chinese golden questions, hit@3: 100.0 %")


def test_search_may_not_fall_at_all_over_all_golden_questions() -> None:
    scores = [*BETTER[:3], score(SEARCH, "all", [0] + [1] * 29, [1] * 30), *BETTER[4:]]
    assert why_not(scores)[0].startswith("Search finds less for golden questions, hit@3: 100.0 % → 96.7 %")


def test_a_language_without_questions_says_nothing() -> None:
    nobody = Estimate(0.0, 0.0, 0.0, 0)
    empty = Score(SEARCH, "en", nobody, nobody, nobody, "higher", 0.0)
    assert why_not([*BETTER[:5], empty]) == ()
    assert "on 0 questions" in in_figures(empty)


def test_only_questions_that_an_article_answers_by_themselves_judge_the_search(settings: Settings) -> None:
    write_golden(settings.knowledge_base, GOLDEN)
    chosen = judged_by_search(load_golden(settings.knowledge_base))
    assert [golden.id for golden in chosen] == ["g1", "g2"]
