"""Gaps are ranked by how often and how lately they were asked."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.conversation import ConversationId, Language
from bot.memory.gaps import GapId, GapState, StoredGap
from bot.upkeep.gaps.report import Gap, GapReport, as_json, is_open, ranked, weight_of
from bot.upkeep.gaps.unanswered import Failures, Why
from tests.bot.upkeep.gaps.gap_shop import NOW, unanswered


def stored(number: int, state: GapState = GapState.NEW, hours: float = 0) -> StoredGap:
    decided_at = None if state is GapState.NEW else NOW - timedelta(hours=hours)
    return StoredGap(GapId(number), f"gap {number}", state, "", "", NOW, decided_at)


def test_a_talk_counts_half_after_two_weeks() -> None:
    assert weight_of([unanswered("a", asked_at=NOW)], NOW) == 1.0
    assert weight_of([unanswered("a", asked_at=NOW - timedelta(days=14))], NOW) == pytest.approx(0.5)
    assert weight_of([unanswered("a", asked_at=NOW - timedelta(days=28))], NOW) == pytest.approx(0.25)


def test_a_customer_who_asks_five_times_in_one_talk_counts_once() -> None:
    turns = [unanswered("a", number, conversation=ConversationId("x"), asked_at=NOW) for number in range(5)]
    assert weight_of(turns, NOW) == 1.0


def test_a_clock_that_runs_ahead_makes_no_talk_count_more_than_one() -> None:
    assert weight_of([unanswered("a", asked_at=NOW + timedelta(days=30))], NOW) == 1.0


def test_much_asked_lately_comes_before_more_asked_long_ago() -> None:
    long_ago = [unanswered("a", number, asked_at=NOW - timedelta(days=60)) for number in range(4)]
    lately = [unanswered("b", number, asked_at=NOW - timedelta(days=1)) for number in (10, 11)]
    belongs = {turn.id: GapId(1) for turn in long_ago} | {turn.id: GapId(2) for turn in lately}
    gaps = ranked([stored(1), stored(2), stored(3)], [*long_ago, *lately], belongs, NOW)
    assert [gap.id for gap in gaps] == [2, 1]  # the third has no turn
    assert [len(gap.turns) for gap in gaps] == [2, 4]
    assert gaps[0].turns[0].asked_at >= gaps[0].turns[1].asked_at


def test_a_gap_knows_its_languages_reasons_and_talks() -> None:
    turns = (
        unanswered("学生优惠吗", 1),
        unanswered("student discount", 2, why=Why.VOTED_DOWN),
        unanswered("student discount?", 3, conversation=ConversationId("talk-2")),
    )
    gap = Gap(stored(1), turns, 1.0)
    assert gap.languages == {Language.EN.value: 2, Language.ZH.value: 1}
    assert gap.why == {"no answer": 2, "voted down": 1}
    assert gap.talks == 2


def test_an_accepted_gap_opens_again_only_when_it_is_asked_again() -> None:
    before = unanswered("a", 1, asked_at=NOW - timedelta(hours=2))
    after = unanswered("a", 2, asked_at=NOW)
    accepted = stored(1, GapState.ACCEPTED, hours=1)
    assert not is_open(Gap(accepted, (before,), 1.0))
    assert is_open(Gap(accepted, (after, before), 1.0))
    assert Gap(accepted, (after, before), 1.0).again == 1
    assert not is_open(Gap(stored(1, GapState.DISMISSED, hours=1), (after,), 1.0))


def test_the_json_holds_what_the_table_shows_and_the_ids_of_the_turns() -> None:
    gap = Gap(stored(1), (unanswered("学生优惠吗", 1),), 0.75)
    report = GapReport(None, NOW, (gap,), 3, 1, 2, 9, Failures(), 0.33, 92)
    found = json.loads(json.dumps(as_json(report)))
    assert found["not_listed"] == {"accepted": 1, "dismissed": 2}
    assert found["gaps"][0]["turn_ids"] == ["turn-1"]
    assert found["gaps"][0]["weight"] == 0.75
