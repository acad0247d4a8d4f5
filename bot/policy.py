"""The rules of the product in one place: which route a turn takes. Pure: the same values, the same decision.

The order of the rules is the order of the code: a person when a person is wanted, approved wording when an intent is
certain, knowledge when an article answers, a question back when several intents are possible, and otherwise the
truth: no answer. Two failures in a row bring a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from bot.answering.answerer import EXPIRED, OFF_TOPIC
from bot.content import Intent
from bot.conversation import Decision, Route, ScoredIntent, Turn, Understanding
from retrieval.documents import Hit

MOST_CANDIDATES = 3
_CERTAIN_OF_A_WORD = 0.95  # an example letter for letter, or nearly
_FAILED = (Route.CLARIFY, Route.NO_ANSWER)


@dataclass(frozen=True)
class Thresholds:
    """Probabilities (0 to 1) that a turn must reach."""

    template_score: float
    template_margin: float
    handoff_score: float
    grounded_score: float
    clarify_score: float
    in_scope: float
    failures_before_handoff: int = 2

    def as_mapping(self) -> dict[str, float]:
        """The numbers by name, for the log."""
        return asdict(self)


@dataclass(frozen=True)
class DialogState:
    """What the policy needs to know of the turns before: all of it is read from the log."""

    failures: int = 0  # turns in a row, just before this one, that gave no answer
    pending_intent: str | None = None  # the template whose slot was asked for in the turn before
    known_slots: Mapping[str, str] = field(default_factory=dict)  # facts given in the turns before
    answered_intent: str | None = None  # the intent that the turn before answered in full


def dialog_state(past: Sequence[Turn]) -> DialogState:
    """Read the state of a conversation from its turns, oldest first."""
    turns = [turn for turn in past if turn.route is not Route.MERGED]
    failures = 0
    for turn in reversed(turns):
        if turn.route not in _FAILED:
            break
        failures += 1
    last = turns[-1] if turns else None
    asked_slot = last is not None and last.route is Route.TEMPLATE and last.missing_slot is not None
    answered = last is not None and last.route is Route.TEMPLATE and last.missing_slot is None
    known = {name: value for turn in turns for name, value in turn.slots.items() if not value.startswith("<")}
    return DialogState(
        failures=failures,
        pending_intent=last.intent if last is not None and asked_slot else None,
        known_slots=known,
        answered_intent=last.intent if last is not None and answered else None,
    )


def decide(
    understanding: Understanding,
    hits: Sequence[Hit],
    state: DialogState,
    intents: Mapping[str, Intent],
    thresholds: Thresholds,
    *,
    expired: Sequence[Hit] = (),
) -> Decision:
    """Choose the route of a turn.

    Args:
        understanding: what the customer's words mean.
        hits: passages that may be quoted today, ranked, best first.
        state: what the turns before left behind.
        intents: the intents by name.
        thresholds: the probabilities that a route needs.
        expired: passages that would be an answer if they were still, or already, valid.
    """
    for rule in (_hand_off_by_rule, _fill_pending_slot, _template, _clarify_if_vague, _grounded, _clarify):
        decision = rule(understanding, hits, state, intents, thresholds)
        if decision is not None:
            return _after_failures(decision, state, thresholds)
    return _after_failures(
        Decision(Route.NO_ANSWER, _why_none(understanding, expired, thresholds), offer_person=True),
        state,
        thresholds,
    )


def _why_none(understanding: Understanding, expired: Sequence[Hit], thresholds: Thresholds) -> str:
    if expired and expired[0].score >= thresholds.grounded_score:
        return EXPIRED
    return OFF_TOPIC if understanding.in_scope < thresholds.in_scope else "nothing found"


Rule = Callable[
    [Understanding, Sequence[Hit], DialogState, Mapping[str, Intent], Thresholds], Decision | None
]


def _hand_off_by_rule(
    understanding: Understanding,
    _hits: Sequence[Hit],
    _state: DialogState,
    intents: Mapping[str, Intent],
    thresholds: Thresholds,
) -> Decision | None:
    """A person when the best intent says so. Needs less certainty than a template: it promises nothing false."""
    if not understanding.intents or understanding.score < thresholds.handoff_score:
        return None
    best = intents.get(understanding.intents[0].intent)
    if best is None or best.handoff != "always" or understanding.in_scope < thresholds.in_scope:
        return None
    return Decision(Route.HANDOFF, "rule of the intent", intent=best.id)


def _fill_pending_slot(
    understanding: Understanding,
    _hits: Sequence[Hit],
    state: DialogState,
    intents: Mapping[str, Intent],
    thresholds: Thresholds,
) -> Decision | None:
    """The turn before asked for a fact; if this one brings it, the waiting template can answer."""
    pending = intents.get(state.pending_intent) if state.pending_intent is not None else None
    if pending is None:
        return None
    brought = {slot.name for slot in understanding.slots}
    waiting = [name for name in pending.required_slots if name not in state.known_slots]
    if not brought.intersection(waiting):
        return None
    other = _certain(understanding, intents, thresholds)
    if other is not None and other != pending.id and set(intents[other].required_slots) & brought:
        return None  # the customer changed their mind and named what they want now
    still_missing = next((name for name in waiting if name not in brought), None)
    return Decision(
        Route.TEMPLATE,
        "asked-for fact given",
        intent=pending.id,
        missing_slot=still_missing,
        offer_person=pending.handoff == "offer",
    )


def _template(
    understanding: Understanding,
    hits: Sequence[Hit],
    state: DialogState,
    intents: Mapping[str, Intent],
    thresholds: Thresholds,
) -> Decision | None:
    best = _certain(understanding, intents, thresholds)
    if best is None or intents[best].handoff == "always":
        return None
    if _would_repeat(best, understanding, hits, state, thresholds) or _another_article_answers(
        intents[best], hits, thresholds
    ):
        return None
    known = {slot.name for slot in understanding.slots} | set(state.known_slots)
    missing = next((name for name in intents[best].required_slots if name not in known), None)
    return Decision(
        Route.TEMPLATE,
        "intent certain",
        intent=best,
        missing_slot=missing,
        offer_person=intents[best].handoff == "offer",
    )


def _grounded(
    _understanding: Understanding,
    hits: Sequence[Hit],
    _state: DialogState,
    _intents: Mapping[str, Intent],
    thresholds: Thresholds,
) -> Decision | None:
    if hits and hits[0].score >= thresholds.grounded_score:
        return Decision(Route.GROUNDED, "article found")
    return None


def _clarify_if_vague(
    understanding: Understanding,
    _hits: Sequence[Hit],
    _state: DialogState,
    intents: Mapping[str, Intent],
    thresholds: Thresholds,
) -> Decision | None:
    """A word or two that may mean several things is asked back, even though some article will hold the word."""
    if not understanding.vague or understanding.in_scope < thresholds.in_scope:
        return None
    possible = _possible(understanding.intents, intents, thresholds.clarify_score / 2)
    if len(possible) < 2:
        return None
    return Decision(Route.CLARIFY, "too short to be sure", candidates=possible, offer_person=True)


def _clarify(
    understanding: Understanding,
    _hits: Sequence[Hit],
    _state: DialogState,
    intents: Mapping[str, Intent],
    thresholds: Thresholds,
) -> Decision | None:
    if understanding.in_scope < thresholds.in_scope:
        return None
    possible = _possible(understanding.intents, intents, thresholds.clarify_score)
    if not possible:
        return None
    return Decision(Route.CLARIFY, "several intents possible", candidates=possible, offer_person=True)


def _certain(
    understanding: Understanding, intents: Mapping[str, Intent], thresholds: Thresholds
) -> str | None:
    """The best intent if both its score and its distance to the runner-up suffice."""
    if not understanding.intents or understanding.in_scope < thresholds.in_scope:
        return None
    best = understanding.intents[0].intent
    least = thresholds.template_score
    if understanding.vague:
        least = max(least, _CERTAIN_OF_A_WORD)
    certain = understanding.score >= least and understanding.margin >= thresholds.template_margin
    return best if certain and best in intents else None


def _would_repeat(
    intent: str, understanding: Understanding, hits: Sequence[Hit], state: DialogState, thresholds: Thresholds
) -> bool:
    """A follow-up to an answer wants more than the same answer again, if an article has more."""
    answered = understanding.follow_up and intent == state.answered_intent
    return answered and bool(hits) and hits[0].score >= thresholds.grounded_score


def _another_article_answers(intent: Intent, hits: Sequence[Hit], thresholds: Thresholds) -> bool:
    """Intent and search disagree: an article that is not behind the template answers the question more exactly."""
    if not intent.articles or not hits or hits[0].score < thresholds.grounded_score:
        return False
    return hits[0].passage.article_id not in intent.articles


def _possible(ranked: Sequence[ScoredIntent], intents: Mapping[str, Intent], least: float) -> tuple[str, ...]:
    names = [scored.intent for scored in ranked if scored.score >= least and scored.intent in intents]
    return tuple(names[:MOST_CANDIDATES])


def _after_failures(decision: Decision, state: DialogState, thresholds: Thresholds) -> Decision:
    if decision.route in _FAILED and state.failures + 1 >= thresholds.failures_before_handoff:
        return Decision(Route.HANDOFF, f"{state.failures + 1} turns without an answer in a row")
    return decision
