"""What a training is told: how to train, on which model, and what it says back. Light on purpose: no trainer is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bot.answering.adapters import AdapterManifest
from bot.answering.generator import PromptShape
from finetune.errors import TrainingError
from finetune.training.methods import Method

TRAINED_SHAPE = PromptShape(examples=0, width=1200)  # no worked examples: training has taught what they show


@dataclass(frozen=True)
class TrainSettings:
    """How an adapter is trained.

    Raises:
        TrainingError: a number is out of its range; names it.
    """

    method: Method = "lora"
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.05
    learning_rate: float = 4e-4
    weight_decay: float = 0.01  # of matrices alone
    warmup: float = 0.05  # share of the steps; a cosine to zero follows
    epochs: float = 2.0
    sheets: int = 4  # in a step, over all processes
    decision_weight: float = (
        4.0  # of the tokens that name the passage or decline, against the words that follow
    )
    patience: int = 3  # evaluations without a better validation loss, until it stops
    checkpointing: bool = False  # of activations: less memory, a third slower
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of the base; the adapter is float32
    shape: PromptShape = TRAINED_SHAPE
    seed: int = 20261124
    report_to: tuple[str, ...] = ()  # "tensorboard", "wandb"

    def __post_init__(self) -> None:
        """Refuse what could only fail later, or train nothing."""
        wrong = {
            "rank": self.rank < 1,
            "alpha": self.alpha <= 0,
            "dropout": not 0 <= self.dropout < 1,
            "learning_rate": self.learning_rate <= 0,
            "weight_decay": self.weight_decay < 0,
            "warmup": not 0 <= self.warmup < 1,
            "epochs": self.epochs <= 0,
            "decision weight": self.decision_weight <= 0,
            "sheets": self.sheets < 1,
            "patience": self.patience < 1,
        }
        for name in (name for name, is_wrong in wrong.items() if is_wrong):
            raise TrainingError(
                f"A training's {name} cannot be {getattr(self, name)!r}. Choose another, or leave it out."
            )


@dataclass(frozen=True)
class Base:
    """The model that is adapted. `label` and `sha256` go into the adapter's certificate."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    label: str
    sha256: str | None = None


@dataclass(frozen=True)
class TrainReport:
    """What a training came to."""

    folder: Path
    manifest: AdapterManifest
    metrics: Mapping[str, Any] = field(default_factory=dict)
