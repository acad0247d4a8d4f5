"""What is forgotten is in no table and in no byte of the log; what is not, is untouched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.conversation import ConversationId, Turn, VisitorId
from bot.errors import CallRefused
from bot.memory.forgetting import Counts, OfConversation, OfCustomer, Older, What, delete_marked, mark
from bot.memory.gaps import merge_gaps, read_gaps
from bot.memory.visits import Customer
from tests.example_turns import example_turn
from tests.forgotten_shop import LONG_AGO, NOW, ForgetfulShop, a_day

EVERYWHERE = {
    *("conversations", "turns", "turn_intents", "turn_passages", "turn_sources", "ratings", "corrections"),
    *("gaps", "gap_turns", "calls", "call_events", "visits", "customers", "conversation_customers"),
    *("uploads", "outbox", "audit"),
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ForgetfulShop]:
    shop = ForgetfulShop(tmp_path)
    yield shop
    shop.close()


def forget(shop: ForgetfulShop, what: What) -> Counts:
    with shop.log.writing() as log:
        counts = mark(log, what)
        delete_marked(log)
    return counts


def another_turn(shop: ForgetfulShop, conversation: ConversationId, question: str) -> Turn:
    turn = example_turn(conversation, 2, asked_at=NOW, question=question)
    shop.store.append_turn(turn)
    return turn


@pytest.mark.parametrize("by_customer", [True, False])
def test_a_customer_who_is_forgotten_is_in_no_table_and_others_are_as_before(
    shop: ForgetfulShop, by_customer: bool
) -> None:
    anna, bob = shop.visit("安娜", LONG_AGO), shop.visit("Bob", LONG_AGO)
    assert shop.traces_of(anna) == EVERYWHERE
    counts = forget(shop, OfCustomer("安娜-id") if by_customer else OfConversation(anna.conversation))
    assert counts == Counts(
        conversations=1, turns=1, ratings=1, corrections=1, calls=1, messages=2, visits=1, files=1, bytes=4, customers=1,
        waiting=0,
    )  # fmt: skip
    assert shop.traces_of(anna) == set()
    assert shop.traces_of(bob) == EVERYWHERE
    assert shop.store.check().integrity == "ok"


def test_no_row_is_left_that_points_at_nothing(shop: ForgetfulShop) -> None:
    anna = shop.visit("anna", LONG_AGO)
    forget(shop, OfConversation(anna.conversation))
    with shop.log.reading() as log:
        assert list(log.query("PRAGMA foreign_key_check")) == []


def test_every_table_of_the_log_that_can_hold_a_customer_is_known_here(shop: ForgetfulShop) -> None:
    with shop.log.reading() as log:
        tables = {name for name in log.table_names() if not name.startswith(("_", "sqlite_"))}
    assert tables - EVERYWHERE == {"staff", "staff_sessions", "login_failures"}


def test_what_is_old_goes_and_what_is_new_stays(shop: ForgetfulShop) -> None:
    old, new = shop.visit("alt", LONG_AGO), shop.visit("neu", NOW)
    before = NOW - a_day(90)
    counts = forget(shop, Older(before, before, before))
    assert (counts.conversations, counts.turns, counts.customers) == (1, 1, 1)
    assert shop.traces_of(old) == set()
    assert shop.traces_of(new) == EVERYWHERE


def test_a_conversation_that_goes_on_loses_its_old_turns_only(shop: ForgetfulShop) -> None:
    guest = shop.visit("anna", LONG_AGO)
    kept = another_turn(shop, guest.conversation, "现在的问题")
    counts = forget(shop, Older(NOW - a_day(90)))
    assert (counts.conversations, counts.turns, counts.customers) == (0, 1, 0)
    assert [turn.id for turn in shop.store.turns(guest.conversation)] == [kept.id]
    assert {"customers", "conversations"} <= shop.traces_of(guest)


def test_files_and_visits_may_go_before_the_turns_but_never_outlive_them(shop: ForgetfulShop) -> None:
    guest = shop.visit("anna", LONG_AGO)
    counts = forget(shop, Older(uploads=NOW))
    assert (counts.files, counts.visits, counts.turns, counts.conversations) == (1, 0, 0, 0)
    assert "turns" in shop.traces_of(guest)
    other = shop.visit("bob", LONG_AGO)
    counts = forget(shop, Older(turns=NOW, uploads=LONG_AGO - a_day(1)))
    assert counts.files == 1
    assert shop.traces_of(other) == set()


def test_a_talk_that_waits_for_a_person_is_left_alone_by_age_and_refused_by_name(shop: ForgetfulShop) -> None:
    guest = shop.visit("anna", LONG_AGO, ended=False)
    assert forget(shop, Older(NOW, NOW, NOW)).nothing
    for what in (OfCustomer("anna-id"), OfConversation(guest.conversation)):
        with pytest.raises(CallRefused, match="open call"):
            forget(shop, what)
    assert shop.traces_of(guest) == EVERYWHERE


def test_a_gap_lives_on_under_a_question_that_is_left(shop: ForgetfulShop) -> None:
    anna, bob = shop.visit("anna", LONG_AGO), shop.visit("bob", NOW)
    with shop.log.reading() as log:
        first, second = read_gaps(log)
        merge_gaps(log, first.id, second.id)
    forget(shop, OfConversation(anna.conversation))
    with shop.log.reading() as log:
        assert [gap.title for gap in read_gaps(log)] == ["bob 的快递"]
    forget(shop, OfConversation(bob.conversation))
    assert "gaps" not in shop.traces("anna", "bob")


def test_who_is_not_known_is_nothing_to_forget(shop: ForgetfulShop) -> None:
    shop.visit("anna", LONG_AGO)
    assert forget(shop, OfCustomer("nobody")).nothing
    assert forget(shop, OfConversation(ConversationId("none"))).nothing
    assert forget(shop, Older(LONG_AGO - a_day(1))).nothing


def test_a_customer_can_come_back_after_they_were_forgotten(shop: ForgetfulShop) -> None:
    shop.visit("anna", LONG_AGO)
    forget(shop, OfCustomer("anna-id"))
    (shop.uploads / "anna-file").unlink()
    assert shop.traces_of(shop.visit("anna", NOW)) == EVERYWHERE


def anonymous_talk(shop: ForgetfulShop, browser: str, question: str) -> ConversationId:
    conversation = shop.store.open_conversation(VisitorId(f"{browser}-browser"), channel="page")
    another_turn(shop, conversation, question)
    return conversation


def test_what_a_customer_asked_in_the_same_browser_before_they_signed_in_goes_with_them(
    shop: ForgetfulShop,
) -> None:
    earlier, stranger = anonymous_talk(shop, "安娜", "登录前的问题"), anonymous_talk(shop, "bob", "别人的")
    anna = shop.visit("安娜", LONG_AGO)
    counts = forget(shop, OfCustomer("安娜-id"))
    assert (counts.conversations, counts.turns) == (2, 2)
    assert shop.traces(earlier, "登录前的问题", anna.conversation) == set()
    assert shop.store.turns(stranger)


def test_in_a_browser_that_two_customers_used_what_nobody_was_named_in_stays(shop: ForgetfulShop) -> None:
    shop.visit("anna", LONG_AGO)
    shared, unknown = anonymous_talk(shop, "anna", "bob here"), anonymous_talk(shop, "anna", "whose is it")
    shop.desk.identify(shared, Customer("bob-id", "Bob"))
    assert forget(shop, OfCustomer("anna-id")).conversations == 1
    assert shop.store.turns(shared)
    assert shop.store.turns(unknown)
