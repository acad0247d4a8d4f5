"""Trains an adapter with differential privacy: no single conversation can be read off it. Needs the extra `private`.

What an adapter says hardly depends on whether any one example was among those it learned from: by a factor of at most
e^ε, except with probability δ. That is DP-SGD (Abadi et al. 2016, arXiv 1607.00133): each example's gradient is cut to a
length, and noise that hides any one of them is added to their sum. How much noise ε takes, Opacus counts.

    from finetune.training.defaults import load_for_training
    from finetune.training.private import Privacy, train_privately

    base = load_for_training("var/models/gemma-3-270m/…")
    report = train_privately(base, examples, Path("var/adapters/private-1"), privacy=Privacy(epsilon=4.0))
    report.manifest.settings["privacy"]  # {'epsilon': 4.0, 'delta': 2e-05, 'spent': 3.99, …}

Privacy has its price: with a few hundred examples, an ε of 8 learns little but manner; it takes thousands for facts.
Examples are what is protected, so give one example a customer, or divide ε by how many a customer has. The promise holds
for what is published: the adapter. It does not hold for the loss of single steps, so nothing of it is written down.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import secrets
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import get_cosine_schedule_with_warmup, set_seed

from finetune.errors import TrainingError
from finetune.examples.example import Example
from finetune.training.adapting import (
    adapted,
    bare,
    certificate,
    peft_complaints_ignored,
    save_adapter,
    trainable,
)
from finetune.training.callbacks import Progress, Reporter
from finetune.training.rows import tokenized
from finetune.training.running import refuse_existing
from finetune.training.sheets import Row
from finetune.training.train_settings import Base, TrainReport, TrainSettings

try:
    from opacus.accountants import RDPAccountant
    from opacus.accountants.utils import get_noise_multiplier
except ImportError as error:
    raise ImportError(
        "Privacy is counted with Opacus, which is not installed. Run `pip install 'kefu[private]'`."
    ) from error

# Little rank and no dropout: noise grows with how much is trained, and hides what dropout would vary.
SETTINGS = TrainSettings(rank=4, alpha=8, dropout=0.0, learning_rate=1e-3, epochs=10, warmup=0.0)


@dataclass(frozen=True)
class Privacy:
    """What is promised.

    Raises:
        TrainingError: a number promises nothing.
    """

    epsilon: float = 8.0  # the smaller, the more private; 1 to 10 are usual
    delta: float | None = None  # None: a tenth of one by the number of examples
    clip: float = 1.0  # longest gradient of one example
    batch: int | None = None  # examples of a step, on average; None: a tenth of all, at least 16

    def __post_init__(self) -> None:
        """Refuse a promise that is none."""
        wrong = {
            "epsilon": self.epsilon <= 0,
            "delta": self.delta is not None and not 0 < self.delta < 1,
            "clip": self.clip <= 0,
            "batch": self.batch is not None and self.batch < 1,
        }
        for name in (name for name, is_wrong in wrong.items() if is_wrong):
            raise TrainingError(f"Privacy's {name} cannot be {getattr(self, name)!r}. Leave it out.")


@dataclass(frozen=True)
class _Plan:
    """DP-SGD in numbers: `rate` is each example's chance to be in a step."""

    rate: float
    steps: int
    noise: float  # standard deviation, by `clip`
    delta: float
    expected: float  # examples in a step

    def spent(self, steps: int) -> float:
        """The ε that so many steps have cost."""
        accountant = RDPAccountant()
        accountant.history = [(self.noise, self.rate, steps)]
        with _loose_bounds():
            return float(accountant.get_epsilon(self.delta))


def train_privately(
    base: Base,
    examples: Sequence[Example],
    folder: Path,
    *,
    settings: TrainSettings = SETTINGS,
    privacy: Privacy | None = None,
    data: dict[str, Any] | None = None,
    parent: Path | None = None,
    report: Reporter | None = None,
) -> TrainReport:
    """Train an adapter that gives no example away, and write it to `folder`.

    A training that was killed begins anew: what it had seen before would have to be paid for, too. The noise comes from
    the system's own randomness and is the same never, whatever the seed.

    Args:
        base: the model; its own weights do not change.
        examples: each one is protected.
        folder: where the adapter goes; must not exist.
        settings: how; `sheets`, `patience`, `checkpointing` and `report_to` have no meaning here.
        privacy: what is promised.
        data: what the examples were made of, for the certificate.
        parent: an adapter to train on from; the promise is only about what is learned now.
        report: told after each step; its loss is always 0, for the true one is not private.

    Raises:
        TrainingError: there is nothing to train on, the folder exists, or the parent does not fit.
    """
    refuse_existing(folder)
    promised = privacy if privacy is not None else Privacy()
    found = tokenized(base.tokenizer, examples, settings.shape)
    if not found.rows:
        raise TrainingError(f"None of {len(examples)} examples can be trained on. Add conversations first.")
    plan = _plan(len(found.rows), settings, promised)
    set_seed(settings.seed)
    model = None
    try:
        model = adapted(base, settings, plan.steps, parent)
        _descend(model, found.rows, settings, promised.clip, plan, report)
        manifest = certificate(
            folder,
            base,
            settings,
            method=settings.method,
            data={
                **(data or {}),
                "trained": {"examples": len(found.rows)},
                "left_out": found.left_out,
                "sha256": hashlib.sha256(
                    json.dumps([asdict(row) for row in found.rows]).encode()
                ).hexdigest(),
            },
            metrics={"steps": plan.steps, "trainable": trainable(model)},
            parent=parent,
            more={"privacy": {**asdict(promised), **asdict(plan), "spent": plan.spent(plan.steps)}},
        )
        save_adapter(model, folder, manifest)
        return TrainReport(folder, manifest, manifest.metrics)
    finally:
        bare(base, model)


def _plan(count: int, settings: TrainSettings, privacy: Privacy) -> _Plan:
    batch = privacy.batch if privacy.batch is not None else max(16, count // 10)
    rate = min(1.0, batch / count)
    steps = max(1, math.ceil(settings.epochs / rate))
    delta = privacy.delta if privacy.delta is not None else 0.1 / count
    with _loose_bounds():
        noise = get_noise_multiplier(
            target_epsilon=privacy.epsilon,
            target_delta=delta,
            sample_rate=rate,
            steps=steps,
            accountant="rdp",
        )
    return _Plan(rate, steps, float(noise), delta, rate * count)


@contextmanager
def _loose_bounds() -> Iterator[None]:
    """Within this, a very large or small ε may be counted less tightly than it could be: it is still kept."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Optimal order is the", UserWarning)
        yield


def _descend(
    model: nn.Module,
    rows: Sequence[Row],
    settings: TrainSettings,
    clip: float,
    plan: _Plan,
    report: Reporter | None,
) -> None:
    """DP-SGD, one row at a time: that is what its gradient can be cut by, whatever the method."""
    values = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(values, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = get_cosine_schedule_with_warmup(optimizer, int(plan.steps * settings.warmup), plan.steps)
    chance = random.SystemRandom()
    noise = torch.Generator().manual_seed(
        secrets.randbits(63)
    )  # whoever knew the seed could take the noise off
    for step in range(1, plan.steps + 1):
        total = [torch.zeros_like(value) for value in values]
        for row in rows:
            if chance.random() < plan.rate:
                for place, gradient in enumerate(_clipped(model, values, row, clip)):
                    total[place] += gradient
        for value, gradient in zip(values, total, strict=True):
            drawn = torch.randn(value.shape, generator=noise).to(value)
            value.grad = (gradient + plan.noise * clip * drawn) / plan.expected
        optimizer.step()
        schedule.step()
        if report is not None:
            report(Progress(step, plan.steps, 0.0, 0.0, 0.0))


def _clipped(model: nn.Module, values: Sequence[nn.Parameter], row: Row, clip: float) -> list[Tensor]:
    """The gradient of one row's mean loss, no longer than `clip`."""
    device = values[0].device
    tokens = torch.tensor([row.tokens], device=device)
    places = torch.arange(row.answer_from - 1, len(row.tokens) - 1, device=device)
    with peft_complaints_ignored():
        logits = model(input_ids=tokens, use_cache=False, logits_to_keep=places).logits[0]
    loss = nn.functional.cross_entropy(logits.float(), tokens[0, row.answer_from :])
    gradients = torch.autograd.grad(loss, values)
    length = torch.stack([gradient.norm() for gradient in gradients]).norm()
    return [gradient * (clip / length).clamp(max=1.0) for gradient in gradients]
