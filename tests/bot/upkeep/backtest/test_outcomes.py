"""What counts as another outcome, and what does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.conversation import ConversationId, Language, Option, Route, Source
from bot.upkeep.backtest.outcomes import Kind, differences, outcome_of
from tests.example_turns import example_turn

TURN = example_turn(ConversationId("c"), slots={}, answer="满 99 元包邮。 [1]")


def changed(quick: bool = False, **changes: Any) -> tuple[Kind, ...]:
    return differences(outcome_of(TURN, quick=quick), outcome_of(replace(TURN, **changes), quick=quick))


def cites(*articles: str) -> tuple[Source, ...]:
    return tuple(Source(n, name, "", "", Language.ZH, 0.5) for n, name in enumerate(articles, start=1))


def test_the_same_turn_is_the_same_whatever_its_scores_reason_and_times() -> None:
    assert changed(score=0.1, reason="another", timings_ms={}, generation="read") == ()


@pytest.mark.parametrize(
    "answer", ["满 99 元包邮。 [1]", "满99元包邮。[1]", "满 99 元包邮。\n\n[1]", "满 ９９ 元包邮。 [1]"]
)
def test_blanks_and_full_width_forms_are_no_other_wording(answer: str) -> None:
    assert changed(answer=answer) == ()


@pytest.mark.parametrize("answer", ["满 129 元包邮。 [1]", "满 99 元包邮！ [1]", "", "free from 99 yuan [1]"])
def test_another_word_number_or_mark_is_another_wording(answer: str) -> None:
    assert changed(answer=answer) == (Kind.WORDING,)


def test_all_differences_are_named_the_weightiest_first() -> None:
    after = {"route": Route.TEMPLATE, "intent": "other", "sources": cites("other"), "answer": "other"}
    assert changed(**after) == (Kind.ROUTE, Kind.INTENT, Kind.SOURCES, Kind.WORDING)


def test_the_order_of_articles_and_an_article_cited_twice_are_no_other_sources() -> None:
    before = replace(TURN, sources=cites("a", "b"))
    after = replace(TURN, sources=cites("b", "a", "b"))
    assert differences(outcome_of(before), outcome_of(after)) == ()
    assert outcome_of(after).articles == ("b", "a")


def test_another_fact_that_is_asked_for_is_another_intent() -> None:
    assert changed(missing_slot="phone") == (Kind.INTENT,)


def test_other_offers_in_a_question_back_are_another_intent_and_other_buttons_elsewhere_are_not() -> None:
    options = (Option("运费", "运费"),)
    assert changed(options=options) == ()
    back = replace(TURN, route=Route.CLARIFY)
    assert differences(outcome_of(back), outcome_of(replace(back, options=options))) == (Kind.INTENT,)


def test_a_day_that_was_counted_from_that_day_is_no_other_wording() -> None:
    before = replace(TURN, slots={"date": "2026-11-20"}, answer="2026-11-20 送达")
    after = replace(TURN, slots={"date": "2026-11-27"}, answer="2026-11-27 送达")
    assert differences(outcome_of(before), outcome_of(after)) == ()
    assert differences(outcome_of(before), outcome_of(replace(after, slots={}))) == (Kind.WORDING,)


def test_of_an_answer_that_the_customer_left_only_what_they_saw_is_compared() -> None:
    left = outcome_of(replace(TURN, answer="满 99 元", sources=(), flags=("abandoned",)))
    assert differences(left, outcome_of(TURN)) == ()
    assert differences(left, outcome_of(replace(TURN, answer="满 129 元包邮。"))) == (Kind.WORDING,)
    assert differences(left, outcome_of(replace(TURN, route=Route.TEMPLATE))) == (Kind.ROUTE,)


class TestQuick:
    def test_of_an_answer_from_articles_the_best_article_and_its_text_count_and_no_word(self) -> None:
        best = TURN.passages[0]
        assert changed(quick=True, answer="other", sources=cites("other")) == ()
        assert changed(quick=True, passages=(replace(best, article_id="other"), best)) == (Kind.SOURCES,)
        assert changed(quick=True, passages=(replace(best, content_hash="cd34"),)) == (Kind.WORDING,)
        assert changed(quick=True, passages=(best, replace(best, article_id="other"))) == ()

    def test_the_order_of_an_articles_passages_does_not_count(self) -> None:
        first, second = TURN.passages[0], replace(TURN.passages[0], content_hash="cd34")
        before, after = replace(TURN, passages=(first, second)), replace(TURN, passages=(second, first))
        assert differences(outcome_of(before, quick=True), outcome_of(after, quick=True)) == ()

    def test_approved_wording_costs_nothing_and_is_compared(self) -> None:
        before = replace(TURN, route=Route.TEMPLATE)
        after = replace(before, answer="满 129 元包邮。", passages=())
        assert differences(outcome_of(before, quick=True), outcome_of(after, quick=True)) == (Kind.WORDING,)

    def test_another_route_is_no_other_wording_where_one_side_is_not_written(self) -> None:
        after = replace(TURN, route=Route.NO_ANSWER, sources=())
        assert Kind.WORDING not in differences(outcome_of(TURN, quick=True), outcome_of(after, quick=True))

    def test_a_turn_that_the_model_declined_counts_as_what_was_decided_before(self) -> None:
        declined = replace(TURN, route=Route.NO_ANSWER, intent=None, sources=(), generation="declined")
        decided = replace(TURN, intent=None, answer="", sources=(), generation=None)
        assert differences(outcome_of(declined, quick=True), outcome_of(decided, quick=True)) == ()
        assert Kind.ROUTE in differences(outcome_of(declined), outcome_of(decided))
