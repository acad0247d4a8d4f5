"""Preferences out of conversations: corrections become pairs and votes, in the prompt that serving would write."""

from __future__ import annotations

from typing import Any, cast

from bot.conversation import Language
from finetune.examples.passage_finder import Library
from finetune.records import Conversation, Exchange
from finetune.training.preference_examples import preferred
from finetune.training.train_settings import TRAINED_SHAPE
from retrieval.documents import Hit, Passage

FEES = "Delivery is free from ¥99 per order. Below that it costs ¥8."
HOURS = "The shop opens at 9:00 and closes at 21:00 every day."


class OneShelf:
    """A library that finds the same two passages for every question."""

    def find(self, question: str, language: Language) -> list[Hit]:
        del question, language
        return [Hit(passage, 0.9, 0.9, 1.0) for passage in self.passages("", Language.EN)]

    def passages(self, article: str, language: Language) -> list[Passage]:
        del article, language
        return [passage("hours", HOURS), passage("fees", FEES)]


def passage(article: str, text: str) -> Passage:
    return Passage(f"{article}/en#0", article, "en", article, (), text, 0, article)


def talk(*exchanges: Exchange) -> Conversation:
    return Conversation("c", "kefu-log", Language.EN, exchanges)


def exchange(number: int, answer: str, **more: Any) -> Exchange:
    return Exchange(str(number), "How much is delivery?", answer, Language.EN, **more)


def test_a_correction_is_a_pair_and_two_votes() -> None:
    corrected = exchange(1, FEES, rejected=HOURS, author="agent")
    found = preferred([talk(corrected)], cast("Library", OneShelf()), TRAINED_SHAPE)
    (pair,) = found.pairs
    assert pair.example.answer == FEES
    assert pair.rejected == HOURS
    assert [vote.liked for vote in found.votes] == [True, False]
    texts = {p.number: p.text for p in pair.example.passages}
    assert FEES in texts[pair.example.source]
    assert HOURS in texts[pair.rejected_source]
    assert pair.worse.question == pair.example.question


def test_votes_are_votes() -> None:
    found = preferred(
        [talk(exchange(1, FEES, rating=1), exchange(2, HOURS, rating=-1), exchange(3, FEES))],
        cast("Library", OneShelf()),
        TRAINED_SHAPE,
    )
    assert found.pairs == ()
    assert [(vote.example.answer, vote.liked) for vote in found.votes] == [(FEES, True), (HOURS, False)]


def test_what_no_passage_supports_is_counted_and_left_out() -> None:
    made_up = exchange(1, "We send a drone with 3 pilots to Mars for ¥5000.", rejected=FEES, author="agent")
    found = preferred([talk(made_up)], cast("Library", OneShelf()), TRAINED_SHAPE)
    assert (found.pairs, found.votes, found.left_out) == ((), (), 1)
