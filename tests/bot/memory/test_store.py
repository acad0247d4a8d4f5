"""The log keeps what it is given, shows it to its owner only, and counts the last judgement."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from bot.conversation import ConversationId, Correction, Language, Rating, Turn, TurnId, VisitorId
from bot.errors import ConversationUnknown, StoreError, TurnUnknown
from bot.memory.store import Store
from tests.example_turns import NOON, example_turn, turns

ANNA = VisitorId("anna-2f9c")
BO = VisitorId("bo-77aa")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "kefu.db") as opened:
        yield opened


def test_a_turn_comes_back_exactly_as_it_was_stored(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    turn = example_turn(conversation)
    store.append_turn(turn)
    assert store.turns(conversation) == [turn]
    assert store.turn(turn.id) == turn
    assert store.trouble is None


def test_any_turn_comes_back_exactly_as_it_was_stored(tmp_path: Path) -> None:
    with Store(tmp_path / "kefu.db") as store:
        conversation = store.open_conversation(ANNA, channel="web")

        @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(turn=turns(conversation))
        def comes_back(turn: Turn) -> None:
            turn = replace(turn, id=TurnId(secrets.token_hex(8)))  # hypothesis tries the same value twice
            store.append_turn(turn)
            assert store.turn(turn.id) == turn

        comes_back()


def test_half_a_surrogate_pair_does_not_cost_the_turn(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    store.append_turn(example_turn(conversation, answer="好\ud83d的 😀"))
    assert store.turns(conversation)[0].answer == "好\ufffd的 😀"


def test_turns_come_in_order_of_time_and_the_last_ones_on_demand(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    for number in (3, 1, 2):
        store.append_turn(example_turn(conversation, number))
    assert [turn.id[-1] for turn in store.turns(conversation)] == ["1", "2", "3"]
    assert [turn.id[-1] for turn in store.turns(conversation, last=2)] == ["2", "3"]
    assert store.turns(conversation, last=0) == []


def test_a_turn_stored_twice_is_there_once(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    store.append_turn(example_turn(conversation))
    store.append_turn(example_turn(conversation))
    assert len(store.turns(conversation)) == 1


def test_a_turn_of_an_unknown_conversation_is_refused(store: Store) -> None:
    with pytest.raises(ConversationUnknown, match="nowhere"):
        store.append_turn(example_turn(ConversationId("nowhere")))
    assert store.check().counts["turns"] == 0


def test_a_turn_with_a_score_that_is_no_number_is_refused_whole(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    with pytest.raises(StoreError, match="does not take"):
        store.append_turn(example_turn(conversation, score=float("nan")))
    with pytest.raises(StoreError, match="time zone"):
        store.append_turn(example_turn(conversation, asked_at=datetime(2026, 1, 1)))  # noqa: DTZ001
    counts = store.check().counts
    assert (counts["turns"], counts["turn_intents"], counts["turn_passages"]) == (0, 0, 0)


def test_only_the_owner_is_let_in(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    store.check_owner(conversation, ANNA)
    for stranger in (BO, None, VisitorId("")):
        with pytest.raises(ConversationUnknown):
            store.check_owner(conversation, stranger)
    with pytest.raises(ConversationUnknown):
        store.check_owner(ConversationId("guessed"), ANNA)


def test_an_api_caller_is_let_in_by_the_id_itself(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="api")
    store.check_owner(conversation, None)
    with pytest.raises(ConversationUnknown):
        store.check_owner(conversation, BO)


def test_a_visitors_id_is_nowhere_in_the_file(store: Store, tmp_path: Path) -> None:
    store.open_conversation(ANNA, channel="web")
    store.close()
    assert ANNA.encode() not in (tmp_path / "kefu.db").read_bytes()


def test_a_history_lists_the_visitors_own_conversations_latest_first(store: Store) -> None:
    first, second, empty = (store.open_conversation(ANNA, channel="web") for _ in range(3))
    other = store.open_conversation(BO, channel="web")
    for conversation, number in ((first, 1), (second, 2), (other, 3), (first, 4)):
        store.append_turn(example_turn(conversation, number))
    history = store.conversations(ANNA)
    assert [summary.id for summary in history] == [first, second]
    assert empty not in [summary.id for summary in history]
    assert (history[0].turns, history[0].last_at) == (2, NOON + timedelta(minutes=4))
    assert history[0].title == "我的快递三天没动了,怎么办? <PHONE> #1"


def test_the_last_vote_counts_and_both_are_kept(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    turn = example_turn(conversation)
    store.append_turn(turn)
    assert store.rating(turn.id) is None
    store.add_rating(conversation, Rating(turn.id, -1, "答非所问"))
    store.add_rating(conversation, Rating(turn.id, 1))
    assert store.rating(turn.id) == Rating(turn.id, 1)
    assert store.check().counts["ratings"] == 2
    assert store.turn(turn.id) == turn


def test_a_vote_needs_a_turn_of_that_conversation(store: Store) -> None:
    mine, other = (store.open_conversation(ANNA, channel="web") for _ in range(2))
    turn = example_turn(mine)
    store.append_turn(turn)
    with pytest.raises(TurnUnknown):
        store.add_rating(other, Rating(turn.id, 1))
    with pytest.raises(TurnUnknown):
        store.add_rating(mine, Rating(TurnId("no-such"), 1))
    with pytest.raises(StoreError, match="7"):
        store.add_rating(mine, Rating(turn.id, 7))
    with pytest.raises(TurnUnknown):
        store.add_correction(Correction(TurnId("no-such"), "x", "li"))


def test_logged_turns_carry_what_people_said_and_can_be_filtered(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="api")
    for number in range(1, 451):  # more than two pages
        store.append_turn(example_turn(conversation, number))
    second = TurnId(f"turn-{conversation}-2")
    store.add_rating(conversation, Rating(second, 1))
    store.add_rating(conversation, Rating(second, -1, "wrong"))
    store.add_correction(Correction(second, "旧", "li"))
    store.add_correction(Correction(second, "新", "li"))
    everything = list(store.logged())
    assert [logged.turn.id.rsplit("-", 1)[1] for logged in everything] == [str(n) for n in range(1, 451)]
    assert everything[0].rating is None
    assert everything[0].channel == "api"
    (bad,) = store.logged(rating=-1)
    assert (bad.rating, bad.correction) == (Rating(second, -1, "wrong"), Correction(second, "新", "li"))
    assert list(store.logged(rating=1)) == []
    window = store.logged(since=NOON + timedelta(minutes=10), until=NOON + timedelta(minutes=12))
    assert [logged.turn.id.rsplit("-", 1)[1] for logged in window] == ["10", "11"]


def test_threads_share_one_store(store: Store) -> None:
    conversation = store.open_conversation(ANNA, channel="web")

    def write(thread: int) -> None:
        for number in range(20):
            turn = example_turn(conversation, thread * 100 + number)
            store.append_turn(turn)
            assert store.turn(turn.id) == turn

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.turns(conversation)) == 160
    assert store.trouble is None


def test_the_check_tells_the_state_of_the_log(store: Store, tmp_path: Path) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    store.append_turn(example_turn(conversation))
    report = store.check()
    assert (report.journal_mode, report.integrity, report.writable, report.spilled) == ("wal", "ok", True, ())
    assert (report.counts["turns"], report.counts["turn_intents"], report.counts["conversations"]) == (
        1,
        2,
        1,
    )
    assert report.path == tmp_path / "kefu.db"
    assert report.bytes > 4096
    assert report.schema.startswith("s00")


def test_a_backup_is_a_whole_log_and_replaces_an_older_one(store: Store, tmp_path: Path) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    target = tmp_path / "backup.db"
    target.write_text("older")
    store.append_turn(example_turn(conversation))
    store.backup(target)
    with Store(target) as copy:
        assert copy.turns(conversation) == store.turns(conversation)
    with pytest.raises(StoreError, match="no-folder"):
        store.backup(tmp_path / "no-folder" / "backup.db")
    assert not list(tmp_path.glob("*.tmp"))


def test_people_can_ask_the_file_with_plain_sql(store: Store, tmp_path: Path) -> None:
    conversation = store.open_conversation(ANNA, channel="web")
    store.append_turn(replace(example_turn(conversation), language=Language.EN))
    with closing(sqlite3.connect(tmp_path / "kefu.db")) as plain:
        row = plain.execute("SELECT route, language, intent, timings_ms ->> 'total' FROM turns").fetchone()
    assert row == ("grounded", "en", "delivery-no-update", 1830.0)


def test_a_file_that_is_no_log_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    path.write_text("no database at all, but long enough to be one" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a Kefu log"):
        Store(path)
    assert path.read_bytes() == before
