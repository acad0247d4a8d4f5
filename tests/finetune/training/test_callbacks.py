"""What happens beside the steps: progress is told rightly, and a loss that is no number ends everything."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from finetune.errors import TrainingError
from finetune.training.callbacks import Diverged, Progress, Reports
from finetune.training.work_folder import Complete, ended, last_checkpoint, prepare

CONTROL = TrainerControl()


@pytest.fixture
def args(tmp_path: Path) -> TrainingArguments:
    return TrainingArguments(output_dir=str(tmp_path), use_cpu=True)


def state(step: int, steps: int = 10, **more: Any) -> TrainerState:
    return TrainerState(global_step=step, max_steps=steps, **more)


def test_progress_counts_from_where_the_training_goes_on(
    args: TrainingArguments, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Progress] = []
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    reports = Reports(told.append)
    reports.on_train_begin(args, state(4), CONTROL)
    for step, tokens in ((6, 50.0), (8, 250.0)):
        clock[0] += 10
        reports.on_log(args, state(step), CONTROL, {"loss": 1.5, "num_tokens": tokens})
    assert told == [
        Progress(step=6, steps=10, loss=1.5, tokens_per_second=5.0, seconds_left=20.0),
        Progress(step=8, steps=10, loss=1.5, tokens_per_second=20.0, seconds_left=10.0),
    ]


def test_the_validation_loss_is_told_as_soon_as_it_is_known_and_from_then_on(args: TrainingArguments) -> None:
    told: list[Progress] = []
    reports = Reports(told.append)
    reports.on_train_begin(args, state(0), CONTROL)
    reports.on_log(args, state(1), CONTROL, {"loss": 2.0})
    reports.on_log(args, state(1), CONTROL, {"eval_loss": 1.0})
    reports.on_log(args, state(2), CONTROL, {"loss": 1.8})
    reports.on_log(args, state(2), CONTROL, {"train_runtime": 3.0})
    assert [(progress.loss, progress.validation_loss) for progress in told] == [
        (2.0, None),
        (2.0, 1.0),
        (1.8, 1.0),
    ]


def test_only_the_first_process_tells(args: TrainingArguments) -> None:
    told: list[Progress] = []
    reports = Reports(told.append)
    reports.on_log(args, state(1, is_world_process_zero=False), CONTROL, {"loss": 2.0})
    assert told == []


@pytest.mark.parametrize("name", ["loss", "eval_loss", "grad_norm"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_training(args: TrainingArguments, name: str, value: float) -> None:
    with pytest.raises(TrainingError, match=f"after 3 steps its {name} is {value}"):
        Diverged().on_log(args, state(3), CONTROL, {name: value})


def test_other_losses_do_not(args: TrainingArguments) -> None:
    Diverged().on_log(args, state(3), CONTROL, {"loss": 3.0, "eval_loss": 2.0, "grad_norm": 0.0})
    Diverged().on_log(args, state(3), CONTROL, None)


def test_a_checkpoint_counts_only_once_it_is_complete(args: TrainingArguments, tmp_path: Path) -> None:
    work = tmp_path / "a.work"
    args.output_dir = str(work)
    prepare(work, {"seed": 1})
    for step in (5, 10):
        (work / f"checkpoint-{step}").mkdir()
        (work / f"checkpoint-{step}" / "weights").write_bytes(b"x")
    assert last_checkpoint(work) is None
    Complete().on_save(args, state(5), CONTROL)
    assert last_checkpoint(work) == work / "checkpoint-5"
    prepare(work, {"seed": 1})
    assert [path.name for path in work.glob("checkpoint-*")] == ["checkpoint-5"]
    prepare(work, {"seed": 2})
    assert last_checkpoint(work) is None


@pytest.mark.parametrize(("step", "waited", "over"), [(10, 0, True), (5, 3, True), (5, 2, False)])
def test_a_training_is_over_at_its_last_step_or_when_patience_is(
    tmp_path: Path, step: int, waited: int, over: bool
) -> None:
    stopping = {"args": {}, "attributes": {"early_stopping_patience_counter": waited}}
    found = state(step)
    found.stateful_callbacks = {"EarlyStoppingCallback": stopping}
    found.save_to_json(str(tmp_path / "trainer_state.json"))
    assert (ended(tmp_path, steps=10, patience=3) is not None) is over
