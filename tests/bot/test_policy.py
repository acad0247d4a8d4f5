"""The rules of the product as a table."""

from dataclasses import replace

import pytest

from bot.content import Examples, Faces, Intent, SlotRule
from bot.conversation import Language, Route, ScoredIntent, Slot, Understanding
from bot.policy import DialogState, Thresholds, decide
from retrieval.documents import Hit, Passage

LIMITS = Thresholds(
    template_score=0.6,
    template_margin=0.15,
    handoff_score=0.5,
    grounded_score=0.5,
    clarify_score=0.2,
    in_scope=0.3,
)


def an_intent(name: str, **fields: object) -> Intent:
    both = Faces(zh="好", en="ok")
    return Intent(id=name, title=both, answer=both, examples=Examples(zh=("一",), en=("one",)), **fields)


ASK = Faces(zh="单号？", en="Which order?")
INTENTS = {
    intent.id: intent
    for intent in (
        an_intent("fee"),
        an_intent("time"),
        an_intent("where"),
        an_intent("person", handoff="always"),
        an_intent("complaint", handoff="always"),
        an_intent("damaged", handoff="offer"),
        an_intent("status", slots={"order_number": SlotRule(required=True, ask=ASK)}),
        an_intent("refund", slots={"order_number": SlotRule(required=True, ask=ASK)}),
    )
}


def understood(*scores: tuple[str, float], in_scope: float = 0.9, **fields: object) -> Understanding:
    ranked = tuple(ScoredIntent(name, score) for name, score in scores)
    return Understanding("?", Language.EN, mixed=False, intents=ranked, in_scope=in_scope, **fields)


def calling(complaint: float, person: float) -> tuple[ScoredIntent, ...]:
    return (ScoredIntent("complaint", complaint), ScoredIntent("person", person))


def found(*scores: float) -> tuple[Hit, ...]:
    passage = Passage("p", "a", "en", "Title", (), "Text.", 0, "hash")
    return tuple(Hit(passage, score, score, 1.0) for score in scores)


ORDER = (Slot("order_number", "KF20261103-0042", 0, 15),)


@pytest.mark.parametrize(
    ("case", "understanding", "hits", "state", "route", "intent"),
    [
        ("a certain intent is answered by its template", understood(("fee", 0.9), ("time", 0.05)), found(0.9), DialogState(), Route.TEMPLATE, "fee"),
        ("a low score is not certain", understood(("fee", 0.59)), found(0.9), DialogState(), Route.GROUNDED, None),
        ("a near runner-up is not certain", understood(("fee", 0.62), ("time", 0.5)), found(0.9), DialogState(), Route.GROUNDED, None),
        ("out of scope is never a template", understood(("fee", 0.9), in_scope=0.1), found(0.1), DialogState(), Route.NO_ANSWER, None),
        ("a rule brings a person", understood(("person", 0.9)), found(0.9), DialogState(), Route.HANDOFF, "person"),
        ("which rule brings a person need not be certain", understood(("complaint", 0.4), ("person", 0.3), ("fee", 0.1)), found(0.9), DialogState(), Route.HANDOFF, "complaint"),
        ("the likeliest intent need not be one of them", understood(("fee", 0.4), ("person", 0.3), ("complaint", 0.25)), found(0.9), DialogState(), Route.HANDOFF, "person"),
        ("together they must be likely enough", understood(("complaint", 0.3), ("person", 0.19)), found(0.9), DialogState(), Route.GROUNDED, None),
        ("no rule brings a person out of scope", understood(("complaint", 0.4), ("person", 0.3), in_scope=0.2), (), DialogState(), Route.NO_ANSWER, None),
        ("what calls a person calls one in the middle of a talk, too", understood(("status", 0.9), alone=calling(0.4, 0.2), follow_up=True), found(0.9), DialogState(pending_intent="status"), Route.HANDOFF, "complaint"),
        ("what hardly calls a person by itself is read in its talk", understood(("status", 0.9), alone=calling(0.3, 0.1), follow_up=True), found(0.1), DialogState(), Route.TEMPLATE, "status"),
        ("an article answers what no template does", understood(("fee", 0.3)), found(0.5), DialogState(), Route.GROUNDED, None),
        ("several possible intents are asked back", understood(("fee", 0.4), ("time", 0.35)), found(0.1), DialogState(), Route.CLARIFY, None),
        ("nothing fits", understood(("fee", 0.1)), found(0.1), DialogState(), Route.NO_ANSWER, None),
        ("nothing found at all", understood(), (), DialogState(), Route.NO_ANSWER, None),
        ("a zero score is a score", understood(("fee", 0.0)), found(0.0), DialogState(), Route.NO_ANSWER, None),
        ("the second failure in a row brings a person", understood(("fee", 0.1)), (), DialogState(failures=1), Route.HANDOFF, None),
        ("a second question back brings a person too", understood(("fee", 0.4), ("time", 0.35)), (), DialogState(failures=1), Route.HANDOFF, None),
        ("an answer after a failure is an answer", understood(("fee", 0.9)), (), DialogState(failures=1), Route.TEMPLATE, "fee"),
        ("the asked-for number completes the waiting template", understood(("time", 0.3), slots=ORDER), (), DialogState(pending_intent="status"), Route.TEMPLATE, "status"),
        ("another wish with its own number is followed", understood(("refund", 0.9), slots=ORDER), (), DialogState(pending_intent="status"), Route.TEMPLATE, "refund"),
        ("a follow-up gets more than the same answer", understood(("fee", 0.9), follow_up=True), found(0.8), DialogState(answered_intent="fee"), Route.GROUNDED, None),
        ("a follow-up without an article gets the template", understood(("fee", 0.9), follow_up=True), found(0.1), DialogState(answered_intent="fee"), Route.TEMPLATE, "fee"),
        ("a pending intent that was deleted is forgotten", understood(("fee", 0.9), slots=ORDER), (), DialogState(pending_intent="gone"), Route.TEMPLATE, "fee"),
    ],
)  # fmt: skip
def test_the_route_of_a_turn(case, understanding, hits, state, route, intent) -> None:
    decision = decide(understanding, hits, state, INTENTS, LIMITS)
    assert (decision.route, decision.intent) == (route, intent), case


def test_a_template_with_a_missing_slot_asks_for_it() -> None:
    assert (
        decide(understood(("status", 0.9)), (), DialogState(), INTENTS, LIMITS).missing_slot == "order_number"
    )


def test_a_slot_given_earlier_is_not_asked_for_again() -> None:
    state = DialogState(known_slots={"order_number": "KF20261103-0042"})
    assert decide(understood(("status", 0.9)), (), state, INTENTS, LIMITS).missing_slot is None


def test_an_intent_may_offer_a_person_after_its_answer() -> None:
    assert decide(understood(("damaged", 0.9)), (), DialogState(), INTENTS, LIMITS).offer_person


def test_at_most_three_candidates_are_offered() -> None:
    limits = replace(LIMITS, template_score=1.0, clarify_score=0.0)
    ranked = understood(("fee", 0.3), ("time", 0.3), ("where", 0.2), ("damaged", 0.1))
    assert decide(ranked, (), DialogState(), INTENTS, limits).candidates == ("fee", "time", "where")


def test_off_topic_and_nothing_found_are_told_apart() -> None:
    off_topic = decide(understood(("fee", 0.1), in_scope=0.1), (), DialogState(), INTENTS, LIMITS)
    nothing = decide(understood(("fee", 0.1), in_scope=0.9), (), DialogState(), INTENTS, LIMITS)
    assert off_topic.reason != nothing.reason
