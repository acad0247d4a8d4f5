"""Two contenders answer the same questions; what differs is measured, listed and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest

from bot.answering.torch_threads import threads
from bot.errors import AdapterRefused, SettingsError
from bot.settings import Settings
from finetune.curation.curate import CurationSettings
from finetune.curation.dataset import Dataset
from finetune.errors import EvaluationError
from finetune.evaluation import evaluate as evaluate_module
from finetune.evaluation.cases import Case
from finetune.evaluation.contenders import Answered, Contender, contender
from finetune.evaluation.evaluate import Evaluation, evaluate
from finetune.evaluation.measures import by_name
from retrieval.errors import IndexMissing
from tests.example_talks import talk
from tests.fakes import WordEncoder
from tests.tiny_adapters import write_adapter
from tests.tuned_shop import KnowingGenerator, write_golden, write_tuned_shop

GOOD = {"大家电保修几年": "[1] 大家电保修 3 年。", "220 volts": "[1] Our appliances need 220 volts."}
BAD = {**GOOD, "大家电保修几年": "[0]", "整机保修多久": "[1] 整机保修 1 年，大家电保修 3 年。"}
TALKS = tuple(
    talk(f"t{number}", (question, answer))
    for number, (question, answer) in enumerate(
        [
            ("大家电保修几年", "大家电保修 3 年。"),
            ("我的电器要 220 volts 吗", "Our appliances need 220 volts."),
        ]
    )
)
SET = Dataset("set-1", Path("set-1"), (), (), TALKS, (), {})

Compare = Callable[..., Evaluation]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """More threads than a tiny model needs only wait for each other."""
    with threads(1):
        yield


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("shop")
    settings = write_tuned_shop(folder)
    for number, name in enumerate(("good", "bad"), start=1):
        write_adapter(settings.adapters_path / name, folder / "tiny", seed=number)
    return settings


@pytest.fixture
def compare(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Compares models that know what is scripted, instead of the tiny one."""
    known: Mapping[str, Mapping[str, str]] = {"good": GOOD, "bad": BAD}

    def scripted(name: str, settings: Settings, registry: object, encoder: WordEncoder) -> Contender:
        del registry
        generator = KnowingGenerator(known[name]) if name in known else None
        return contender(name, generator, settings, encoder)

    monkeypatch.setattr(evaluate_module, "load_contender", scripted)
    return lambda one, other, **more: evaluate(one, other, settings, WordEncoder(), **more)


def test_what_became_worse_is_measured_listed_and_refused(compare: Compare) -> None:
    found = compare("bad", "good", dataset=SET)
    scores = by_name(found.scores)
    assert scores["false_refusal", "zh"].candidate.mean > scores["false_refusal", "zh"].current.mean
    worst = found.worst[0]
    assert worst.question == "大家电保修几年"
    assert (worst.current, worst.candidate) == ("大家电保修 3 年。", "")
    assert "false_refusal" in worst.fell
    assert len({change.id for change in found.worst}) == len(found.worst) <= 10
    (change,) = [change for change in found.changes if change.broke]
    assert (change.id, change.current, change.candidate) == ("g7", "no_answer", "grounded")
    assert not found.gate.passed
    assert "route_broke" in [reason.kind for reason in found.gate.reasons]


def test_an_evaluation_says_what_it_was_made_of(compare: Compare, settings: Settings) -> None:
    ticks: list[tuple[str, int, int]] = []
    found = compare("good", "none", dataset=SET, report=lambda *tick: ticks.append(tick))
    assert (found.candidate, found.current, found.model, found.dataset) == ("good", "none", "tiny", "set-1")
    assert found.weights["candidate"] is not None
    assert found.weights["current"] is None
    assert found.index == next(path.name for path in settings.index_path.iterdir() if path.is_dir())
    assert found.cases == {"golden": 4, "talks": 2}
    assert found.left_out == {"answered by a template alone": 1, "a follow-up": 1}
    assert found.asked == 3 + 8
    assert ticks[0] == ("ask both", 1, 6 + 2 * 11)
    assert ticks[-1] == ("ask both", 28, 28)
    assert found.exposures == ()


def test_each_case_is_asked_of_both_in_one_moment_and_who_comes_first_takes_turns(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    class Heard(Contender):
        def answer(self, case: Case) -> Answered:
            asked.append((self.name, case.id))
            return super().answer(case)

    def scripted(name: str, settings: Settings, registry: object, encoder: WordEncoder) -> Contender:
        del registry
        made = contender(name, KnowingGenerator(GOOD), settings, encoder)
        return Heard(**{field.name: getattr(made, field.name) for field in fields(made)})

    monkeypatch.setattr(evaluate_module, "load_contender", scripted)
    evaluate("good", "bad", settings, WordEncoder(), dataset=SET)
    pairs = [(asked[place], asked[place + 1]) for place in range(0, len(asked), 2)]
    assert all(one[1] == other[1] for one, other in pairs)
    assert [one[0] for one, _ in pairs] == ["good", "bad"] * 3


def test_a_first_adapter_is_judged_beside_composed_answers(compare: Compare) -> None:
    found = by_name(compare("good", "none", dataset=SET).scores)
    assert found["supported", "all"].candidate.mean == 1.0
    assert found["supported", "all"].difference.count == 0  # nothing is drafted without a model
    assert found["seconds", "all"].difference.count == 0
    assert found["similarity", "all"].difference.count == 2


def test_an_adapter_beside_itself_differs_in_nothing_and_is_not_promoted(compare: Compare) -> None:
    found = compare("good", "good", dataset=SET)
    assert found.worst == ()
    assert found.changes == ()
    assert [reason.kind for reason in found.gate.reasons] == ["same"]


def test_a_limit_asks_fewer_questions_but_all_that_must_not_change(compare: Compare) -> None:
    found = compare("good", "bad", dataset=SET, limit=2)
    assert sum(found.cases.values()) == 2
    assert found.asked == 11


def test_without_a_question_to_judge_nothing_can_be_compared(compare: Compare, settings: Settings) -> None:
    golden = settings.knowledge_base / "golden.jsonl"
    before = golden.read_text("utf-8")
    write_golden(settings.knowledge_base, [{"id": "a", "question": "转人工", "expect": {"kind": "handoff"}}])
    try:
        with pytest.raises(EvaluationError, match="nothing to compare"):
            compare("good", "bad")
    finally:
        golden.write_text(before, "utf-8")


def test_real_adapters_are_loaded_one_after_the_other_and_canaries_looked_for(settings: Settings) -> None:
    canaries = [{"prompt": "我的手机号是", "secret": "13512345678"}]
    with_canaries = replace(SET, manifest={"canaries": canaries, "seed": CurationSettings.seed})
    found = evaluate("good", "none", settings, WordEncoder(), dataset=with_canaries, limit=1)
    (exposed,) = found.exposures
    assert exposed.of == 201
    assert 1 <= exposed.rank <= 201
    assert evaluate("base", "none", settings, WordEncoder(), dataset=with_canaries, limit=1).exposures == ()


def test_what_is_not_there_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(AdapterRefused, match="no adapter 'best'"):
        evaluate("best", "none", settings, WordEncoder())
    remote = settings.model.model_copy(update={"url": "http://127.0.0.1:1"})
    with pytest.raises(SettingsError, match="runs in Kefu itself"):
        evaluate("good", "none", settings.model_copy(update={"model": remote}), WordEncoder())
    with pytest.raises(IndexMissing):
        evaluate("good", "none", settings.model_copy(update={"var": tmp_path}), WordEncoder())
