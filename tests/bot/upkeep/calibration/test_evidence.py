"""What judged questions say of an answer, and where nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.conversation import ConversationId, Correction, Rating, Route, Turn
from bot.golden import Golden
from bot.memory.reading import LoggedTurn
from bot.safety.redact import redact
from bot.upkeep.calibration.evidence import Evidence, golden_evidence, logged_evidence
from tests.example_turns import NOON, example_turn

ANNA = ConversationId("anna")


def logged(turn: Turn, *, vote: int | None = None, corrected: bool = False) -> LoggedTurn:
    return LoggedTurn(
        turn=turn,
        rating=None if vote is None else Rating(turn.id, vote),
        correction=Correction(turn.id, "better", "bob") if corrected else None,
        channel="page",
        opened_at=NOON,
        visitor_sha256="",
    )


def only(evidence: Iterator[Evidence]) -> Evidence:
    (found,) = evidence
    return found


def test_a_golden_question_knows_every_right_answer() -> None:
    golden = Golden("g", "q", (), "answer", frozenset({"warranty"}), frozenset({"postage"}))
    (found,) = golden_evidence([golden])
    assert (found.template_wrong("postage"), found.template_wrong("refund")) == (False, True)
    assert (found.article_wrong("warranty"), found.article_wrong("voltage")) == (False, True)


@pytest.mark.parametrize("kind", ["refuse", "clarify", "handoff"])
def test_any_answer_to_what_must_not_be_answered_is_wrong(kind: str) -> None:
    (found,) = golden_evidence([Golden("g", "q", (), kind)])  # type: ignore[arg-type]
    assert found.template_wrong("postage")
    assert found.article_wrong("warranty")


def test_a_template_that_was_voted_up_is_right_and_every_other_one_wrong() -> None:
    found = only(
        logged_evidence([logged(example_turn(ANNA, route=Route.TEMPLATE, intent="postage"), vote=1)], redact)
    )
    assert (found.template_wrong("postage"), found.template_wrong("refund")) == (False, True)
    assert found.article_wrong("warranty") is None


def test_of_a_template_that_was_voted_down_only_that_is_known() -> None:
    found = only(
        logged_evidence([logged(example_turn(ANNA, route=Route.TEMPLATE, intent="postage"), vote=-1)], redact)
    )
    assert found.template_wrong("postage") is True
    assert found.template_wrong("refund") is None


def test_an_answer_from_an_article_is_judged_as_that_article() -> None:
    found = only(logged_evidence([logged(example_turn(ANNA), vote=1)], redact))
    assert found.article_wrong("delivery-no-update") is False
    assert found.article_wrong("another") is None
    assert found.template_wrong("postage") is None


def test_a_correction_counts_as_a_vote_down_even_beside_a_vote_up() -> None:
    found = only(logged_evidence([logged(example_turn(ANNA), vote=1, corrected=True)], redact))
    assert found.article_wrong("delivery-no-update") is True


def test_what_nobody_judged_or_nobody_saw_is_no_evidence_but_stands_in_the_talk() -> None:
    turns = [
        logged(example_turn(ANNA, 1)),
        logged(example_turn(ANNA, 2, flags=("abandoned",)), vote=-1),
        logged(example_turn(ANNA, 3, route=Route.NO_ANSWER, reason="error: ValueError"), vote=-1),
        logged(example_turn(ANNA, 4, route=Route.CLARIFY), vote=-1),
        logged(example_turn(ANNA, 5, route=Route.TEMPLATE, missing_slot="order_number"), vote=1),
        logged(example_turn(ANNA, 6), vote=1),
    ]
    found = only(logged_evidence(turns, redact))
    assert found.id == turns[-1].turn.id
    assert [turn.id for turn in found.past] == [each.turn.id for each in turns[:-1]]


def test_what_was_masked_is_asked_with_a_stand_in_as_the_customer_asked_it() -> None:
    turn = example_turn(ANNA, route=Route.TEMPLATE, intent="postage", customer_text="电话<PHONE>，运费多少")
    found = only(logged_evidence([logged(turn, vote=1)], redact))
    assert found.text != turn.customer_text
    assert redact(found.text).text == turn.customer_text
