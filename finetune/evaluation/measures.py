"""What is measured of an answer, and how sure the difference between two contenders is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.prompt import PromptPassage
from bot.conversation import Language
from finetune.curation.likeness import word_f1
from finetune.evaluation.cases import Case
from finetune.evaluation.contenders import Answered
from finetune.evaluation.judging import Judged, judge, same_language
from finetune.evaluation.statistics import Estimate, estimate, paired_difference
from finetune.examples.example import Example
from finetune.examples.passage_finder import whole_text
from retrieval.chunking import width

Scope = Literal["all", "zh", "en"]
Better = Literal["higher", "lower", "neither"]
SCOPES: tuple[Scope, ...] = ("all", "zh", "en")


@dataclass(frozen=True)
class Observed:
    """An answer beside its case; `judged` is what the model wrote, judged; None if it wrote nothing."""

    case: Case
    answered: Answered
    judged: Judged | None


@dataclass(frozen=True)
class Metric:
    """Something that is measured of each answer; None where there is nothing to measure.

    `better` says which way is better, if any. `slack` is how much worse the mean may become, as a share of the current
    one's, and `imperceptible` how much it may in any case: a tenth of a second more is no reason to refuse an adapter,
    however sure it is.
    """

    name: str
    better: Better
    of: Callable[[Observed], float | None]
    unit: Literal["share", "width", "seconds"] = "share"
    slack: float = 0.0
    imperceptible: float = 0.0

    def fall(self, candidate: Observed, current: Observed) -> float:
        """How much worse the candidate is in one case; 0 where either has no value."""
        mine, theirs = self.of(candidate), self.of(current)
        if mine is None or theirs is None:
            return 0.0
        return {"higher": theirs - mine, "lower": mine - theirs, "neither": 0.0}[self.better]


@dataclass(frozen=True)
class Score:
    """One metric of both contenders on the cases of one scope; `difference` is candidate minus current, paired."""

    metric: str
    scope: Scope
    candidate: Estimate
    current: Estimate
    difference: Estimate
    better: Better
    slack: float  # in the metric's unit

    @property
    def gained(self) -> bool:
        """Whether the candidate is better beyond noise: the whole 95 % interval says so."""
        return {
            "higher": self.difference.above_zero,
            "lower": self.difference.below_zero,
            "neither": False,
        }[self.better]

    @property
    def lost(self) -> bool:
        """Whether the candidate is worse beyond noise, by more than the slack."""
        known = self.difference.count > 0
        return {
            "higher": known and self.difference.high < -self.slack,
            "lower": known and self.difference.low > self.slack,
            "neither": False,
        }[self.better]


def observe(case: Case, answered: Answered) -> Observed:
    """Judge an answer."""
    draft = answered.draft
    return Observed(case, answered, None if draft is None else judge(_example(case), draft))


def _example(case: Case) -> Example:
    """The case as drafts are judged: with all that a sentence may rest on."""
    passages = tuple(
        PromptPassage(number, hit.passage.title, whole_text(hit.passage))
        for number, hit in enumerate(case.hits, start=1)
    )
    source = min(case.right) + 1 if case.right else 0
    return Example(case.id, case.language, passages, case.history, case.question, source, case.reference)


def _supported(seen: Observed) -> float | None:
    return None if seen.judged is None else seen.judged.supported


def _numbers_exact(seen: Observed) -> float | None:
    exact = None if seen.judged is None else seen.judged.numbers_exact
    return None if exact is None else float(exact)


def _repeats(seen: Observed) -> float | None:
    return None if seen.judged is None else float(seen.judged.repeats)


def _right_refusal(seen: Observed) -> float | None:
    return float(seen.answered.declined) if seen.case.answerable is False else None


def _false_refusal(seen: Observed) -> float | None:
    return float(seen.answered.declined) if seen.case.answerable is True else None


def _right_passage(seen: Observed) -> float | None:
    """Whether the answer rests first on an article that answers."""
    if not seen.case.right or not seen.answered.cited:
        return None
    articles = {seen.case.hits[place].passage.article_id for place in seen.case.right}
    return float(seen.case.hits[seen.answered.cited[0]].passage.article_id in articles)


def _similarity(seen: Observed) -> float | None:
    return word_f1(seen.answered.text, seen.case.reference) if seen.case.reference else None


def _right_language(seen: Observed) -> float | None:
    return None if seen.answered.declined else float(same_language(seen.answered.text, seen.case.language))


def _length(seen: Observed) -> float | None:
    return None if seen.answered.declined else float(width(seen.answered.text))


def _seconds_to_first(seen: Observed) -> float | None:
    """Only of drafts: a composed answer is always faster, and that is no reason to refuse every adapter."""
    return None if seen.judged is None else seen.answered.seconds_to_first


def _seconds(seen: Observed) -> float | None:
    return None if seen.judged is None else seen.answered.seconds


METRICS = (
    Metric("supported", "higher", _supported),  # share of the drafted sentences that a passage supports
    Metric("right_refusal", "higher", _right_refusal),  # share of questions without an answer
    Metric("false_refusal", "lower", _false_refusal),  # share of questions with one
    Metric(
        "numbers_exact", "higher", _numbers_exact
    ),  # share of the drafts whose numbers all stand in passages
    Metric("right_passage", "higher", _right_passage),  # share of the answers
    Metric("similarity", "higher", _similarity),  # F1 of words with the reference
    Metric("right_language", "higher", _right_language),  # share of the answers
    Metric("repeats", "lower", _repeats),  # share of the drafts
    Metric("length", "neither", _length, unit="width"),
    Metric("seconds_to_first", "lower", _seconds_to_first, unit="seconds", slack=0.25, imperceptible=0.1),
    Metric("seconds", "lower", _seconds, unit="seconds", slack=0.25, imperceptible=0.1),
)


def scores(candidate: Sequence[Observed], current: Sequence[Observed]) -> list[Score]:
    """Every metric in every scope that has cases.

    Args:
        candidate: its answers.
        current: the other's, to the same cases in the same order.

    Raises:
        ValueError: they are not of the same cases.
    """
    if [one.case.id for one in candidate] != [other.case.id for other in current]:
        raise ValueError(
            "The two contenders did not answer the same cases in the same order. Ask both again."
        )
    found = []
    for scope in SCOPES:
        mine = [seen for seen in candidate if _within(seen, scope)]
        theirs = [seen for seen in current if _within(seen, scope)]
        for metric in METRICS if mine else ():
            found.append(_score(metric, scope, mine, theirs))
    return found


def by_name(found: Sequence[Score]) -> Mapping[tuple[str, Scope], Score]:
    """Scores by metric and scope."""
    return {(score.metric, score.scope): score for score in found}


def _score(metric: Metric, scope: Scope, candidate: Sequence[Observed], current: Sequence[Observed]) -> Score:
    mine, theirs = [metric.of(seen) for seen in candidate], [metric.of(seen) for seen in current]
    before = estimate([value for value in theirs if value is not None])
    return Score(
        metric=metric.name,
        scope=scope,
        candidate=estimate([value for value in mine if value is not None]),
        current=before,
        difference=paired_difference(mine, theirs),
        better=metric.better,
        slack=max(metric.slack * before.mean, metric.imperceptible),
    )


def _within(seen: Observed, scope: Scope) -> bool:
    return scope == "all" or seen.case.language is Language(scope)
