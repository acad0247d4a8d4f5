"""The folder beside a growing adapter: checkpoints of a training that may be killed at any moment, and go on.

<adapter>.work/
  fingerprint        of data, settings, base and parent: other ones never continue here
  checkpoint-120/    what the trainer wrote, and `complete`, which says that it was done writing
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from retrieval.publish import write_atomically

_FINGERPRINT = "fingerprint"
_COMPLETE = "complete"
_STATE = "trainer_state.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def work_folder(adapter: Path) -> Path:
    """Where the checkpoints of the adapter in folder `adapter` lie."""
    return adapter.with_name(f"{adapter.name}.work")


def prepare(work: Path, identity: Mapping[str, Any]) -> None:
    """Make the folder; what belongs to another training, and checkpoints that a kill left unfinished, are removed.

    Args:
        work: the folder.
        identity: JSON values that decide the training's outcome.
    """
    fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    known = work / _FINGERPRINT
    if work.exists() and not (known.exists() and known.read_text("utf-8") == fingerprint):
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    if not known.exists():
        write_atomically(known, fingerprint.encode())
    for folder in work.iterdir():
        if _CHECKPOINT.fullmatch(folder.name) and not (folder / _COMPLETE).exists():
            shutil.rmtree(folder)


def last_checkpoint(work: Path) -> Path | None:
    """The newest complete checkpoint, if there is one."""
    steps = {
        int(found[1]): folder
        for folder in work.iterdir()
        if (found := _CHECKPOINT.fullmatch(folder.name)) and (folder / _COMPLETE).exists()
    }
    return steps[max(steps)] if steps else None


def ended(checkpoint: Path, steps: int, patience: int) -> TrainerState | None:
    """The state of a training that was over when `checkpoint` was written and needs no step more; None if it was not.

    Args:
        checkpoint: a complete one.
        steps: of the whole training.
        patience: evaluations without a better one, until it stops.
    """
    state = TrainerState.load_from_json(str(checkpoint / _STATE))
    stopping: Any = state.stateful_callbacks.get("EarlyStoppingCallback", {})
    waited = stopping.get("attributes", {}).get("early_stopping_patience_counter", 0)
    return state if state.global_step >= steps or waited >= patience else None


class Complete(TrainerCallback):
    """Marks a checkpoint as complete once all of it is on the disk. It must be the last to hear of a save."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Sync the checkpoint's files, then mark it."""
        del control, kwargs
        if not state.is_world_process_zero:
            return
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        for path in folder.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        write_atomically(folder / _COMPLETE, b"")
