"""The overview's figures on a log made by hand, in Chinese and English, with each case that a definition speaks of."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlite_utils import Database

from bot.conversation import ConversationId, Language, Rating, Route, Turn, TurnId, VisitorId
from bot.insight.figures import Overview, Period, Share
from bot.insight.overview import overview, percentile
from bot.insight.talk_rows import FIGURES, Filter, talks
from bot.memory.calls import CallReason
from bot.memory.connection import open_for_writing
from bot.memory.records import stamp, turn_record
from bot.memory.replay import insert_once
from bot.memory.store import Store
from tests.example_turns import example_turn

SHANGHAI = ZoneInfo("Asia/Shanghai")
PERIOD = Period(date(2026, 11, 1), date(2026, 11, 7), SHANGHAI)
NOW = datetime(2026, 11, 30, tzinfo=UTC)


class Log:
    """A log to be filled by hand; times are where the shop is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store(path)
        self._number = 0

    def talk(self, visitor: str, *turns: tuple[str, Route, int], **changes: Any) -> ConversationId:
        """A conversation; each turn is when ("11-03 09:00"), its route and the last vote on it (0 for none)."""
        conversation = self.store.open_conversation(VisitorId(visitor), channel="widget")
        for at, route, vote in turns:
            self._number += 1
            values = {
                "language": Language.ZH,
                "intent": "postage",
                "timings_ms": {"total": 100.0 * self._number},
            }
            turn = replace(
                example_turn(conversation, self._number),
                id=TurnId(f"turn-{self._number}"),
                asked_at=datetime.fromisoformat(f"2026-{at}").replace(tzinfo=SHANGHAI).astimezone(UTC),
                route=route,
                **{**values, **changes},
            )
            self.store.append_turn(turn)
            if vote:
                self.store.add_rating(conversation, Rating(turn.id, -vote))
                self.store.add_rating(conversation, Rating(turn.id, vote))  # the last one counts
        return conversation

    def call(self, conversation: ConversationId, at: str, reason: CallReason, detail: str = "") -> None:
        called = stamp(datetime.fromisoformat(f"2026-{at}").replace(tzinfo=SHANGHAI))
        with self.database() as log:
            log.table("calls").insert(
                {
                    "id": f"call-{conversation}", "conversation_id": conversation, "state": "closed", "reason": reason.value,
                    "detail": detail, "language": "zh", "called_at": called, "taken_at": None, "agent": None,
                    "ended_at": called, "contact": "", "outcome": "",
                }
            )  # fmt: skip

    def database(self) -> Database:
        return open_for_writing(self.path, wait_seconds=5)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log(tmp_path / "kefu.db")
    yield log
    log.store.close()


def figures(log: Log) -> Overview:
    database = log.database()
    try:
        return overview(database, PERIOD, now=NOW)
    finally:
        database.close()


def behind(log: Log, figure: str, value: str = "", words: str = "") -> list[str]:
    database = log.database()
    try:
        return [row.id for row in talks(database, PERIOD, Filter(figure, value, words), slow=200.0, now=NOW)]
    finally:
        database.close()


def test_a_log_without_turns_has_no_figures_and_divides_by_nothing(log: Log) -> None:
    found = figures(log)
    assert (found.talks, found.turns, found.resolved.share, found.p95) == (0, 0, None, None)
    assert [day.talks for day in found.days] == [0] * 7


def test_days_and_hours_are_those_of_the_shop(log: Log) -> None:
    log.talk("a", ("11-01 00:30", Route.TEMPLATE, 0), ("11-07 23:59", Route.TEMPLATE, 0))
    log.talk("b", ("10-31 23:59", Route.TEMPLATE, 0))
    log.talk("c", ("11-08 00:00", Route.TEMPLATE, 0))
    found = figures(log)
    assert found.talks == 1
    assert [day.turns for day in found.days] == [1, 0, 0, 0, 0, 0, 1]
    assert found.hours == {(6, 0): 1, (5, 23): 1}  # a Sunday, a Saturday


def test_a_talk_is_resolved_if_its_last_turn_was_answered_and_nobody_called_or_voted_down(log: Log) -> None:
    good = log.talk("a", ("11-02 09:00", Route.NO_ANSWER, 0), ("11-02 09:01", Route.GROUNDED, 1))
    log.talk("b", ("11-02 09:00", Route.TEMPLATE, 0), ("11-02 09:01", Route.NO_ANSWER, 0))
    log.talk("c", ("11-02 09:00", Route.TEMPLATE, -1))
    called = log.talk("d", ("11-02 09:00", Route.TEMPLATE, 0))
    log.call(called, "11-02 09:05", CallReason.ASKED)
    log.talk("e", ("11-02 09:00", Route.CLARIFY, 0))
    fragment = log.talk("f", ("11-02 09:00", Route.MERGED, 0), ("11-02 09:01", Route.TEMPLATE, 0))
    found = figures(log)
    assert found.resolved == Share(2, 6)
    assert found.turns == 8  # what was merged is no turn of its own
    assert set(behind(log, "resolved")) == {good, fragment}
    assert len(behind(log, "unresolved")) == 4
    assert behind(log, "handed_over") == [called]
    assert found.handed_over == Share(1, 6)


def test_a_resolved_talk_is_durable_if_the_customer_does_not_come_back_within_seven_days(log: Log) -> None:
    stays = log.talk("a", ("11-02 09:00", Route.TEMPLATE, 0))
    comes_back = log.talk("b", ("11-02 09:00", Route.TEMPLATE, 0))
    log.talk("b", ("11-09 08:59", Route.TEMPLATE, 0))
    later = log.talk("c", ("11-02 09:00", Route.TEMPLATE, 0))
    log.talk("c", ("11-09 09:01", Route.TEMPLATE, 0))
    goes_on = log.talk("d", ("11-07 09:00", Route.TEMPLATE, 0), ("11-10 09:00", Route.TEMPLATE, 0))
    assert figures(log).durable == Share(2, 4)
    assert set(behind(log, "durable")) == {stays, later}
    assert set(behind(log, "returned")) == {comes_back, goes_on}


def test_a_customer_whom_a_site_vouches_for_comes_back_on_another_device(log: Log) -> None:
    phone = log.talk("phone", ("11-02 09:00", Route.TEMPLATE, 0))
    laptop = log.talk("laptop", ("11-08 09:00", Route.TEMPLATE, 0))
    at = stamp(NOW)
    database = log.database()
    database.table("customers").insert({"id": "anna", "name": "安娜", "first_seen_at": at, "seen_at": at})
    for conversation in (phone, laptop):
        database.table("conversation_customers").insert(
            {"conversation_id": conversation, "customer_id": "anna"}
        )
    database.close()
    assert figures(log).durable == Share(0, 1)


def test_a_talk_of_last_week_is_not_asked_yet_whether_it_is_durable(log: Log) -> None:
    log.talk("a", ("11-02 09:00", Route.TEMPLATE, 0))
    database = log.database()
    assert overview(database, PERIOD, now=datetime(2026, 11, 9, 0, 59, tzinfo=UTC)).durable == Share(0, 0)
    assert overview(database, PERIOD, now=datetime(2026, 11, 9, 1, 1, tzinfo=UTC)).durable == Share(1, 1)
    database.close()


def test_ratings_unanswered_languages_and_intents(log: Log) -> None:
    zh = log.talk("a", ("11-02 09:00", Route.TEMPLATE, 1), ("11-02 09:01", Route.TEMPLATE, -1))
    en = log.talk("b", ("11-02 09:00", Route.NO_ANSWER, 0), language=Language.EN, intent=None)
    log.talk("c", ("11-02 09:00", Route.PERSON, 0), language=Language.ZH_HANT)
    found = figures(log)
    assert found.rated_up == Share(1, 2)
    assert found.unanswered == Share(1, 3)  # a person's turn is none of the bot's
    assert found.languages == {"zh": 2, "en": 1, "zh-Hant": 1}
    by_intent = {
        each.intent: (each.turns, each.talks, each.unanswered, each.up, each.down) for each in found.intents
    }
    assert by_intent == {"postage": (3, 2, 0, 1, 1), None: (1, 1, 1, 0, 0)}
    assert behind(log, "language", "en") == [en]
    assert behind(log, "intent", "") == [en]
    assert behind(log, "up") == behind(log, "down") == [zh]
    assert behind(log, "unanswered") == [en]


def test_reasons_for_a_person_are_counted_and_lead_to_their_talks(log: Log) -> None:
    for number, (reason, detail) in enumerate(
        [(CallReason.RULE, "damaged"), (CallReason.RULE, "damaged"), (CallReason.ASKED, "")]
    ):
        log.call(log.talk(f"v{number}", ("11-03 10:00", Route.HANDOFF, 0)), "11-03 10:00", reason, detail)
    assert [(each.reason, each.detail, each.calls) for each in figures(log).reasons] == [
        ("rule", "damaged", 2),
        ("asked", "", 1),
    ]
    assert len(behind(log, "reason", "rule/damaged")) == 2
    assert len(behind(log, "reason", "asked/")) == 1


def test_an_hour_of_the_week_leads_to_its_talks(log: Log) -> None:
    monday = log.talk("a", ("11-02 09:45", Route.TEMPLATE, 0))
    log.talk("b", ("11-02 10:00", Route.TEMPLATE, 0))
    assert behind(log, "hours", "0-9") == [monday]


def test_talks_are_searched_in_both_languages_and_signs_are_only_signs(log: Log) -> None:
    zh = log.talk(
        "a", ("11-02 09:00", Route.TEMPLATE, 0), customer_text="运费能打 100% 折吗", answer="满 99 元包邮。"
    )
    en = log.talk("b", ("11-02 09:00", Route.TEMPLATE, 0), customer_text="my_order", answer="Free postage")
    assert behind(log, "talks", words="100%") == [zh]
    assert behind(log, "talks", words="包邮") == [zh]
    assert behind(log, "talks", words="free POSTAGE") == [en]
    assert behind(log, "talks", words="y_o") == [en]
    assert behind(log, "talks", words="y%o") == []


def test_latency_is_the_nearest_rank_of_what_the_bot_answered(log: Log) -> None:
    log.talk("a", *[("11-02 09:00", Route.TEMPLATE, 0)] * 19, ("11-02 09:01", Route.PERSON, 0))
    found = figures(log)
    assert (found.p50, found.p95) == (1000.0, 1900.0)
    assert percentile([5.0], 0.95) == 5.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert len(behind(log, "slow")) == 1


def test_every_figure_has_a_list_even_without_talks(log: Log) -> None:
    for figure in FIGURES:
        assert behind(log, figure) == []


def test_the_figures_of_many_talks_take_no_longer_than_a_page_may(log: Log) -> None:
    log.store.close()
    fill(log.path, talks=300, turns=2)  # benchmarks/overview.py measures 100,000
    began = time.perf_counter()
    assert figures(log).turns == 600
    assert time.perf_counter() - began < 1.0


def fill(path: Path, *, talks: int, turns: int) -> None:
    """Many turns, by the shortest way."""
    log = open_for_writing(path, wait_seconds=5)
    start = PERIOD.since
    with log.atomic():
        for talk in range(talks):
            conversation = ConversationId(f"c{talk}")
            at = start + timedelta(seconds=talk * PERIOD.days * 86_000 / talks)
            log.conn.execute(
                "INSERT INTO conversations VALUES (?, ?, 'widget', ?)",
                [conversation, f"v{talk // 2}", stamp(at)],
            )
            for number in range(turns):
                turn: Turn = example_turn(conversation, number, asked_at=at + timedelta(seconds=number))
                insert_once(log, turn_record(turn))
    log.close()
