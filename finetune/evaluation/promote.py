"""Promotes an adapter if its evaluation says so, or if a person insists and says why.

An evaluation counts for the very weights that were compared, and for what serves now: a candidate that was better than
last month's adapter need not be better than today's.

    var/evaluations/<candidate>--<current>.json    and .html, for people
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from bot.answering.registry import DEFAULT, NONE, AdapterRegistry, Promotion
from bot.settings import Settings
from finetune.compression.compress import try_export
from finetune.errors import EvaluationError, GateRefused
from finetune.evaluation.contenders import weights_of
from finetune.evaluation.evaluate import Evaluation
from finetune.evaluation.report import KIND, SCHEMA, write_report
from finetune.tongues import Told, as_it_is
from retrieval.publish import write_atomically

RECORD = "promotions.json"  # in the adapter's folder
_EVALUATIONS = "evaluations"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What an evaluation on disk says."""

    path: Path
    candidate: str
    current: str
    passed: bool
    reasons: tuple[Told, ...]
    gains: tuple[Told, ...]
    index: str
    limit: int | None  # most questions that were asked; None: all

    def answers_for(self, index: str, limit: int | None) -> bool:
        """Whether another comparison on this index, of so many questions, would find nothing more."""
        enough = self.limit is None or (limit is not None and self.limit >= limit)
        return self.index == index and enough


def evaluation_path(settings: Settings, candidate: str, current: str) -> Path:
    """Where the evaluation of one adapter beside another lies; the page lies beside it, as `.html`."""
    name = "--".join(Path(each).name for each in (candidate, current))
    return settings.var / _EVALUATIONS / f"{name}.json"


def store_evaluation(evaluation: Evaluation, settings: Settings) -> Verdict:
    """Keep an evaluation where `promote` looks for it, as JSON and as a page.

    Raises:
        EvaluationError: it cannot be written.
    """
    path = evaluation_path(settings, evaluation.candidate, evaluation.current)
    write_report(evaluation, json_path=path, html_path=path.with_suffix(".html"))
    return _read_verdict(path)[0]


def find_verdict(
    candidate: str, current: str, settings: Settings, registry: AdapterRegistry
) -> Verdict | None:
    """The verdict on a candidate beside a current one; None if these weights were never compared.

    Raises:
        EvaluationError: the evaluation cannot be read.
        AdapterRefused: an adapter is not there or does not fit.
    """
    path = evaluation_path(settings, candidate, current)
    if not path.exists():
        return None
    verdict, weights = _read_verdict(path)
    known = {"candidate": weights_of(candidate, registry), "current": weights_of(current, registry)}
    return verdict if weights == known else None


def _read_verdict(path: Path) -> tuple[Verdict, object]:
    """What an evaluation says, and the weights that it is about.

    Raises:
        EvaluationError: it cannot be read.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["kind"] != KIND or content["schema"] > SCHEMA:
            raise EvaluationError(
                f"{path} is a {content['kind']!r} of version {content['schema']}; this Kefu reads {KIND!r} up to version "
                f"{SCHEMA}. Update Kefu, or evaluate again."
            )
        weights = content["weights"]
        verdict = Verdict(
            path=path,
            candidate=content["candidate"],
            current=content["current"],
            passed=content["gate"]["passed"] is True,
            reasons=_sentences(content["gate"]["reasons"]),
            gains=_sentences(content["gate"]["gains"]),
            index=content["index"],
            limit=content["limit"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"{path} cannot be read: {error!r}. Delete it and run `kefu evaluate` again."
        ) from error
    return verdict, weights


def _sentences(said: list[Told | str]) -> tuple[Told, ...]:
    """Sentences of a verdict, also of one that an older Kefu wrote, in English only."""
    return tuple(as_it_is(each) if isinstance(each, str) else each for each in said)


def promote(
    candidate: str,
    settings: Settings,
    registry: AdapterRegistry,
    *,
    by: str,
    force: str | None = None,
) -> Promotion:
    """Let an adapter serve, if it passed against what serves now, or by force.

    Args:
        candidate: its id, "default" or "none".
        settings: the bot's.
        registry: where adapters are.
        by: who decides.
        force: why a person overrules the evaluation; kept with the promotion. None: nobody does.

    Raises:
        GateRefused: it was not compared with what serves now, or did not pass; says why.
        EvaluationError: its evaluation cannot be read, or no reason is given for the force.
        AdapterRefused: it is not there, is damaged, or does not fit.
        RegistryError: what serves cannot be read or written.
    """
    if force is not None and not force.strip():
        raise EvaluationError("Whoever forces a promotion must say why: `--force 'the reason'`.")
    folder = registry.find(candidate)
    current = registry.current()
    verdict = find_verdict(candidate, current, settings, registry)
    if force is None:
        _check(candidate, current, verdict)
    if folder is not None:  # before it serves, so that a running bot never loads the slower form
        try_export(folder, settings)
    gains = () if verdict is None else verdict.gains
    promotion = registry.promote(
        candidate,
        by=by,
        reason=" ".join(gain["en"] for gain in gains) if force is None else force,
        forced=force is not None,
        report=None if verdict is None else str(verdict.path),
    )
    _record(candidate, current, registry, promotion, verdict)
    return promotion


def _check(candidate: str, current: str, verdict: Verdict | None) -> None:
    if candidate == current:
        raise GateRefused(f"{candidate!r} serves already. `kefu adapters` lists the others.")
    if verdict is None:
        raise GateRefused(
            f"{candidate!r} was never compared with {current!r}, which serves now. Run `kefu evaluate {candidate}`, or "
            "promote it with `--force 'the reason'`."
        )
    if not verdict.passed:
        reasons = "".join(f"\n  - {reason['en']}" for reason in verdict.reasons)
        raise GateRefused(
            f"{candidate!r} is not to be promoted over {current!r}:{reasons}\nSee {verdict.path.with_suffix('.html')}. "
            "Promote it all the same with `--force 'the reason'`."
        )


def _record(
    candidate: str,
    current: str,
    registry: AdapterRegistry,
    promotion: Promotion,
    verdict: Verdict | None,
) -> None:
    """Add the promotion to the adapter's own record, which goes where the adapter goes."""
    folder = registry.find(candidate)
    if folder is None or candidate in (NONE, DEFAULT):
        return
    path = folder / RECORD
    gate = None if verdict is None else {"passed": verdict.passed, "reasons": verdict.reasons}
    row = {**asdict(promotion), "over": current, "gate": gate}
    try:
        before = json.loads(path.read_text("utf-8")) if path.exists() else []
        write_atomically(path, json.dumps([*before, row], ensure_ascii=False, indent=2).encode() + b"\n")
    except (OSError, ValueError, TypeError) as error:  # it serves already; serving.json says all of this, too
        log.warning("promotion_not_recorded", adapter=candidate, reason=repr(error))
