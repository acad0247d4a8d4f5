"""Trains an adapter on examples: TRL's trainer, peft's adapters, and a folder with a birth certificate at the end.

A training that was killed goes on where its last checkpoint was written, and ends with the same adapter as one that was
not. Its working folder is bound to data and settings by a fingerprint: other data never continues an old training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import set_seed
from trl.trainer.sft_config import SFTConfig

from bot.answering.adapters import WEIGHTS
from finetune.errors import TrainingError
from finetune.examples.example import Example
from finetune.training.adapting import adapted, bare, certificate
from finetune.training.arguments import steps_of, trainer_arguments, trainer_callbacks
from finetune.training.callbacks import Reporter
from finetune.training.methods import shares_sheets
from finetune.training.rows import tokenized
from finetune.training.running import finish, metrics_of, open_work, refuse_existing, run
from finetune.training.sheets import OneSheet, Sheet, apart, can_share, sheets
from finetune.training.train_settings import Base, TrainReport, TrainSettings
from finetune.training.trainer import SheetTrainer
from retrieval.publish import sha256


def train(
    base: Base,
    examples: Sequence[Example],
    validation: Sequence[Example],
    folder: Path,
    *,
    settings: TrainSettings | None = None,
    data: dict[str, Any] | None = None,
    parent: Path | None = None,
    report: Reporter | None = None,
) -> TrainReport:
    """Train an adapter and write it to `folder`; goes on with what a killed training left beside it.

    Started in several processes (`finetune.training.launch`), they share each step and end with one adapter.

    Args:
        base: the model; its own weights do not change, and it can be trained on again.
        examples: in the order in which they are shuffled by the seed.
        validation: chooses the best checkpoint and when to stop; may be empty, then the last one is taken.
        folder: where the adapter goes; must not exist. Checkpoints lie in `<folder>.work` until it is done.
        settings: how.
        data: what the examples were made of, for the certificate.
        parent: an adapter folder to train on from, of the same method and rank.
        report: told after each logged step, in the first process. What it raises ends the training, which goes on from
            its last checkpoint when it is started again.

    Raises:
        TrainingError: there is nothing to train on, the folder exists, the parent does not fit, the processes cannot
            share a step, or the training diverged.
    """
    chosen = settings if settings is not None else TrainSettings()
    refuse_existing(folder)
    learned, left_out = _sheets(base, examples, chosen)
    if not learned:
        raise TrainingError(f"None of {len(examples)} examples can be trained on. Add conversations first.")
    held, _ = _sheets(base, validation, chosen)
    steps = steps_of(len(learned), chosen)
    args = trainer_arguments(
        SFTConfig,
        folder,
        chosen,
        steps,
        validated=bool(held),
        autocast=base.model.dtype is torch.bfloat16,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    work = open_work(args, _identity(base, learned, held, chosen, parent))
    set_seed(chosen.seed)
    model: PeftModel | None = None
    try:
        model = adapted(base, chosen, steps, parent)
        trainer = SheetTrainer(
            model=model,
            args=args,
            train_dataset=_dataset(learned, chosen.decision_weight),
            eval_dataset=_dataset(held, chosen.decision_weight) if held else None,
            processing_class=base.tokenizer,
            data_collator=OneSheet(base.model.config),
            callbacks=trainer_callbacks(folder, chosen, report, validated=bool(held)),
        )
        state = run(trainer, work, chosen.patience)
        manifest = certificate(
            folder,
            base,
            chosen,
            method=chosen.method,
            data={
                **(data or {}),
                "trained": _counts(learned),
                "validated": _counts(held),
                "left_out": left_out,
                "sha256": _digest(learned),
            },
            metrics=metrics_of(trainer, state),
            parent=parent,
        )
        return finish(trainer, work, state, folder, manifest)
    finally:
        bare(base, model)


def _sheets(base: Base, examples: Sequence[Example], settings: TrainSettings) -> tuple[list[Sheet], int]:
    """The examples on sheets, and how many are on none."""
    found = tokenized(base.tokenizer, examples, settings.shape)
    shared = shares_sheets(settings.method) and can_share(base.model.config)
    return sheets(found.rows) if shared else apart(found.rows), found.left_out


def _identity(
    base: Base, learned: Sequence[Sheet], held: Sequence[Sheet], settings: TrainSettings, parent: Path | None
) -> dict[str, Any]:
    """All that decides the outcome, as JSON values."""
    return {
        "learned": _digest(learned),
        "held": _digest(held),
        "settings": json.loads(json.dumps(asdict(settings))),
        "base": [base.label, base.sha256, str(base.model.dtype)],
        "parent": None if parent is None else sha256(parent / WEIGHTS),
    }


def _digest(some: Sequence[Sheet]) -> str:
    return hashlib.sha256(json.dumps([asdict(sheet) for sheet in some]).encode()).hexdigest()


def _counts(some: Sequence[Sheet]) -> dict[str, int]:
    return {
        "examples": sum(len(sheet.rows) for sheet in some),
        "sheets": len(some),
        "tokens": sum(sheet.tokens for sheet in some),
        "unshared": sum(len(row.tokens) for sheet in some for row in sheet.rows),
    }


def _dataset(some: Sequence[Sheet], decision: float = 1.0) -> Dataset:
    return Dataset.from_list([sheet.as_features(decision) for sheet in some])
