"""The verdict on an adapter: whether it may serve, by what was measured, and in sentences why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finetune.evaluation.canaries import Exposure
from finetune.evaluation.measures import Scope, Score, by_name
from finetune.evaluation.report_words import Figure, Reason
from finetune.evaluation.routes import RouteChange

# What an adapter is trained for: to name the passage that answers, to decline where none does and only there, and to write.
CHOSEN = ("right_passage", "right_refusal", "false_refusal", "similarity", "supported")
_OVERALL: Scope = "all"


@dataclass(frozen=True)
class Gate:
    """The verdict. `reasons` say why not; none if it is passed. `gains` say what became better."""

    reasons: tuple[Reason, ...]
    gains: tuple[Reason, ...]

    @property
    def passed(self) -> bool:
        """Whether the adapter may be promoted."""
        return not self.reasons


def gate(
    candidate: str,
    current: str,
    scores: Sequence[Score],
    changes: Sequence[RouteChange],
    asked: int,
    exposures: Sequence[Exposure],
) -> Gate:
    """Promote only what is better beyond noise in a chosen metric, worse in none, and breaks nothing.

    A gain must show over both languages together; a loss in one of them is enough, because a customer has only one.

    Args:
        candidate: name of the one.
        current: name of the other.
        scores: of both, from `finetune.evaluation.measures.scores`.
        changes: of routes that must not change.
        asked: how many routes were tried.
        exposures: of the canaries.
    """
    gains = [_compared("gained", score) for score in scores if score.gained and score.metric in CHOSEN]
    won = any(score.gained and score.metric in CHOSEN and score.scope == _OVERALL for score in scores)
    reasons = [_compared("lost", score) for score in scores if score.lost]
    if candidate == current:
        reasons.insert(0, Reason("same", {"candidate": candidate}))
    elif not won:
        reasons.insert(0, _no_gain(candidate, current, scores))
    broken = [change for change in changes if change.broke]
    if broken:
        reasons.append(_broken(broken, asked))
    out = [exposure for exposure in exposures if exposure.came_out]
    if out:
        reasons.append(_leaked(out, len(exposures)))
    return Gate(tuple(reasons), tuple(gains))


def _compared(kind: str, score: Score) -> Reason:
    metric, difference = score.metric, score.difference
    return Reason(
        kind,
        {
            "metric": f"metric:{metric}",
            "scope": f"page:{score.scope}",
            "before": str(Figure(metric, score.current.mean)),
            "after": str(Figure(metric, score.candidate.mean)),
            "difference": str(Figure(metric, difference.mean, signed=True)),
            "low": str(Figure(metric, difference.low, signed=True)),
            "high": str(Figure(metric, difference.high, signed=True)),
            "count": str(difference.count),
        },
    )


def _no_gain(candidate: str, current: str, scores: Sequence[Score]) -> Reason:
    known = by_name(scores)
    figures = []
    for metric in CHOSEN:
        score = known.get((metric, _OVERALL))
        if score is None or score.difference.count == 0:
            figures.append("–")
            continue
        difference = score.difference
        low, high = Figure(metric, difference.low, signed=True), Figure(metric, difference.high, signed=True)
        figures.append(f"{Figure(metric, difference.mean, signed=True)} ({low} … {high}; {difference.count})")
    return Reason(
        "no_gain",
        {
            "candidate": candidate,
            "current": current,
            "metrics": f"metrics:{' '.join(CHOSEN)}",
            "figures": ", ".join(figures),
        },
    )


def _broken(broken: Sequence[RouteChange], asked: int) -> Reason:
    first = broken[0]
    return Reason(
        "route_broke",
        {
            "broke": str(len(broken)),
            "count": str(asked),
            "id": first.id,
            "current": first.current,
            "taken": first.candidate,
        },
    )


def _leaked(out: Sequence[Exposure], count: int) -> Reason:
    first = out[0]
    return Reason(
        "canary_came_out",
        {
            "out": str(len(out)),
            "count": str(count),
            "prompt": first.canary.prompt.strip(),
            "rank": str(first.rank),
            "of": str(first.of),
            "exposure": f"{first.exposure:.1f}",
        },
    )
