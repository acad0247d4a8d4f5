"""Compares two adapters on the same questions: what each answers, what must not change, what must not come out.

Both are loaded one after the other, so that no more memory is needed than for serving.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bot.answering.model_loading import load_model
from bot.answering.registry import AdapterRegistry
from bot.factory import load_knowledge
from bot.golden import load_golden
from bot.models import adapter_registry, local_source
from bot.settings import Settings
from finetune.curation.dataset import Dataset
from finetune.errors import EvaluationError
from finetune.evaluation.canaries import Exposure, Prober, exposures, read_canaries
from finetune.evaluation.cases import Case, Cases, golden_cases, spread, talk_cases
from finetune.evaluation.contenders import Contender, adapter_of, load_contender, weights_of
from finetune.evaluation.gate import Gate, gate
from finetune.evaluation.measures import METRICS, Observed, Score, observe, scores
from finetune.evaluation.routes import Fixed, RouteChange, Taken, changes, fixed_questions, routes
from finetune.examples.passage_finder import library_of
from finetune.examples.real_turns import real_turns
from retrieval.encoder import Encoder

Reporter = Callable[[str, int, int], None]  # stage, done, total
_WORST = 10
_SEED = 20261124

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Change:
    """A question to which the candidate answers worse. `worse_by` adds up what `fell`, a whole share being 1."""

    id: str
    origin: str
    question: str
    reference: str
    current: str
    candidate: str
    worse_by: float
    fell: tuple[str, ...]  # names of metrics


@dataclass(frozen=True)
class Evaluation:
    """All that was found out about a candidate beside the current one."""

    candidate: str
    current: str
    weights: Mapping[str, str | None]  # SHA-256 of the adapter of the candidate and of the current one
    model: str
    index: str  # generation
    made_at: str  # ISO 8601, UTC
    dataset: str | None
    limit: int | None  # most cases; None: all there were
    cases: Mapping[str, int]  # by origin
    left_out: Mapping[str, int]  # by reason
    scores: tuple[Score, ...]
    worst: tuple[Change, ...]
    asked: int  # questions whose route must not change
    changes: tuple[RouteChange, ...]
    exposures: tuple[Exposure, ...]
    gate: Gate


@dataclass(frozen=True)
class _Run:
    """What one contender did."""

    observed: tuple[Observed, ...]
    taken: Mapping[str, Taken]


@dataclass(frozen=True)
class _Plan:
    """What both are asked."""

    cases: tuple[Case, ...]
    left_out: Mapping[str, int]
    fixed: tuple[Fixed, ...]
    index: str


def evaluate(
    candidate: str,
    current: str,
    settings: Settings,
    encoder: Encoder,
    *,
    dataset: Dataset | None = None,
    limit: int | None = None,
    report: Reporter = lambda *_: None,
) -> Evaluation:
    """Compare two contenders.

    Args:
        candidate: what might be promoted: an adapter's id, "default", "base" (the bare model) or "none".
        current: what it is compared with, in the same words.
        settings: the bot's; its index must exist.
        encoder: the bot's.
        dataset: whose test side is asked as well, and whose canaries are looked for.
        limit: most cases; what must not change is always asked in full.
        report: told how far it is.

    Raises:
        EvaluationError: there is nothing to compare them on, or a golden question is wrong.
        AdapterRefused: one is not there or does not fit.
        GenerationError: the model cannot be loaded or failed.
        IndexMissing, IndexMismatch: there is no index that fits; `kefu index` builds one.
        SettingsError: no model is set that could carry an adapter.
    """
    registry = adapter_registry(settings)
    plan = _plan(settings, encoder, dataset, limit)
    runs = _runs({"candidate": candidate, "current": current}, plan, settings, registry, encoder, report)
    found = scores(runs["candidate"].observed, runs["current"].observed)
    changed = changes(plan.fixed, runs["candidate"].taken, runs["current"].taken)
    exposed = _exposures(candidate, settings, registry, dataset, report)
    return Evaluation(
        candidate=candidate,
        current=current,
        weights={"candidate": weights_of(candidate, registry), "current": weights_of(current, registry)},
        model=registry.base.label,
        index=plan.index,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        dataset=None if dataset is None else dataset.id,
        limit=limit,
        cases={origin: sum(case.origin == origin for case in plan.cases) for origin in ("golden", "talks")},
        left_out=plan.left_out,
        scores=tuple(found),
        worst=tuple(_worst(runs["candidate"].observed, runs["current"].observed)),
        asked=len(plan.fixed),
        changes=tuple(changed),
        exposures=tuple(exposed),
        gate=gate(candidate, current, found, changed, len(plan.fixed), exposed),
    )


def _plan(settings: Settings, encoder: Encoder, dataset: Dataset | None, limit: int | None) -> _Plan:
    knowledge = load_knowledge(settings, encoder, None)
    library = library_of(knowledge.index, settings)
    golden = load_golden(settings.knowledge_base)
    found = golden_cases(golden, library)
    talks = Cases((), {}) if dataset is None else talk_cases(real_turns(dataset.test), library)
    cases = (*found.cases, *talks.cases)
    if not cases:
        raise EvaluationError(
            f"There is nothing to compare adapters on: {settings.knowledge_base}/golden.jsonl has no question that can "
            "be judged, and no training set with a test side is given. Write golden questions, or curate a training set."
        )
    left_out = Counter(found.left_out) + Counter(talks.left_out)
    fixed = fixed_questions(golden, knowledge.content)
    chosen = cases if limit is None else spread(cases, limit)
    return _Plan(chosen, dict(left_out), tuple(fixed), knowledge.provenance.index)


def _runs(
    names: Mapping[str, str],
    plan: _Plan,
    settings: Settings,
    registry: AdapterRegistry,
    encoder: Encoder,
    report: Reporter,
) -> dict[str, _Run]:
    """Ask both, by side.

    Each case is asked of both right after one another, because how long an answer takes depends on what else the machine
    does; and who comes first changes each time, because the first one pays for encoding what both quote.
    """
    contenders: dict[str, Contender] = {}
    observed: dict[str, list[Observed]] = {side: [] for side in names}
    total = len(plan.cases) + len(names) * len(plan.fixed)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        report("ask both", done, total)

    try:
        for side, name in names.items():
            contenders[side] = load_contender(name, settings, registry, encoder)
        for number, case in enumerate(plan.cases):
            for side in sorted(names, reverse=number % 2 == 1):
                observed[side].append(observe(case, contenders[side].answer(case)))
            tick()
        taken = {
            side: routes(plan.fixed, settings, encoder, contender.generator, tick)
            for side, contender in contenders.items()
        }
    finally:
        for contender in contenders.values():
            contender.close()
    log.info("contenders_asked", **names, questions=total)
    return {side: _Run(tuple(observed[side]), taken[side]) for side in names}


def _exposures(
    candidate: str,
    settings: Settings,
    registry: AdapterRegistry,
    dataset: Dataset | None,
    report: Reporter,
) -> list[Exposure]:
    """How far the training set's canaries come out; nothing can come out of what was not trained."""
    canaries = [] if dataset is None else read_canaries(dataset.manifest)
    adapter = adapter_of(candidate, registry)
    if not canaries or adapter is None:
        return []
    report("look for canaries", 0, 1)
    source, label = local_source(settings, report)
    revision, device = settings.model.revision, settings.model.device

    def probe(adapter: Path | None) -> Prober:
        loaded = load_model(source, label=label, revision=revision, device=device, adapter=adapter)
        return Prober(loaded.model, loaded.tokenizer)

    found = exposures(canaries, probe(adapter), lambda: probe(None), seed=_SEED)
    report("look for canaries", 1, 1)
    return found


def _worst(candidate: Sequence[Observed], current: Sequence[Observed]) -> list[Change]:
    """The questions to which the candidate answers worse, the worst first."""
    found = []
    shares = [metric for metric in METRICS if metric.unit == "share"]
    for mine, theirs in zip(candidate, current, strict=True):
        falls = {metric.name: metric.fall(mine, theirs) for metric in shares}
        worse_by = sum(falls.values())
        if worse_by <= 0:
            continue
        fell = sorted((name for name, fall in falls.items() if fall > 0), key=lambda name: -falls[name])
        case = mine.case
        found.append(
            Change(
                id=case.id,
                origin=case.origin,
                question=case.question,
                reference=case.reference,
                current=theirs.answered.text,
                candidate=mine.answered.text,
                worse_by=worse_by,
                fell=tuple(fell),
            )
        )
    found.sort(key=lambda change: (-change.worse_by, change.id))
    return found[:_WORST]
