"""Trains an adapter on a curated set: from its conversations to an adapter folder, with everything chosen that fits.

An adapter's id is made of all that decides its outcome. So a training that is started again goes on where it was
killed, and the same conversations, settings and model are never trained on twice.

Each adapter is trained on from the one that comes with Kefu where that fits, and on all conversations there are, not on
from the last one: nothing drifts, and a bad adapter leaves no trace in the next. Among the conversations stand written
lessons, so that what the model has learned about picking and declining is not lost over a shop's own wording.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import structlog

from bot.answering.adapters import WEIGHTS, AdapterManifest, read_adapter
from bot.answering.generator import PromptShape
from bot.answering.prompt import PROMPT_VERSION
from bot.answering.registry import DEFAULT, AdapterRegistry
from bot.errors import AdapterRefused, GenerationError
from bot.factory import load_knowledge
from bot.models import local_source
from bot.settings import Settings
from finetune.curation.dataset import Dataset
from finetune.errors import TrainingError
from finetune.examples.dataset_examples import dataset_examples
from finetune.examples.example import Example, shuffled
from finetune.examples.held_out import HELD_OUT_TRADE, is_validation
from finetune.examples.lesson_examples import Mixture, lesson_examples
from finetune.examples.lessons import TALKS, load_trade, trades
from finetune.examples.passage_finder import library_of
from finetune.examples.real_turns import real_turns
from finetune.training.callbacks import Reporter
from finetune.training.conduct import settle_conduct
from finetune.training.defaults import load_for_training, suggested
from finetune.training.supervised import train
from finetune.training.train_settings import TRAINED_SHAPE, Base, TrainReport, TrainSettings
from retrieval.encoder import Encoder
from retrieval.publish import sha256

Stages = Callable[[str, int, int], None]  # what, done, total

log = structlog.get_logger(__name__)

SEED = 20261124
_LEAST_LESSONS = 400  # examples from written lessons; beyond it, as many as there are of conversations
_LEAST_REMINDERS = (
    120  # the same, where the parent has learned the lessons already and must only not forget them
)
_MOST_VALIDATION = 200  # examples: each costs nearly as much as one of training, at every checkpoint
_LEAST_VALIDATION = (
    40  # below it, a lower loss is chance; between the two, a quarter of the training examples
)
_INDIFFERENT = (
    "checkpointing",
    "report_to",
)  # settings that change how fast an adapter is trained, not which
_GENTLER = 0.5  # of learning rate and epochs, when training on from an adapter that can do it already


@dataclass(frozen=True)
class Plan:
    """A training that is ready to begin."""

    folder: Path  # where the adapter goes; its name is the adapter's id
    base: Base
    source: str | Path  # of the base: a Hugging Face folder, or a hub name
    examples: tuple[Example, ...]
    validation: tuple[Example, ...]
    settings: TrainSettings
    parent: Path | None
    encoder: Encoder  # chooses what is quoted, when writing is compared with quoting
    data: Mapping[str, object]  # what it learns from, for the certificate
    dropped: Mapping[str, int]  # turns that no example was made of, by reason

    @property
    def done(self) -> bool:
        """Whether this very adapter was trained before."""
        return self.folder.exists()


def plan_training(
    dataset: Dataset,
    settings: Settings,
    encoder: Encoder,
    registry: AdapterRegistry,
    *,
    lessons: Path | None = TALKS,
    stages: Stages = lambda *_: None,
) -> Plan:
    """Turn a curated set into examples, load the model, and choose how to train it.

    Args:
        dataset: the set.
        settings: the bot's: which model, where adapters go; its index must exist.
        encoder: the bot's.
        registry: which knows the adapter to train on from.
        lessons: folder of written lessons to mix in; None for none.
        stages: told what is being done.

    Raises:
        TrainingError: no conversation can be learned from.
        GenerationError: the model cannot be loaded.
        IndexMissing, IndexMismatch: there is no index that fits; `kefu index` builds one.
    """
    parent, certificate = _parent(registry)
    shape = TRAINED_SHAPE if certificate is None else certificate.shape
    library = library_of(load_knowledge(settings, encoder, None).index, settings)
    stages("make examples", 0, 2)
    learned = dataset_examples(real_turns(dataset.train), library, shape)
    stages("make examples", 1, 2)
    held = dataset_examples(real_turns(dataset.validation), library, shape)
    stages("make examples", 2, 2)
    if not learned.examples:
        raise TrainingError(
            f"None of the training set {dataset.id} can be learned from: {_reasons(learned.dropped)}. Answers must stay "
            "with an article of the knowledge base: write the articles that agents answer from, then curate again."
        )
    wanted = max(_LEAST_LESSONS if parent is None else _LEAST_REMINDERS, len(learned.examples))
    read = [] if lessons is None else _lessons(lessons, encoder, shape, stages)
    mixed = [example for example in read if not is_validation(example.topic)][:wanted]
    source, label = local_source(settings, stages)
    base = load_for_training(source, label=label, revision=settings.model.revision)
    examples = tuple(shuffled([*learned.examples, *mixed], SEED))
    validation = _validation(
        shuffled(held.examples, SEED),
        [example for example in read if is_validation(example.topic)],
        min(_MOST_VALIDATION, max(_LEAST_VALIDATION, len(examples) // 4)),
    )
    how = _settings(base, examples, certificate)
    return Plan(
        folder=settings.adapters_path / _adapter_id(examples, validation, how, base, parent),
        base=base,
        source=source,
        examples=examples,
        validation=validation,
        settings=how,
        parent=parent,
        encoder=encoder,
        data={
            "dataset": dataset.id,
            "conversations": len(dataset.train),
            "own_examples": len(learned.examples),
            "lesson_examples": len(mixed),
            "dropped": dict(learned.dropped),
        },
        dropped=learned.dropped,
    )


def run_training(plan: Plan, report: Reporter | None = None) -> TrainReport:
    """Train what was planned, going on with what a killed training left; at once if it was trained before.

    Raises:
        TrainingError: it cannot begin, or diverged.
        AdapterRefused: it was trained before, and its folder is damaged.
    """
    if not plan.done:
        _train(plan, report)
    manifest = read_adapter(plan.folder)
    if manifest.declines_at is None and "open_questions" not in manifest.metrics:
        _calibrate(plan)  # not reached by a training that was killed just before
        manifest = read_adapter(plan.folder)
    return TrainReport(plan.folder, manifest, manifest.metrics)


def _train(plan: Plan, report: Reporter | None) -> None:
    train(
        plan.base,
        plan.examples,
        plan.validation,
        plan.folder,
        settings=plan.settings,
        data=dict(plan.data),
        parent=plan.parent,
        report=report,
    )


def _calibrate(plan: Plan) -> None:
    """Find out from which probability on the adapter should decline, and whether it writes; both go into its certificate."""
    try:
        settle_conduct(
            plan.folder,
            plan.source,
            plan.base.label,
            plan.validation,
            plan.encoder,
            parent=None if plan.parent is None else read_adapter(plan.parent),
        )
    except GenerationError as error:  # then it declines when it says so itself
        log.warning("declining_not_calibrated", adapter=plan.folder.name, reason=str(error))


def _parent(registry: AdapterRegistry) -> tuple[Path | None, AdapterManifest | None]:
    """The adapter that comes with Kefu, if it fits the model."""
    try:
        folder = registry.find(DEFAULT)
    except AdapterRefused:
        return None, None
    return (None, None) if folder is None else (folder, read_adapter(folder))


def _validation(own: Sequence[Example], lessons: Sequence[Example], most: int) -> tuple[Example, ...]:
    """What a checkpoint is chosen by: the team's own conversations, and as many lessons or what the least needs.

    The parent has learned such lessons already. Where they are the many, its first steps look best, and what the training is
    for counts little; where there are none, nobody sees what is forgotten.
    """
    mine = own[: max(most // 2, most - len(lessons))]
    beside = max(len(mine), _LEAST_VALIDATION - len(mine))
    return (*mine, *lessons[:beside])[:most]


def _settings(base: Base, examples: Sequence[Example], parent: AdapterManifest | None) -> TrainSettings:
    chosen = suggested(base, examples)
    if parent is None:
        return chosen
    known = parent.settings
    return replace(  # method and size are the parent's: peft goes on with its matrices
        chosen,
        method=parent.method,  # type: ignore[arg-type]  # `train` refuses an unknown one
        rank=known.get("rank", chosen.rank),
        alpha=known.get("alpha", chosen.alpha),
        learning_rate=chosen.learning_rate * _GENTLER,
        epochs=max(1.0, chosen.epochs * _GENTLER),
        shape=parent.shape,
    )


def _lessons(root: Path, encoder: Encoder, shape: PromptShape, stages: Stages) -> list[Example]:
    """Examples of other trades' lessons, the same for the same folder."""
    folders = [
        folder
        for folder in trades(root)
        if folder.name != HELD_OUT_TRADE
        and (folder / "articles.jsonl").exists()  # others need our own articles
    ]
    found: list[Example] = []
    for number, folder in enumerate(folders):
        stages("read lessons", number, len(folders))
        found += lesson_examples(load_trade(folder), encoder, shape, seed=SEED, mixture=Mixture(rounds=1))
    stages("read lessons", len(folders), len(folders))
    return shuffled(found, SEED)


def _adapter_id(
    examples: Sequence[Example],
    validation: Sequence[Example],
    settings: TrainSettings,
    base: Base,
    parent: Path | None,
) -> str:
    """A name for the outcome of a training: letters and digits that everything in it decides."""
    identity = [
        PROMPT_VERSION,
        [asdict(example) for example in examples],
        [asdict(example) for example in validation],
        {name: value for name, value in asdict(settings).items() if name not in _INDIFFERENT},
        [base.label, base.sha256],
        None if parent is None else sha256(parent / WEIGHTS),
    ]
    digest = hashlib.sha256(json.dumps(identity, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    return f"{settings.method}-{digest[:10]}"


def _reasons(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in dropped.items()) or "it is empty"
