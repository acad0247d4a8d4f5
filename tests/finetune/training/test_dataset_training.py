"""From a curated set to an adapter that can serve, and back to it after a kill."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.answering.adapters import read_adapter, write_manifest
from bot.answering.registry import AdapterRegistry
from bot.answering.torch_threads import threads
from bot.models import adapter_registry
from bot.settings import Settings
from finetune.curation.dataset import Dataset
from finetune.errors import TrainingError
from finetune.training import dataset_training
from finetune.training.callbacks import Progress
from finetune.training.dataset_training import Plan, plan_training, run_training
from finetune.training.train_settings import TrainReport, TrainSettings
from tests.example_talks import talk
from tests.fakes import WordEncoder
from tests.tuned_shop import answered_talks, write_tuned_shop

QUICK = TrainSettings(rank=2, alpha=4.0, epochs=1.0, sheets=8)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """More threads than a tiny model needs only wait for each other."""
    with threads(1):
        yield


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_training, "suggested", lambda *_: QUICK)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return write_tuned_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def settings(shop: Settings, tmp_path: Path) -> Settings:
    return emptied(shop, tmp_path)


def emptied(shop: Settings, root: Path) -> Settings:
    """The shop with an empty folder for adapters."""
    (root / "var").mkdir()
    for name in ("index", "intents"):
        (root / "var" / name).symlink_to((shop.var / name).absolute())
    return shop.model_copy(update={"var": root / "var"})


def dataset(count: int = 12, **changes: Any) -> Dataset:
    talks = tuple(answered_talks(count))
    return replace(Dataset("set-1", Path("set-1"), talks[2:], talks[:2], (), (), {}), **changes)


def planned(settings: Settings, learned: Dataset, **more: Any) -> Plan:
    registry = more.pop("registry", None) or adapter_registry(settings)
    return plan_training(learned, settings, WordEncoder(), registry, **{"lessons": None} | more)


@dataclass(frozen=True)
class Done:
    """A training that several tests look at, and none changes."""

    settings: Settings
    plan: Plan
    report: TrainReport
    told: tuple[Progress, ...]


@pytest.fixture(scope="module")
def done(shop: Settings, tmp_path_factory: pytest.TempPathFactory) -> Done:
    settings = emptied(shop, tmp_path_factory.mktemp("done"))
    told: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset_training, "suggested", lambda *_: QUICK)
        plan = planned(settings, dataset())
        return Done(settings, plan, run_training(plan, told.append), tuple(told))


def test_a_curated_set_becomes_an_adapter_that_fits(done: Done) -> None:
    folder = done.report.folder
    assert folder.parent == done.settings.adapters_path
    assert adapter_registry(done.settings).find(folder.name) == folder
    manifest = read_adapter(folder)
    assert (manifest.id, manifest.method, manifest.parent) == (done.plan.folder.name, "lora", None)
    assert manifest.data["dataset"] == "set-1"
    assert manifest.data["own_examples"] == len(done.plan.examples)
    assert done.told[-1].step == done.told[-1].steps


def test_the_same_training_is_not_done_twice_and_another_has_another_id(done: Done) -> None:
    plan = done.plan
    before = (plan.folder / "adapter_model.safetensors").stat().st_mtime_ns
    again = planned(done.settings, dataset())
    assert again.done
    assert run_training(again).manifest.id == plan.folder.name
    assert (plan.folder / "adapter_model.safetensors").stat().st_mtime_ns == before
    assert planned(done.settings, dataset(14)).folder != plan.folder


def test_a_training_that_was_killed_goes_on_and_ends_with_an_adapter(settings: Settings) -> None:
    def killed(progress: Progress) -> None:
        if progress.step >= 1:
            raise KeyboardInterrupt

    plan = planned(settings, dataset())
    with pytest.raises(KeyboardInterrupt):
        run_training(plan, killed)
    assert not plan.folder.exists()
    assert run_training(planned(settings, dataset())).folder == plan.folder


def test_the_adapter_that_comes_with_kefu_is_trained_on_from(settings: Settings, done: Done) -> None:
    parent = done.report.folder
    registry = AdapterRegistry(settings.adapters_path, adapter_registry(settings).base, default=parent)
    plan = planned(settings, dataset(14), registry=registry)
    assert plan.parent == parent
    assert plan.settings.rank == QUICK.rank
    assert plan.settings.learning_rate == QUICK.learning_rate / 2
    assert run_training(plan).manifest.parent == parent.name


def test_with_too_few_open_questions_the_parents_threshold_for_declining_is_kept(
    settings: Settings, done: Done, tmp_path: Path
) -> None:
    parent = tmp_path / "parent"
    shutil.copytree(done.report.folder, parent)
    write_manifest(parent, replace(read_adapter(parent), declines_at=0.37))
    registry = AdapterRegistry(settings.adapters_path, adapter_registry(settings).base, default=parent)
    report = run_training(planned(settings, dataset(), registry=registry))
    assert "open_questions" not in report.manifest.metrics
    assert report.manifest.declines_at == 0.37


def test_written_lessons_are_mixed_in_and_some_of_them_validate(settings: Settings, tmp_path: Path) -> None:
    plan = planned(settings, dataset(), lessons=write_lessons(tmp_path / "talks"))
    own = planned(settings, dataset())
    assert len(plan.examples) > len(own.examples)
    assert plan.data["lesson_examples"] == len(plan.examples) - len(own.examples)
    assert len(plan.validation) >= len(own.validation)


@pytest.mark.parametrize(
    ("talks", "own", "lessons"),  # of two examples, one is asked again with passages that don't answer
    [
        (3, 4, 4),  # alike
        (1, 1, 5),  # too few of one's own to choose by
        (30, 6, 6),  # no more than can be looked at in reasonable time
    ],
)
def test_a_checkpoint_is_chosen_by_own_conversations_as_much_as_by_lessons(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, talks: int, own: int, lessons: int
) -> None:
    monkeypatch.setattr(dataset_training, "suggested", lambda *_: QUICK)
    monkeypatch.setattr(dataset_training, "_LEAST_VALIDATION", 6)
    monkeypatch.setattr(dataset_training, "_MOST_VALIDATION", 12)
    some = tuple(answered_talks(90))
    learned = replace(dataset(), train=some[talks:], validation=some[:talks])
    validation = planned(settings, learned, lessons=write_lessons(tmp_path / "talks", rooms=60)).validation
    of_lessons = sum("room" in each.question or "号房" in each.question for each in validation)
    assert (len(validation) - of_lessons, of_lessons) == (own, lessons)


def write_lessons(root: Path, rooms: int = 8) -> Path:
    """One trade with articles of its own, and one without, which is left out."""
    articles, talks = [], []
    for number in range(1, rooms + 1):
        for language, question, answer in (
            ("en", f"when does room {number} open", f"Room {number} opens at {number} am."),
            ("zh", f"{number} 号房几点开门", f"{number} 号房 {number} 点开门。"),
        ):
            known = {"id": f"a{number}", "language": language}
            articles.append({**known, "title": f"Room {number}", "text": answer})
            turn = {"question": question, "article": f"a{number}", "answer": answer}
            talks.append({**known, "id": f"t{number}{language}", "turns": [turn]})
    for trade, name, rows in (
        ("library", "articles", articles),
        ("library", "talks", talks),
        ("shop", "talks", talks),
    ):
        (root / trade).mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (root / trade / f"{name}.jsonl").write_text("\n".join(lines), "utf-8")
    return root


def test_a_set_that_nothing_can_be_learned_from_says_why(settings: Settings) -> None:
    unsupported = dataset(train=(talk("t", ("大家电保修几年", "请打电话问张经理。")),))
    with pytest.raises(TrainingError, match="no passage supports the answer: 1"):
        planned(settings, unsupported)
    with pytest.raises(TrainingError, match="it is empty"):
        planned(settings, dataset(train=()))


def test_the_stages_are_told(settings: Settings, tmp_path: Path) -> None:
    told: list[str] = []
    planned(
        settings,
        dataset(),
        lessons=write_lessons(tmp_path / "talks"),
        stages=lambda stage, *_: told.append(stage),
    )
    assert {"make examples", "read lessons"} <= set(told)
