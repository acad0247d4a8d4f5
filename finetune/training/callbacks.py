"""What happens beside a training's steps: progress is told, and a diverged loss ends it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from finetune.errors import TrainingError


@dataclass(frozen=True)
class Progress:
    """How far a training is. `loss` is the mean of the steps since the report before; `validation_loss` the last one."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float
    seconds_left: float
    validation_loss: float | None = None  # not a number is never told: it ends the training


Reporter = Callable[[Progress], None]


class Reports(TrainerCallback):
    """Tells how far the training is, each time the trainer logs a loss, in the first process only.

    What the reporter raises ends the training; its checkpoints stay.
    """

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._last = (0.0, 0, 0.0)  # moment, step, tokens
        self._told: Progress | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock; a resumed training does not count what was done before."""
        del args, control, kwargs
        self._last = (time.monotonic(), state.global_step, 0.0)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Report, if what is logged is a loss."""
        del args, control, kwargs
        if logs is None or not state.is_world_process_zero:
            return
        if "loss" in logs:
            self._tell(self._measured(state, logs))
        elif "eval_loss" in logs and self._told is not None:
            self._tell(
                Progress(
                    **{**vars(self._told), "step": state.global_step, "validation_loss": logs["eval_loss"]}
                )
            )

    def _tell(self, progress: Progress) -> None:
        self._told = progress
        self._report(progress)

    def _measured(self, state: TrainerState, logs: dict[str, float]) -> Progress:
        moment, step, tokens = time.monotonic(), state.global_step, logs.get("num_tokens", 0.0)
        seconds = max(moment - self._last[0], 1e-9)
        steps = max(step - self._last[1], 1)
        fresh = tokens - self._last[2]
        self._last = (moment, step, tokens)
        return Progress(
            step=step,
            steps=state.max_steps,
            loss=logs["loss"],
            tokens_per_second=fresh / seconds,
            seconds_left=(state.max_steps - step) * seconds / steps,
            validation_loss=None if self._told is None else self._told.validation_loss,
        )


class Diverged(TrainerCallback):
    """Ends a training whose loss is no number any more: nothing that follows could be used."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Look at the training and the validation loss.

        Raises:
            TrainingError: it is infinite or not a number.
        """
        del args, control, kwargs
        for name in ("loss", "eval_loss", "grad_norm"):
            value = (logs or {}).get(name, 0.0)
            if not math.isfinite(value):
                raise TrainingError(
                    f"The training diverged: after {state.global_step} steps its {name} is {value}. "
                    "Lower the learning rate, or train in float32."
                )
