"""Runs a trainer to its end, from wherever a killed training left off, and publishes the adapter that came out best."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, Trainer, TrainerState

from bot.answering.adapters import AdapterManifest
from finetune.errors import TrainingError
from finetune.training.adapting import peft_complaints_ignored, publish, trainable
from finetune.training.train_settings import TrainReport
from finetune.training.work_folder import ended, last_checkpoint, prepare


def refuse_existing(folder: Path) -> None:
    """Stop before anything is done, if there is an adapter already.

    Raises:
        TrainingError: the folder exists.
    """
    if folder.exists():
        raise TrainingError(f"{folder} exists already. Choose a new adapter id.")


def open_work(args: Any, identity: Mapping[str, Any]) -> Path:
    """The working folder, made or cleared by one process while the others wait."""
    work = Path(args.output_dir)
    with args.main_process_first(desc="working folder"):
        if args.process_index == 0:
            prepare(work, identity)
    return work


def run(trainer: Trainer, work: Path, patience: int) -> TrainerState:
    """Train until it is over; a training that was killed after its last checkpoint is over already."""
    last = last_checkpoint(work)
    over = None if last is None else ended(last, trainer.args.max_steps, patience)
    if over is not None:
        return over
    model: Any = trainer.model
    if trainer.is_fsdp_enabled:
        model.to(model.dtype)  # the base's: shards are of one arithmetic
    trainer.remove_callback(PrinterCallback)  # it prints each loss; whoever wants to know gave a reporter
    with peft_complaints_ignored():
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    return trainer.state


def metrics_of(trainer: Trainer, state: TrainerState) -> dict[str, Any]:
    """What the trainer logged: the last training loss, the best validation loss, how many steps, processes and numbers."""
    losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
    held = [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
    return {
        "steps": state.global_step,
        "loss": losses[-1] if losses else None,
        "validation_loss": min(held) if held else None,
        "best_step": state.best_global_step,
        "processes": trainer.args.world_size,
        "trainable": trainable(trainer.model) if trainer.model is not None else 0,
    }


def finish(
    trainer: Trainer, work: Path, state: TrainerState, folder: Path, manifest: AdapterManifest
) -> TrainReport:
    """Publish the best checkpoint's adapter, or the last one's where nothing was validated, and clear the work folder."""
    if trainer.args.process_index == 0:
        best = state.best_global_step if trainer.args.load_best_model_at_end else None
        publish(work / f"checkpoint-{best or state.global_step}", folder, manifest)
        shutil.rmtree(work)
    trainer.accelerator.wait_for_everyone()
    return TrainReport(folder, manifest, manifest.metrics)
