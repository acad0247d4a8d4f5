"""From the log to a better adapter, as a nightly job: curate, train, compare, and promote or say why not.

A cycle that was killed is gone on with: the training from its last checkpoint, the comparison from its beginning. What
was trained on or compared before is not done again, so a night without news costs little.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog

from bot.answering.registry import AdapterRegistry
from bot.errors import BotError
from bot.models import adapter_registry
from bot.settings import Settings
from bot.upkeep.calibration.running import calibrate_again
from finetune.curation.curate import CurationSettings
from finetune.curation.dataset import Dataset, load_dataset_folder
from finetune.cycle_folder import BROKEN, FOLDER, LAST, STATE, alone, now
from finetune.encoder_tuning import tune_if_new
from finetune.errors import DatasetDamaged, FinetuneError, GateRefused, NothingToLearn, TooFewJudged
from finetune.evaluation.evaluate import evaluate
from finetune.evaluation.promote import Verdict, find_verdict, promote, store_evaluation
from finetune.examples.lessons import TALKS
from finetune.search_training import teach_search, unlearn
from finetune.search_training import told as found
from finetune.tongues import NOTHING, TOLD, Told, as_it_is, filled, joined, read_words
from finetune.training.callbacks import Reporter
from finetune.training.dataset_training import Stages, plan_training, run_training
from finetune.training.intent_training import teach_intents, told
from finetune.training_set import make_training_set
from retrieval.encoder import Encoder
from retrieval.errors import RetrievalError
from retrieval.publish import current, read_record, write_record

_BY = "cycle"
_WORDS = read_words(TOLD)["cycle"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class CycleReport:
    """What a cycle came to. `reasons` say why the candidate does not serve; none if it does."""

    dataset: str
    candidate: str
    over: str  # what served before
    promoted: bool
    reasons: tuple[Told, ...]
    gains: tuple[Told, ...]
    report: str | None  # path of the evaluation
    conversations: Mapping[str, int]  # by side
    dropped: Mapping[str, int]  # turns that were not learned from, by reason
    metrics: Mapping[str, Any]  # of the training
    intents: Told  # what came of the labelled questions
    search: Told  # what came of the judged questions
    encoder: Told  # what came of tuning the encoder, if it was asked for
    thresholds: Told  # what came of calibrating them again
    seconds: Mapping[str, float] = field(default_factory=dict)  # by step
    resumed: bool = False


def run_cycle(
    settings: Settings,
    encoder: Encoder,
    *,
    how: CurationSettings | None = None,
    limit: int | None = None,
    lessons: Path | None = TALKS,
    tune: bool = False,
    stages: Stages = lambda *_: None,
    report: Reporter | None = None,
) -> CycleReport:
    """Run one cycle.

    Args:
        settings: the bot's; its index must exist.
        encoder: the bot's.
        how: of the curation.
        limit: most questions of the comparison.
        lessons: written lessons to mix in; None for none.
        tune: whether the encoder is tuned on the intents, too; a person decides whether it is used.
        stages: told which step is how far.
        report: told how far the training is.

    Raises:
        CycleBusy: another cycle runs; says which.
        FinetuneError: nothing can be learned, the training diverged, or there is nothing to compare on.
        BotError, RetrievalError: the model, the index or the registry cannot be used.
    """
    folder = settings.var / FOLDER
    with alone(folder):
        (folder / BROKEN).unlink(missing_ok=True)
        try:
            done = _run(
                _Job(settings, encoder, adapter_registry(settings), how, limit, lessons, tune, stages, report)
            )
            write_record(folder / LAST, {"at": now(), **asdict(done)})
        except Exception as error:  # it would come again; only one that was killed is gone on with
            (folder / STATE).unlink(missing_ok=True)
            said = error.said if isinstance(error, FinetuneError) else as_it_is(str(error))
            with suppress(OSError):  # a full disk, say; why it broke off is raised all the same
                write_record(folder / BROKEN, {"at": now(), "said": said})
            raise
        (folder / STATE).unlink(missing_ok=True)
    log.info("cycle_done", candidate=done.candidate, promoted=done.promoted, reasons=len(done.reasons))
    return done


@dataclass(frozen=True)
class _Job:
    """What a cycle is run with; see `run_cycle`."""

    settings: Settings
    encoder: Encoder
    registry: AdapterRegistry
    how: CurationSettings | None
    limit: int | None
    lessons: Path | None
    tune: bool
    stages: Stages
    report: Reporter | None


def _run(job: _Job) -> CycleReport:
    watch = _Watch()
    with watch.step("curate"):
        dataset, resumed = _dataset(job)
    with watch.step("intents"):
        intents = _intents(job, dataset)
    with watch.step("search"):
        search = _search(job, dataset)
    tuned = NOTHING
    if job.tune:
        with watch.step("encoder"):
            tuned = as_it_is(tune_if_new(job.settings, job.encoder, lambda *stage: job.stages(*stage[:3])))
    with watch.step("prepare"):
        plan = plan_training(
            dataset, job.settings, job.encoder, job.registry, lessons=job.lessons, stages=job.stages
        )
    with watch.step("train"):
        trained = run_training(plan, job.report)
    candidate, over = plan.folder.name, job.registry.current()
    with watch.step("evaluate"):
        verdict = None if candidate == over else _verdict(job, candidate, over, dataset)
    reasons = _promoted_or(job, candidate, over, verdict)
    with watch.step("calibrate"):
        thresholds = _thresholds(job)
    return CycleReport(
        dataset=dataset.id,
        candidate=candidate,
        over=over,
        promoted=not reasons,
        reasons=reasons,
        gains=() if verdict is None else verdict.gains,
        report=None if verdict is None else str(verdict.path),
        conversations={side: len(dataset.side(side)) for side in ("train", "validation", "test")},
        dropped=plan.dropped,
        intents=intents,
        search=search,
        encoder=tuned,
        thresholds=thresholds,
        metrics=trained.metrics,
        seconds=watch.seconds,
        resumed=resumed,
    )


def _dataset(job: _Job) -> tuple[Dataset, bool]:
    """The training set of a cycle that was killed, or a new one; and whether it is the former."""
    state = job.settings.var / FOLDER / STATE
    begun = read_record(state).get("dataset")
    if isinstance(begun, str):
        try:
            return load_dataset_folder(Path(begun)), True
        except DatasetDamaged as error:
            log.warning("cycle_begins_anew", reason=str(error))
    job.stages("curate", 0, 1)
    try:
        dataset = load_dataset_folder(make_training_set(job.settings, job.how).folder)
    except NothingToLearn:  # and what the search learned of earlier sets may have been forgotten since
        unlearn(job.settings, job.encoder, job.stages)
        raise
    write_record(state, {"dataset": str(dataset.folder), "at": now()})
    job.stages("curate", 1, 1)
    return dataset, False


def _intents(job: _Job, dataset: Dataset) -> Told:
    """Learn from labelled questions, and say what came of it; too few of them end no cycle."""
    try:
        return told(teach_intents(dataset, job.settings, job.encoder))
    except TooFewJudged as error:
        return error.said


def _search(job: _Job, dataset: Dataset) -> Told:
    """Learn from what people judged, and say what came of it; too little of it ends no cycle."""
    try:
        return found(teach_search(dataset, job.settings, job.encoder, job.stages))
    except TooFewJudged as error:
        return error.said


def _thresholds(job: _Job) -> Told:
    """Calibrate for what serves now, if the team ever stated a budget; what cannot be calibrated ends no cycle."""
    try:
        found = calibrate_again(job.settings, job.encoder, progress=job.stages)
    except (BotError, RetrievalError) as error:
        return as_it_is(str(error))
    if found is None:
        return NOTHING
    learned = filled(_WORDS["thresholds"], judged=found.judged)
    return joined((learned, *map(as_it_is, found.warnings())), {"zh": "\n", "en": "\n"})


def _verdict(job: _Job, candidate: str, over: str, dataset: Dataset) -> Verdict:
    """What the comparison says; the same weights are not compared twice on the same knowledge."""
    known = find_verdict(candidate, over, job.settings, job.registry)
    index = current(job.settings.index_path)
    if known is not None and index is not None and known.answers_for(index.name, job.limit):
        return known
    found = evaluate(
        candidate, over, job.settings, job.encoder, dataset=dataset, limit=job.limit, report=job.stages
    )
    return store_evaluation(found, job.settings)


def _promoted_or(job: _Job, candidate: str, over: str, verdict: Verdict | None) -> tuple[Told, ...]:
    """Promote the candidate, or say why not."""
    if verdict is None:
        return (filled(_WORDS["nothing_new"], candidate=candidate),)
    try:
        promote(candidate, job.settings, job.registry, by=_BY)
    except GateRefused as refused:
        return verdict.reasons or (as_it_is(str(refused)),)
    return ()


class _Watch:
    """How long each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 2)
