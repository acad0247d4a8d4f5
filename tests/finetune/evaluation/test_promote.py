"""Only what was compared with what serves now, and passed, is promoted; force is kept with its reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answering.registry import AdapterRegistry, BaseModel
from bot.errors import AdapterRefused
from bot.settings import Settings
from finetune.errors import EvaluationError, GateRefused
from finetune.evaluation.contenders import weights_of
from finetune.evaluation.evaluate import Evaluation
from finetune.evaluation.gate import Gate
from finetune.evaluation.promote import (
    RECORD,
    Verdict,
    evaluation_path,
    find_verdict,
    promote,
    store_evaluation,
)
from finetune.evaluation.report_words import Reason
from tests.tiny_adapters import tiny_settings, write_hollow_adapter

PASSED = Gate((), (Reason("same", {"candidate": "better"}),))
FAILED = Gate((Reason("same", {"candidate": "x"}), Reason("same", {"candidate": "y"})), ())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = tiny_settings(tmp_path, tmp_path / "tiny")
    for name in ("one", "two"):
        write_hollow_adapter(settings.adapters_path / name)
    return settings


@pytest.fixture
def registry(settings: Settings) -> AdapterRegistry:
    return AdapterRegistry(settings.adapters_path, BaseModel("tiny"), default=Path("no-such-folder"))


def evaluated(
    candidate: str, current: str, gate: Gate, settings: Settings, registry: AdapterRegistry
) -> Evaluation:
    """An evaluation as `kefu evaluate` leaves it."""
    weights = {"candidate": weights_of(candidate, registry), "current": weights_of(current, registry)}
    found = Evaluation(
        candidate, current, weights, "tiny", "index-1", "2026-11-24T00:00:00+00:00",
        None, None, {}, {}, (), (), 0, (), (), gate,
    )  # fmt: skip
    store_evaluation(found, settings)
    return found


def test_an_adapter_that_cannot_be_written_in_one_with_its_base_serves_all_the_same(
    settings: Settings, registry: AdapterRegistry
) -> None:
    promote("one", settings, registry, by="anna", force="x")  # the base is not there
    assert registry.current() == "one"
    assert not settings.exports_path.exists()


def test_what_passed_is_promoted_with_its_reason_and_record(
    settings: Settings, registry: AdapterRegistry
) -> None:
    evaluated("one", "none", PASSED, settings, registry)
    done = promote("one", settings, registry, by="anna")
    assert registry.current() == "one"
    assert (done.forced, done.reason) == (False, "Candidate and current are the same: better.")
    assert done.report == str(evaluation_path(settings, "one", "none"))
    (row,) = json.loads((settings.adapters_path / "one" / RECORD).read_text("utf-8"))
    assert (row["by"], row["over"], row["gate"]["passed"]) == ("anna", "none", True)


def test_what_did_not_pass_is_refused_with_every_reason(
    settings: Settings, registry: AdapterRegistry
) -> None:
    evaluated("one", "none", FAILED, settings, registry)
    with pytest.raises(GateRefused) as refused:
        promote("one", settings, registry, by="anna")
    for said in ("the same: x.", "the same: y.", "one--none.html", "--force"):
        assert said in str(refused.value)
    assert registry.current() == "none"


def test_what_was_never_compared_with_what_serves_now_is_refused(
    settings: Settings, registry: AdapterRegistry
) -> None:
    with pytest.raises(GateRefused, match="never compared with 'none'"):
        promote("one", settings, registry, by="anna")
    evaluated("one", "none", PASSED, settings, registry)
    promote("two", settings, registry, by="anna", force="to try it")
    with pytest.raises(GateRefused, match="never compared with 'two'"):
        promote("one", settings, registry, by="anna")


def test_an_evaluation_of_other_weights_does_not_count(settings: Settings, registry: AdapterRegistry) -> None:
    found = evaluated("one", "none", PASSED, settings, registry)
    store_evaluation(replace(found, weights={"candidate": "other", "current": None}), settings)
    assert find_verdict("one", "none", settings, registry) is None
    with pytest.raises(GateRefused, match="never compared"):
        promote("one", settings, registry, by="anna")


def test_force_overrules_the_gate_and_its_reason_is_kept_in_both_places(
    settings: Settings, registry: AdapterRegistry
) -> None:
    evaluated("one", "none", FAILED, settings, registry)
    promote("one", settings, registry, by="anna", force="the boss wants it")
    promote("two", settings, registry, by="anna", force="never evaluated")
    first, second = registry.history()
    assert (first.forced, first.reason) == (True, "the boss wants it")
    assert (second.report, second.forced) == (None, True)
    (row,) = json.loads((settings.adapters_path / "one" / RECORD).read_text("utf-8"))
    assert (row["forced"], row["reason"], row["gate"]["passed"]) == (True, "the boss wants it", False)
    (row,) = json.loads((settings.adapters_path / "two" / RECORD).read_text("utf-8"))
    assert row["gate"] is None


@pytest.mark.parametrize("reason", ["", "  "])
def test_force_without_a_reason_is_refused(
    settings: Settings, registry: AdapterRegistry, reason: str
) -> None:
    with pytest.raises(EvaluationError, match="must say why"):
        promote("one", settings, registry, by="anna", force=reason)
    assert registry.history() == ()


def test_what_serves_already_and_what_is_not_there_is_refused(
    settings: Settings, registry: AdapterRegistry
) -> None:
    promote("one", settings, registry, by="anna", force="x")
    with pytest.raises(GateRefused, match="serves already"):
        promote("one", settings, registry, by="anna")
    with pytest.raises(AdapterRefused, match="no adapter 'three'"):
        promote("three", settings, registry, by="anna", force="x")


def test_no_adapter_at_all_can_be_promoted_by_force_and_leaves_no_record(
    settings: Settings, registry: AdapterRegistry
) -> None:
    promote("one", settings, registry, by="anna", force="x")
    promote("none", settings, registry, by="anna", force="it is too slow")
    assert registry.current() == "none"
    assert not list(settings.adapters_path.glob(RECORD))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"kind": "kefu-evaluation", "schema": 1}', "cannot be read"),
        ('{"kind": "kefu-evaluation", "schema": 9}', "of version 9"),
        ('{"kind": "kefu-index", "schema": 1}', "is a 'kefu-index'"),
    ],
)
def test_an_evaluation_that_cannot_be_read_is_a_clear_error(
    settings: Settings, registry: AdapterRegistry, content: str, reason: str
) -> None:
    path = evaluation_path(settings, "one", "none")
    path.parent.mkdir(parents=True)
    path.write_text(content, "utf-8")
    with pytest.raises(EvaluationError, match=reason):
        promote("one", settings, registry, by="anna")


def test_a_record_that_cannot_be_written_does_not_undo_the_promotion(
    settings: Settings, registry: AdapterRegistry
) -> None:
    (settings.adapters_path / "one" / RECORD).write_text("{", "utf-8")
    promote("one", settings, registry, by="anna", force="x")
    assert registry.current() == "one"


def test_the_record_grows_with_each_promotion(settings: Settings, registry: AdapterRegistry) -> None:
    for _ in range(2):
        promote("one", settings, registry, by="anna", force="x")
        promote("none", settings, registry, by="anna", force="x")
    assert len(json.loads((settings.adapters_path / "one" / RECORD).read_text("utf-8"))) == 2


@pytest.mark.parametrize(
    ("limit", "index", "wanted", "enough"),
    [
        (None, "i", None, True),
        (None, "i", 5, True),
        (5, "i", 5, True),
        (5, "i", 6, False),
        (5, "i", None, False),
        (None, "j", None, False),
    ],
)
def test_a_comparison_of_fewer_questions_or_on_other_knowledge_is_not_used_again(
    limit: int | None, index: str, wanted: int | None, enough: bool
) -> None:
    verdict = Verdict(Path("a"), "one", "none", passed=True, reasons=(), gains=(), index=index, limit=limit)
    assert verdict.answers_for("i", wanted) is enough
