"""Trains an adapter on what people preferred: DPO on pairs, KTO on single answers that were voted up or down.

Both raise the odds of good answers and lower those of bad ones, measured against what the model said before: the base
with the adapter off, or the parent as it was (DPO: Rafailov et al. 2023, arXiv 2305.18290; KTO: Ethayarajh et al. 2024,
arXiv 2402.01306). Prompts are rendered and cut into tokens as for any training; of TRL, only its losses are used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from datasets import Dataset
from transformers import set_seed
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import KTOTrainer

from bot.answering.adapters import WEIGHTS
from bot.answering.turn_markers import markers_for
from finetune.errors import TrainingError
from finetune.examples.example import Example
from finetune.training.adapting import adapted, bare, certificate
from finetune.training.arguments import steps_of, trainer_arguments, trainer_callbacks
from finetune.training.callbacks import Reporter
from finetune.training.rows import row_of
from finetune.training.running import finish, metrics_of, open_work, refuse_existing, run
from finetune.training.train_settings import Base, TrainReport, TrainSettings
from finetune.training.trainer import AdapterTrainer
from retrieval.publish import sha256

Objective = Literal["dpo", "kto"]

_BATCH = 4  # answers at a time: KTO compares an answer with those of other questions in its batch

_Features = list[dict[str, Any]]


@dataclass(frozen=True)
class Preference:
    """A question with the better answer (the example's), and a worse one. `rejected_source` is 0 if that declines."""

    example: Example
    rejected: str
    rejected_source: int

    @property
    def worse(self) -> Example:
        """The same question with the worse answer."""
        return replace(self.example, answer=self.rejected, source=self.rejected_source)


@dataclass(frozen=True)
class Judged:
    """A question with an answer, and whether people liked it."""

    example: Example
    liked: bool


@dataclass(frozen=True)
class PreferenceSettings:
    """How strongly an adapter may move from where it begins: `beta` is the price of moving, 0.01 to 0.5 is usual."""

    beta: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a price that is none."""
        if self.beta <= 0:
            raise TrainingError(f"A preference training's beta cannot be {self.beta!r}. Use 0.1.")


# A preference training moves what can answer already, so it learns slowly; dropout would make the odds noisy.
SETTINGS = TrainSettings(learning_rate=5e-5, epochs=1.0, dropout=0.0, warmup=0.1, weight_decay=0.0, sheets=8)


class _Pairs(AdapterTrainer, DPOTrainer):
    """TRL's, on rows that are tokens already."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset


class _Votes(AdapterTrainer, KTOTrainer):
    """TRL's, on rows that are tokens already."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset


def train_on_pairs(
    base: Base,
    pairs: Sequence[Preference],
    validation: Sequence[Preference],
    folder: Path,
    *,
    settings: TrainSettings = SETTINGS,
    preference: PreferenceSettings | None = None,
    data: dict[str, Any] | None = None,
    parent: Path | None = None,
    report: Reporter | None = None,
) -> TrainReport:
    """Train an adapter by DPO; the arguments are those of `finetune.training.supervised.train`, with pairs for examples.

    Args:
        base: the model.
        pairs: better and worse answers to the same questions.
        validation: chooses the checkpoint; may be empty.
        folder: where the adapter goes; must not exist.
        settings: how; `sheets` counts pairs here, and is a multiple of 2.
        preference: how far the adapter may move.
        data: what the pairs were made of.
        parent: the adapter to begin from, which is also what is measured against; usually the one that serves.
        report: told after each logged step.

    Raises:
        TrainingError: as `train` says.
    """
    learned, held = (_pairs(base, some, settings) for some in (pairs, validation))
    chosen = preference if preference is not None else PreferenceSettings()
    batch = min(_BATCH // 2, settings.sheets)
    return _train("dpo", base, (learned, held), folder, settings, chosen, batch, data, parent, report)


def train_on_votes(
    base: Base,
    votes: Sequence[Judged],
    validation: Sequence[Judged],
    folder: Path,
    *,
    settings: TrainSettings = SETTINGS,
    preference: PreferenceSettings | None = None,
    data: dict[str, Any] | None = None,
    parent: Path | None = None,
    report: Reporter | None = None,
) -> TrainReport:
    """Train an adapter by KTO: for answers of which nobody wrote a better one. See `train_on_pairs`.

    Raises:
        TrainingError: as `train` says, or all votes are the same, or `settings.sheets` is 1: an answer's odds are
            measured against those of others in its batch.
    """
    if settings.sheets < 2:
        raise TrainingError(
            f"KTO compares answers within a step, so `sheets` cannot be {settings.sheets}. Use 8."
        )
    liked = sum(vote.liked for vote in votes)
    if votes and liked in (0, len(votes)):
        raise TrainingError(
            f"All {len(votes)} votes are {'up' if liked else 'down'}, so nothing can be preferred. "
            "Wait for votes of both kinds, or train on corrections."
        )
    batch = min(_BATCH, settings.sheets)
    learned, held = (_votes(base, some, settings, batch) for some in (votes, validation))
    chosen = preference if preference is not None else PreferenceSettings()
    # The rarer kind counts more, so that both kinds count the same (equation 8 of the paper, its lower bound).
    more = {
        "desirable_weight": max(1.0, (len(votes) - liked) / max(1, liked)),
        "undesirable_weight": max(1.0, liked / max(1, len(votes) - liked)),
    }
    return _train("kto", base, (learned, held), folder, settings, chosen, batch, data, parent, report, **more)


def _train(
    objective: Objective,
    base: Base,
    rows: tuple[_Features, _Features],
    folder: Path,
    settings: TrainSettings,
    preference: PreferenceSettings,
    batch: int,
    data: dict[str, Any] | None,
    parent: Path | None,
    report: Reporter | None,
    **more: Any,
) -> TrainReport:
    refuse_existing(folder)
    _check_method(settings)
    learned, held = rows
    if not learned:
        raise TrainingError(
            "There is no preference that can be trained on. Collect corrections or votes first."
        )
    config: type[Any] = DPOConfig if objective == "dpo" else KTOConfig
    args = trainer_arguments(
        config,
        folder,
        settings,
        steps_of(len(learned), settings),
        validated=bool(held),
        batch=batch,
        beta=preference.beta,
        max_length=None,
        **more,
    )
    told = {"objective": objective, "beta": preference.beta, **more}
    digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    work = open_work(args, _identity(base, digest, settings, told, parent))
    set_seed(settings.seed)
    model = None
    try:
        model = adapted(base, settings, args.max_steps, parent)
        trainer = (_Pairs if objective == "dpo" else _Votes)(
            model=model,
            args=args,
            train_dataset=Dataset.from_list(learned),
            eval_dataset=Dataset.from_list(held) if held else None,
            processing_class=base.tokenizer,
            callbacks=trainer_callbacks(folder, settings, report, validated=bool(held)),
        )
        state = run(trainer, work, settings.patience)
        manifest = certificate(
            folder,
            base,
            settings,
            method=settings.method,
            data={
                **(data or {}),
                "trained": {"examples": len(learned)},
                "validated": {"examples": len(held)},
                "sha256": digest,
            },
            metrics={**metrics_of(trainer, state), **_rewards(state.log_history)},
            parent=parent,
            more=told,
        )
        return finish(trainer, work, state, folder, manifest)
    finally:
        bare(base, model)


def _pairs(base: Base, pairs: Sequence[Preference], settings: TrainSettings) -> _Features:
    """Token rows of pairs; those whose passage does not fit into a prompt are left out."""
    rows = []
    for pair in pairs:
        better, worse = _tokens(base, pair.example, settings), _tokens(base, pair.worse, settings)
        if better is not None and worse is not None:
            rows.append({"prompt_ids": better[0], "chosen_ids": better[1], "rejected_ids": worse[1]})
    return rows


def _votes(base: Base, votes: Sequence[Judged], settings: TrainSettings, batch: int) -> _Features:
    """Token rows of votes, each with the answer of another question of its batch to be measured against."""
    rows = []
    for vote in votes:
        found = _tokens(base, vote.example, settings)
        if found is not None:
            rows.append({"prompt_ids": found[0], "completion_ids": found[1], "label": vote.liked})
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        for place, row in enumerate(part):
            row["KL_completion_ids"] = part[place - 1]["completion_ids"]
    return rows


def _tokens(base: Base, example: Example, settings: TrainSettings) -> tuple[list[int], list[int]] | None:
    try:
        row = row_of(base.tokenizer, example, settings.shape, markers_for(base.tokenizer))
    except ValueError:
        return None
    return list(row.tokens[: row.answer_from]), list(row.tokens[row.answer_from :])


def _check_method(settings: TrainSettings) -> None:
    if settings.method in ("adalora", "prefix"):
        raise TrainingError(
            f"Preferences cannot be trained with method {settings.method!r}: it cannot be copied to measure against. "
            "Use 'lora'."
        )


def _identity(
    base: Base, digest: str, settings: TrainSettings, told: dict[str, Any], parent: Path | None
) -> dict[str, Any]:
    """All that decides the outcome, as JSON values."""
    return {
        "rows": digest,
        "settings": json.loads(json.dumps(asdict(settings))),
        "preference": told,
        "base": [base.label, base.sha256, str(base.model.dtype)],
        "parent": None if parent is None else sha256(parent / WEIGHTS),
    }


def _rewards(history: Sequence[dict[str, Any]]) -> dict[str, float]:
    """How often the better answer was the likelier one, and by how much, when it was last looked at."""
    names = ("rewards/accuracies", "rewards/margins")
    found: dict[str, float] = {}
    for entry in history:
        for name in names:
            for key in (name, f"eval_{name}"):
                if key in entry:
                    found[key.replace("/", "_")] = entry[key]
    return found
