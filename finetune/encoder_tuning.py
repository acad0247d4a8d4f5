"""Tunes the encoder on a team's intents, and recommends it only if that pays: `kefu intents --encoder`.

    var/encoders/
      CURRENT                     name of the newest encoder that was better
      20261129-171500-3f2a9c/     that encoder, an ordinary sentence-transformers folder with its manifest
      last.json                   what the last try came to, also one that was refused, of which nothing else is kept

A fifth of the questions is held out (`finetune.encoder_plan`). The encoder learns from the others
(`finetune.training.encoder_training`), and what serves now and the tuned one are compared on the fifth and on the golden
questions (`finetune.encoder_comparison`). What was judged is what is kept: it is not trained again on everything. Nobody
switches encoders by themselves, because the index must be built anew: `next_steps` says how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.errors import BotError
from bot.models import BUNDLED, make_encoder
from bot.settings import Settings
from finetune.encoder_comparison import compare_encoders, in_figures, why_not
from finetune.encoder_plan import KIND, TuningPlan, plan_tuning
from finetune.errors import GateRefused, TrainingError
from finetune.evaluation.measures import Score
from finetune.training.encoder_training import train_encoder
from retrieval.build import VECTOR_CACHE
from retrieval.bundled_encoder import unpack_encoder
from retrieval.encoder import Encoder
from retrieval.errors import PublishError, RetrievalError
from retrieval.publish import current, publish, read_record, write_record
from retrieval.vector_cache import CachedEncoder

FOLDER = "encoders"  # below `var`
_LAST = "last.json"
_LIBRARIES = ("torch", "peft", "sentence-transformers")

Shown = Callable[[str, int, int, str], None]  # stage, done, of how many, note


@dataclass(frozen=True)
class Tuning:
    """What came of it. `reasons` say why the tuned encoder was not kept; none if `folder` holds it."""

    learned: int  # questions
    scores: tuple[Score, ...]
    reasons: tuple[str, ...]
    folder: Path | None


def run_tuning(plan: TuningPlan, encoder: Encoder, shown: Shown = lambda *_: None) -> Tuning:
    """Train, compare, and keep the tuned encoder if it is better. Killed at any moment, it leaves nothing that counts.

    Args:
        plan: from `plan_tuning`.
        encoder: the bot's.
        shown: told how far it is.

    Raises:
        TrainingError: the training cannot begin, or diverged.
        BotError, RetrievalError: an encoder cannot be loaded, an index cannot be built, or another tuning is running.
    """
    root = plan.settings.var / FOLDER
    scores: list[Score] = []

    def stages(stage: str, done: int, total: int) -> None:
        shown(stage, done, total, "")

    def fill(folder: Path) -> Mapping[str, Any]:
        bundled = plan.origin.model == BUNDLED
        train_encoder(
            unpack_encoder(plan.settings.models_path, stages) if bundled else plan.origin.model,
            plan.learned,
            folder,
            revision=plan.origin.revision,
            settings=plan.how,
            report=lambda step, steps, loss: shown("tune the encoder", step, steps, f"loss {loss:.3f}"),
        )
        tuned = CachedEncoder(make_encoder(_with_encoder(plan.settings, folder), stages))
        index = current(plan.settings.index_path)
        now = CachedEncoder(encoder, None if index is None else index / VECTOR_CACHE)
        scores.extend(compare_encoders(tuned, now, plan.questions, plan.settings, stages))
        reasons = why_not(scores)
        if reasons:
            raise GateRefused("\n".join(reasons))
        return _certificate(plan, scores)

    try:
        done = Tuning(
            len(plan.learned.texts), tuple(scores), (), publish(root, fill, wait_seconds=0.0, keep_all=True)
        )
    except GateRefused as refused:
        done = Tuning(len(plan.learned.texts), tuple(scores), tuple(str(refused).splitlines()), None)
    _remember(root, plan, done)
    return done


def tune_if_new(settings: Settings, encoder: Encoder, shown: Shown = lambda *_: None) -> str:
    """For a nightly job: plan and run, and say what came of it; what cannot be tuned ends no cycle.

    It is not tuned again while the last tuned encoder waits to be used, nor on exactly what was tried last.
    """
    try:
        plan = plan_tuning(settings, encoder)
        last = read_record(settings.var / FOLDER / _LAST)
        waits = last.get("folder") is not None and last.get("base") == plan.base
        if waits or last.get("identity") == plan.identity:
            return f"As at {last.get('at')}: {last.get('told')}"
        return told(run_tuning(plan, encoder, shown))
    except (TrainingError, BotError, RetrievalError) as error:
        return str(error)


def told(tuning: Tuning) -> str:
    """What came of it, in a few sentences."""
    figures = {score.metric: score for score in tuning.scores if score.scope == "all"}
    found = "; ".join(f"{name}: {in_figures(score)}" for name, score in figures.items())
    found = f"The encoder was tuned on {tuning.learned} questions. {found}."
    if tuning.folder is None:
        return "\n".join((found, "It is not kept, and the one that serves goes on:", *tuning.reasons))
    return f"{found}\n{next_steps(tuning.folder)}"


def next_steps(folder: Path) -> str:
    """What a person does to let the encoder in `folder` serve, and how to go back."""
    return (
        "It is better. To use it:\n"
        f'  1. in kefu.toml, in the section [encoder]: model = "{folder.as_posix()}"\n'
        "  2. kefu index\n"
        "  3. restart the server\n"
        "  4. kefu calibrate, if you calibrate: its scores are others\n"
        "To go back, set what was set before, and do the same."
    )


def _with_encoder(settings: Settings, folder: Path) -> Settings:
    chosen = settings.encoder.model_copy(update={"model": str(folder), "revision": None})
    return settings.model_copy(update={"encoder": chosen})


def _certificate(plan: TuningPlan, scores: list[Score]) -> dict[str, Any]:
    return {
        "kind": KIND,
        "begun_from": asdict(plan.origin),
        "compared_with": plan.base,
        "identity": plan.identity,
        "settings": asdict(plan.how),
        "examples": {"learned": len(plan.learned.texts), "held_out": len(plan.questions.held_out.texts)},
        "figures": [asdict(score) for score in scores],
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def _remember(root: Path, plan: TuningPlan, done: Tuning) -> None:
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "identity": plan.identity,
        "base": plan.base,
        "folder": None if done.folder is None else str(done.folder),
        "told": told(done),
        "figures": [asdict(score) for score in done.scores],
    }
    try:
        write_record(root / _LAST, content)
    except OSError as error:
        raise PublishError(f"{root / _LAST} cannot be written: {error}. Make room.") from error
