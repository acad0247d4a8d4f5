"""The log's turns become conversations: bursts joined, corrections preferred, visitors behind pseudonyms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.conversation import Correction, Rating, Route, TurnId, VisitorId
from bot.memory.store import Store
from finetune.curation.log_records import SOURCE, logged_conversations
from finetune.masking import Masking
from finetune.pseudonyms import Pseudonyms
from finetune.records import Conversation, ShownPassage
from tests.example_turns import NOON, example_turn

NAMES = Pseudonyms(b"k" * 32)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "kefu.db") as opened:
        yield opened


def _read(store: Store) -> list[Conversation]:
    return list(
        logged_conversations(
            store.logged(), mask=Masking(), customer=lambda visitor: NAMES.customer(SOURCE, visitor)
        )
    )


def test_a_correction_rejects_what_the_bot_had_said(store: Store) -> None:
    conversation = store.open_conversation(VisitorId("anna"), channel="web")
    store.append_turn(example_turn(conversation, 1, customer_text="能退吗", answer="不能，打13812345678"))
    store.add_correction(Correction(TurnId(f"turn-{conversation}-1"), "7 天内可以", "li"))
    store.add_rating(conversation, Rating(TurnId(f"turn-{conversation}-1"), -1))
    ((exchange,),) = [each.exchanges for each in _read(store)]
    assert (exchange.answer, exchange.rejected, exchange.author) == ("7 天内可以", "不能，打<PHONE>", "agent")
    assert (exchange.rating, exchange.corrected, exchange.intent, exchange.route) == (
        -1,
        True,
        "delivery-no-update",
        "grounded",
    )
    assert exchange.passages == (ShownPassage("delivery-no-update", "delivery-no-update-zh-0"),)


def test_messages_of_a_burst_are_one_question(store: Store) -> None:
    conversation = store.open_conversation(VisitorId("anna"), channel="web")
    store.append_turn(example_turn(conversation, 1, customer_text="那个", answer="", route=Route.MERGED))
    store.append_turn(example_turn(conversation, 2, customer_text="how to return", answer="so"))
    ((exchange,),) = [each.exchanges for each in _read(store)]
    assert exchange.question == "那个\nhow to return"


def test_a_visitor_is_one_customer_in_all_conversations_and_not_their_hash(store: Store) -> None:
    for number, visitor in enumerate(("anna", "bob", "anna"), start=1):
        conversation = store.open_conversation(VisitorId(visitor), channel="web")
        store.append_turn(example_turn(conversation, number))
    anna, bob, again = (conversation.customer for conversation in _read(store))
    hashes = {entry.visitor_sha256 for entry in store.logged()}
    assert anna == again != bob
    assert len(hashes) == 2
    assert not hashes & {anna, bob}


def test_a_conversation_begins_when_its_first_turn_was_asked(store: Store) -> None:
    conversation = store.open_conversation(VisitorId("anna"), channel="api")
    store.append_turn(example_turn(conversation, 0, customer_text="谢谢"))
    (read,) = _read(store)
    assert (read.started_at, read.channel, read.source) == (NOON, "api", "kefu-log")
    assert read.id != conversation
