"""Teaches the encoder a company's own language: questions of one intent move together, others apart.

Pairs of questions of one class are pulled together and held against the other classes in their batch (multiple negatives
ranking: Henderson et al. 2017, arXiv 1705.00652), as SetFit begins (Tunstall et al. 2022, arXiv 2209.11055). Only a LoRA is
trained, and merged at the end, so that little data cannot undo what the encoder knows; what comes out is an ordinary
sentence-transformers folder. Whether it is any better is not known here: see `finetune.encoder_tuning`.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn

from bot.understanding.intents import TrainingSet
from bot.understanding.language import detect
from finetune.errors import TrainingError
from finetune.training.adapting import peft_complaints_ignored

_SCALE = 20.0  # of cosines before the softmax, as the library's loss has it

Steps = Callable[[int, int, float], None]  # step, of how many, loss


@dataclass(frozen=True)
class EncoderSettings:
    """How an encoder is trained."""

    rank: int = 8
    learning_rate: float = 2e-4
    steps: int = 200
    classes: int = 24  # in a step; each is what the others are held against
    query_prompt: str = "query: "  # as `encoder.query_prompt`
    seed: int = 20261124


def train_encoder(
    source: str | Path,
    examples: TrainingSet,
    folder: Path,
    *,
    revision: str | None = None,
    settings: EncoderSettings | None = None,
    report: Steps = lambda *_: None,
) -> Path:
    """Train a LoRA on the encoder in `source`, and write the encoder with it merged in to `folder`.

    Args:
        source: a sentence-transformers folder, or the hub name of one that was downloaded before.
        examples: questions and their classes; classes with a single question are left out.
        folder: must not exist, or be empty; filled whole or not at all.
        revision: of a hub name.
        settings: how.
        report: told after each step.

    Raises:
        TrainingError: the folder holds something, the source cannot be loaded, there are fewer than two classes with two
            questions, or the training diverged.
    """
    if folder.exists() and any(folder.iterdir()):
        raise TrainingError(f"{folder} exists already. Choose another folder.")
    chosen = settings if settings is not None else EncoderSettings()
    classes = _classes(examples)
    if len(classes) < 2:
        raise TrainingError(
            f"{len(classes)} classes have two questions or more; an encoder needs two such classes. Add examples."
        )
    torch.manual_seed(chosen.seed)
    encoder = _load(source, revision)
    transformer: Any = encoder[0]
    with peft_complaints_ignored():
        wrapped = get_peft_model(
            transformer.model,
            LoraConfig(r=chosen.rank, lora_alpha=2 * chosen.rank, target_modules="all-linear"),
        )
        transformer.model = wrapped
        _descend(encoder, classes, chosen, report)
        transformer.model = wrapped.merge_and_unload()
    beside = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(beside, ignore_errors=True)
    encoder.save_pretrained(str(beside), create_model_card=False, safe_serialization=True)
    if folder.exists():
        folder.rmdir()
    beside.rename(folder)
    return folder


def _load(source: str | Path, revision: str | None) -> SentenceTransformer:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return SentenceTransformer(str(source), device=device, revision=revision, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise TrainingError(
            f"The encoder {str(source)!r} cannot be loaded to be trained: {reason} It must be a sentence-transformers folder, "
            "or a hub name that was downloaded before: run `kefu index` with it."
        ) from error


def _classes(examples: TrainingSet) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for text, label in zip(examples.texts, examples.labels, strict=True):
        found.setdefault(label, []).append(text)
    return [texts for _, texts in sorted(found.items()) if len(texts) > 1]


def _descend(
    encoder: SentenceTransformer, classes: Sequence[Sequence[str]], settings: EncoderSettings, report: Steps
) -> None:
    values = [value for value in encoder.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(values, lr=settings.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps)
    encoder.train()
    for step, (asked, same) in enumerate(_pairs(classes, settings), start=1):
        left, right = (_vectors(encoder, texts, settings.query_prompt) for texts in (asked, same))
        scores = _SCALE * left @ right.T
        wanted = torch.arange(len(scores), device=scores.device)
        loss = (
            nn.functional.cross_entropy(scores, wanted) + nn.functional.cross_entropy(scores.T, wanted)
        ) / 2
        if not loss.isfinite():
            raise TrainingError(
                f"The training diverged in step {step}: its loss is {loss.item()}. Choose a learning rate below "
                f"{settings.learning_rate:g}."
            )
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        report(step, settings.steps, float(loss.detach()))
    encoder.eval()


def _pairs(
    classes: Sequence[Sequence[str]], settings: EncoderSettings
) -> Iterator[tuple[list[str], list[str]]]:
    """For each step some classes, none twice (two would push their own questions apart), each with two questions."""
    chance = random.Random(settings.seed)  # noqa: S311 — an order, no secret
    for _ in range(settings.steps):
        drawn = chance.sample(classes, min(settings.classes, len(classes)))
        pairs = [_two(texts, chance) for texts in drawn]
        yield [one for one, _ in pairs], [other for _, other in pairs]


def _two(texts: Sequence[str], chance: random.Random) -> tuple[str, str]:
    """Two questions of one class; half of the time across languages, where there are both: that is the harder half."""
    one = chance.choice(texts)
    language = detect(one).language
    across = [text for text in texts if detect(text).language is not language]
    if across and chance.random() < 0.5:
        return one, chance.choice(across)
    return one, chance.choice([text for text in texts if text != one])


def _vectors(encoder: SentenceTransformer, texts: Sequence[str], prompt: str) -> Tensor:
    features = {
        name: value.to(encoder.device) if isinstance(value, Tensor) else value
        for name, value in encoder.preprocess([prompt + text for text in texts]).items()
    }
    vectors: Tensor = encoder(features)["sentence_embedding"]
    return nn.functional.normalize(vectors, dim=1)
