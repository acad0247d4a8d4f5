"""The rules of the product in one place: which route a turn takes. Pure: the same values, the same decision.

The order of the rules is the order of the code: a person when a person is wanted or a word of the team's list calls one,
approved wording when an intent is certain, knowledge when an article answers, a question back when several intents are
possible, and otherwise the truth: no answer. Two failures in a row bring a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from bot.answering.answerer import EXPIRED, OFF_TOPIC
from bot.content import Intent
from bot.conversation import Decision, Route, Turn, Understanding
from retrieval.documents import Hit

MOST_CANDIDATES = 3
_CERTAIN_OF_A_WORD = 0.95  # an example letter for letter, or nearly
_FAILED = (Route.CLARIFY, Route.NO_ANSWER)
_WORD = "word:"  # how the flag begins of a turn in which a word of the team's list called a person


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


@dataclass(frozen=True)
class _Case:
    """All that a rule may look at."""

    understanding: Understanding
    hits: Sequence[Hit]
    state: DialogState
    intents: Mapping[str, Intent]
    thresholds: Thresholds
    words: Sequence[str] = ()

    @property
    def in_scope(self) -> bool:
        """Whether the question is ours at all."""
        return self.understanding.in_scope >= self.thresholds.in_scope

    @property
    def article_found(self) -> bool:
        """Whether the best article is likely enough to answer."""
        return bool(self.hits) and self.hits[0].score >= self.thresholds.grounded_score

    def always_calls(self, intent: str) -> bool:
        """Whether an intent always brings a person."""
        return intent in self.intents and self.intents[intent].handoff == "always"

    def certain_intent(self) -> Intent | None:
        """The best intent if both its score and its distance to the runner-up suffice."""
        understanding, thresholds = self.understanding, self.thresholds
        if not understanding.intents or not self.in_scope:
            return None
        least = thresholds.template_score
        if understanding.vague:
            least = max(least, _CERTAIN_OF_A_WORD)
        if understanding.score < least or understanding.margin < thresholds.template_margin:
            return None
        return self.intents.get(understanding.intents[0].intent)

    def possible_intents(self, least: float) -> tuple[str, ...]:
        """Intents to offer in a question back, best first."""
        ranked = self.understanding.intents
        names = [
            scored.intent for scored in ranked if scored.score >= least and scored.intent in self.intents
        ]
        return tuple(names[:MOST_CANDIDATES])


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
    words: Sequence[str] = (),
) -> Decision:
    """Choose the route of a turn.

    Args:
        understanding: what the customer's words mean.
        hits: passages that may be quoted today, ranked, best first.
        state: what the turns before left behind.
        intents: the intents whose answers hold today, by name.
        thresholds: the probabilities that a route needs.
        expired: passages that would be an answer if they were still, or already, valid.
        words: of the team's list of those that call a person, the ones that the customer wrote.
    """
    case = _Case(understanding, hits, state, intents, thresholds, words)
    for rule in (
        *(_hand_off_by_rule, _hand_off_by_word),
        *(_fill_pending_slot, _template, _clarify_if_vague, _grounded, _clarify),
    ):
        decision = rule(case)
        if decision is not None:
            return _after_failures(decision, state, thresholds)
    return _after_failures(
        Decision(Route.NO_ANSWER, _why_none(understanding, intents, expired, thresholds), offer_person=True),
        state,
        thresholds,
    )


def word_flags(decision: Decision) -> tuple[str, ...]:
    """What a turn's flags say of the word that called a person."""
    return (f"{_WORD}{decision.word}",) if decision.word else ()


def calling_word(turn: Turn) -> str | None:
    """The word of the team's list that called a person in this turn; None if none did."""
    return next((flag.removeprefix(_WORD) for flag in turn.flags if flag.startswith(_WORD)), None)


def gave_up(turn: Turn) -> bool:
    """Whether a person was called because no answer was found again and again: neither an intent nor a word asked for one."""
    return turn.route is Route.HANDOFF and turn.intent is None and calling_word(turn) is None


def _why_none(
    understanding: Understanding,
    intents: Mapping[str, Intent],
    expired: Sequence[Hit],
    thresholds: Thresholds,
) -> str:
    in_scope = understanding.in_scope >= thresholds.in_scope
    if expired and expired[0].score >= thresholds.grounded_score:
        return EXPIRED
    certain = in_scope and understanding.score >= thresholds.template_score
    if certain and understanding.intents[0].intent not in intents:  # its answer held until some day
        return EXPIRED
    return "nothing found" if in_scope else OFF_TOPIC


def _hand_off_by_rule(case: _Case) -> Decision | None:
    """A person when the intents that always bring one are likely enough together, by the likeliest of them.

    "叫你们经理来" is a complaint or a wish for a person: whichever it is, a person is wanted, and in the middle of a talk
    about invoices no less than at its beginning. Needs less certainty than a template: it promises nothing false.
    """
    joined = case.understanding.intents if case.in_scope else ()
    for intents in (joined, case.understanding.alone):
        callers = [scored for scored in intents if case.always_calls(scored.intent)]
        if callers and sum(scored.score for scored in callers) >= case.thresholds.handoff_score:
            return Decision(Route.HANDOFF, "rule of the intent", intent=callers[0].intent)
    return None


def _hand_off_by_word(case: _Case) -> Decision | None:
    """A person for a word of the team's list, whatever else the message is about; after the intents, whose wording fits better."""
    return Decision(Route.HANDOFF, "word of the team's list", word=case.words[0]) if case.words else None


def _fill_pending_slot(case: _Case) -> Decision | None:
    """The turn before asked for a fact; if this one brings it, the waiting template can answer."""
    state = case.state
    pending = case.intents.get(state.pending_intent) if state.pending_intent is not None else None
    if pending is None:
        return None
    brought = {slot.name for slot in case.understanding.slots}
    waiting = [name for name in pending.required_slots if name not in state.known_slots]
    if not brought.intersection(waiting):
        return None
    other = case.certain_intent()
    if other is not None and other.id != pending.id and brought.intersection(other.required_slots):
        return None  # the customer changed their mind and named what they want now
    still_missing = next((name for name in waiting if name not in brought), None)
    return _by_template(pending, "asked-for fact given", still_missing)


def _template(case: _Case) -> Decision | None:
    best = case.certain_intent()
    if best is None or best.handoff == "always":
        return None
    if _would_repeat(best, case) or _another_article_answers(best, case):
        return None
    known = {slot.name for slot in case.understanding.slots} | set(case.state.known_slots)
    missing = next((name for name in best.required_slots if name not in known), None)
    return _by_template(best, "intent certain", missing)


def _grounded(case: _Case) -> Decision | None:
    return Decision(Route.GROUNDED, "article found") if case.article_found else None


def _clarify_if_vague(case: _Case) -> Decision | None:
    """A word or two that may mean several things is asked back, even though some article will hold the word."""
    if not case.understanding.vague or not case.in_scope:
        return None
    possible = case.possible_intents(case.thresholds.clarify_score / 2)
    if len(possible) < 2:
        return None
    return Decision(Route.CLARIFY, "too short to be sure", candidates=possible, offer_person=True)


def _clarify(case: _Case) -> Decision | None:
    possible = case.possible_intents(case.thresholds.clarify_score) if case.in_scope else ()
    if not possible:
        return None
    return Decision(Route.CLARIFY, "several intents possible", candidates=possible, offer_person=True)


def _by_template(intent: Intent, reason: str, missing_slot: str | None) -> Decision:
    return Decision(
        Route.TEMPLATE,
        reason,
        intent=intent.id,
        missing_slot=missing_slot,
        offer_person=intent.handoff == "offer",
    )


def _would_repeat(intent: Intent, case: _Case) -> bool:
    """A follow-up to an answer wants more than the same answer again, if an article has more."""
    return case.understanding.follow_up and intent.id == case.state.answered_intent and case.article_found


def _another_article_answers(intent: Intent, case: _Case) -> bool:
    """Intent and search disagree: an article that is not behind the template answers the question more exactly."""
    if not intent.articles or not case.article_found:
        return False
    return case.hits[0].passage.article_id not in intent.articles


def _after_failures(decision: Decision, state: DialogState, thresholds: Thresholds) -> Decision:
    if decision.route in _FAILED and state.failures + 1 >= thresholds.failures_before_handoff:
        return Decision(Route.HANDOFF, f"{state.failures + 1} turns without an answer in a row")
    return decision
