"""What Kefu's settings mean in the words of the libraries' trainers, for every kind of training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import EarlyStoppingCallback, TrainerCallback, TrainingArguments
from transformers.integrations.integration_utils import TensorBoardCallback, is_wandb_available

from finetune.errors import TrainingError
from finetune.training.adalora import Ranks
from finetune.training.callbacks import Diverged, Reporter, Reports
from finetune.training.train_settings import TrainSettings
from finetune.training.work_folder import Complete, work_folder

_CHECKPOINTS = 6  # a training; a kill costs at most a sixth of it
_TENSORBOARD = "tensorboard"
_WANDB = "wandb"  # reads its own environment: project, key, or offline
_REPORTERS = (_TENSORBOARD, _WANDB)

_Arguments = TypeVar("_Arguments", bound=TrainingArguments)


def steps_of(count: int, settings: TrainSettings) -> int:
    """Optimizer steps of a whole training on `count` sheets or pairs."""
    return max(1, math.ceil(math.ceil(count / settings.sheets) * settings.epochs))


def trainer_arguments(
    kind: type[_Arguments],
    folder: Path,
    settings: TrainSettings,
    steps: int,
    *,
    validated: bool,
    batch: int = 1,
    autocast: bool = False,
    **more: Any,
) -> _Arguments:
    """Arguments of a trainer, the same for the same settings, on one process or several.

    Args:
        kind: `SFTConfig`, `DPOConfig` …
        folder: where the adapter will lie.
        settings: how to train.
        steps: of the whole training.
        validated: whether there is a validation set; then it chooses the checkpoint and when to stop.
        batch: examples that one process computes at a time; `settings.sheets` of them, over all processes, make a step.
        autocast: whether to compute the adapter, which is float32, in bfloat16, too: for a base in bfloat16. On another
            base it would copy all weights at each step.
        more: what only this kind of trainer knows.

    Raises:
        TrainingError: a step cannot be shared among the processes, or a report is asked for that there is not.
    """
    _check_reports(settings)
    logged = max(1, min(5, steps // 10))
    every = logged * max(
        1, steps // _CHECKPOINTS // logged
    )  # so that no loss is half logged when a training goes on
    on_cpu = not torch.cuda.is_available()
    args = kind(
        output_dir=str(work_folder(folder)),
        run_name=folder.name,
        use_cpu=on_cpu,
        bf16=autocast,
        per_device_train_batch_size=batch,
        per_device_eval_batch_size=batch,
        max_steps=steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=int(steps * settings.warmup),
        weight_decay=settings.weight_decay,
        activation_checkpointing=settings.checkpointing,
        remove_unused_columns=False,
        logging_steps=logged,
        logging_nan_inf_filter=False,  # it would put an earlier loss in the place of one that is no number
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        restore_callback_states_from_checkpoint=True,  # how long no better loss was seen
        eval_strategy="steps" if validated else "no",
        eval_steps=every,
        load_best_model_at_end=validated,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        prediction_loss_only=True,
        report_to=[name for name in settings.report_to if name != _TENSORBOARD] or "none",
        disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
        ddp_find_unused_parameters=False,
        seed=settings.seed,
        data_seed=settings.seed,
        **more,
    )
    args.gradient_accumulation_steps = _accumulated(settings.sheets, args.world_size * batch)
    return args


def trainer_callbacks(
    folder: Path, settings: TrainSettings, report: Reporter | None, *, validated: bool
) -> list[TrainerCallback]:
    """What happens beside the steps. `Complete` must hear of a save last."""
    callbacks: list[TrainerCallback] = [Diverged()]
    if report is not None:
        callbacks.append(Reports(report))
    if _TENSORBOARD in settings.report_to:
        callbacks.append(_tensorboard(folder))
    if settings.method == "adalora":
        callbacks.append(Ranks())
    if validated:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=settings.patience))
    return [*callbacks, Complete()]


def _accumulated(sheets: int, at_once: int) -> int:
    """How many times each process computes before a step."""
    if sheets % at_once:
        raise TrainingError(
            f"A step of {sheets} sheets cannot be shared by {at_once} that are computed at the same time. "
            f"Set `sheets` to a multiple of {at_once}, or start fewer processes."
        )
    return sheets // at_once


def _check_reports(settings: TrainSettings) -> None:
    unknown = sorted(set(settings.report_to) - set(_REPORTERS))
    if unknown:
        raise TrainingError(f"There is no report to {', '.join(unknown)}. Use {' or '.join(_REPORTERS)}.")
    if _WANDB in settings.report_to and not is_wandb_available():  # type: ignore[no-untyped-call]
        raise TrainingError("W&B is asked for, but not installed. Run `pip install wandb`, or do without.")


def _tensorboard(folder: Path) -> TensorBoardCallback:
    """Writes beside the adapter: the working folder goes when the training is done."""
    try:
        callback = TensorBoardCallback()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise TrainingError(
            "TensorBoard is asked for, but not installed. Run `pip install 'kefu[tensorboard]'`, or do without."
        ) from error
    callback.logging_dir = str(folder.with_name(f"{folder.name}.runs"))
    return callback
