"""A training written down in a folder, so that another process, or several on several machines, can run it.

<job>/
  job.json            model, label, where the adapter goes, settings, parent
  train.jsonl         one example a line
  validation.jsonl
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bot.answering.generator import PromptShape
from bot.answering.prompt import PromptMessage, PromptPassage
from bot.conversation import Language
from finetune.errors import RecordError, TrainingError
from finetune.examples.example import Example
from finetune.lines import json_lines, read_lines
from finetune.training.callbacks import Reporter
from finetune.training.defaults import load_for_training
from finetune.training.supervised import train
from finetune.training.train_settings import TrainReport, TrainSettings
from retrieval.publish import write_atomically

_JOB, _TRAIN, _VALIDATION = "job.json", "train.jsonl", "validation.jsonl"


@dataclass(frozen=True)
class Job:
    """What is to be trained. `model` is a Hugging Face folder or a hub name; paths are as the job's processes see them."""

    model: str
    out: Path
    settings: TrainSettings = field(default_factory=TrainSettings)
    label: str | None = None
    parent: Path | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def write_job(folder: Path, job: Job, examples: Sequence[Example], validation: Sequence[Example]) -> None:
    """Write a job; `folder` is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / _TRAIN, json_lines(asdict(example) for example in examples))
    write_atomically(folder / _VALIDATION, json_lines(asdict(example) for example in validation))
    content = {
        **asdict(job),
        "out": str(job.out),
        "parent": None if job.parent is None else str(job.parent),
        "data": dict(job.data),
    }
    write_atomically(folder / _JOB, json.dumps(content, ensure_ascii=False, indent=2).encode())


def read_job(folder: Path) -> tuple[Job, list[Example], list[Example]]:
    """A job with its examples to train on and to validate with.

    Raises:
        TrainingError: a file is missing or is not what `write_job` writes; names it.
    """
    try:
        content = json.loads((folder / _JOB).read_text("utf-8"))
        settings = content.pop("settings")
        job = Job(
            **{
                **content,
                "out": Path(content["out"]),
                "parent": None if content["parent"] is None else Path(content["parent"]),
                "settings": TrainSettings(
                    **{
                        **settings,
                        "shape": PromptShape(**settings["shape"]),
                        "report_to": tuple(settings["report_to"]),
                    }
                ),
            }
        )
        return job, _examples(folder / _TRAIN), _examples(folder / _VALIDATION)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecordError) as error:
        raise TrainingError(f"The job in {folder} cannot be read: {error!r}. Write it again.") from error


def run_job(folder: Path, report: Reporter | None = None) -> TrainReport:
    """Train as a job says, and go on with what a killed process left.

    Raises:
        TrainingError: the job cannot be read, or as `finetune.training.supervised.train` says.
        GenerationError: the model is missing or cannot be loaded.
    """
    job, examples, validation = read_job(folder)
    base = load_for_training(job.model, label=job.label, precision=job.settings.precision)
    return train(
        base,
        examples,
        validation,
        job.out,
        settings=job.settings,
        data=dict(job.data),
        parent=job.parent,
        report=report,
    )


def _examples(path: Path) -> list[Example]:
    return [
        Example(
            **{
                **row,
                "language": Language(row["language"]),
                "passages": tuple(PromptPassage(**passage) for passage in row["passages"]),
                "history": tuple(PromptMessage(**message) for message in row["history"]),
            }
        )
        for _, row in read_lines(path.read_text("utf-8"), path.name)
    ]
