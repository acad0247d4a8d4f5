"""A draft as customers read it: in the model's words, lists stay lists, and a source is named where its words end."""

from __future__ import annotations

import pytest

from bot.answering.grounded import DECLINED, DraftLimits, GroundedAnswer, GroundedWriter
from bot.conversation import Language
from retrieval.documents import Hit, Passage
from tests.fakes import ScriptedGenerator, WordEncoder

DRAFTING = DraftLimits(10.0, 10.0, 60)


def hit(article: str, text: str) -> Hit:
    passage = Passage(article, article, "en", article.title(), (), text, 0, "")
    return Hit(passage, 0.9, 0.9, 0.9)


HITS = [
    hit(
        "register",
        "1. Open the app and choose a name.\n2. Enter the code.\n3. Choose a password.\n\n24 hours later you can order.",
    ),
    hit("postage", "Delivery costs 8 yuan. Large parcels cost 20 yuan."),
    hit("returns", "签收次日起 7 天内可以退货。退货运费由买家承担。"),
    hit("quoted", "客服说“可以退。”然后寄回。“It is free.” Then send it."),
]


def answered(script: str) -> tuple[list[str], GroundedAnswer]:
    """The parts that were shown, and the answer."""
    parts = GroundedWriter(WordEncoder(), ScriptedGenerator(script), DRAFTING).write(
        "how", Language.EN, HITS, ()
    )
    shown = []
    while True:
        try:
            shown.append(next(parts))
        except StopIteration as finished:
            return shown, finished.value


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        (
            "[1] 1. Open the app and choose a name.\n2. Enter the code.\n3. Choose a password.",
            "1. Open the app and choose a name.\n2. Enter the code.\n3. Choose a password. [1]",
        ),
        (
            "[1] 2. Enter the code.\n\n24 hours later you can order.",
            "2. Enter the code.\n\n24 hours later you can order. [1]",
        ),
        (
            "[2] Delivery costs 8 yuan. Large parcels cost 20 yuan.",
            "Delivery costs 8 yuan. Large parcels cost 20 yuan. [1]",
        ),
        (
            "[2] Delivery costs 8 yuan. 24 hours later you can order. Large parcels cost 20 yuan.",
            "Delivery costs 8 yuan. [1] 24 hours later you can order. [2] Large parcels cost 20 yuan. [1]",
        ),
        (
            "[3] 签收次日起 7 天内可以退货。退货运费由买家承担。",
            "签收次日起 7 天内可以退货。退货运费由买家承担。 [1]",
        ),
        (
            "[4] 客服说“可以退。”然后寄回。“It is free.” Then send it.",
            "客服说“可以退。”然后寄回。“It is free.” Then send it. [1]",
        ),
        ("Delivery costs 8 yuan.", "Delivery costs 8 yuan. [1]"),
    ],
)
def test_each_run_of_sentences_from_one_source_ends_with_its_number(script: str, answer: str) -> None:
    shown, written = answered(script)
    assert "".join(shown) == written.text == answer
    assert written.generation == "draft"


def test_a_draft_that_ends_at_an_unsupported_sentence_names_its_source_too() -> None:
    shown, written = answered("[2] Delivery costs 8 yuan. It is free on Mondays.")
    assert "".join(shown) == written.text == "Delivery costs 8 yuan. [1]"
    assert written.generation.startswith("draft: ")


def test_a_draft_is_shown_sentence_by_sentence_and_the_number_last() -> None:
    shown, _ = answered("[2] Delivery costs 8 yuan. Large parcels cost 20 yuan.")
    assert shown == ["Delivery costs 8 yuan.", " Large parcels cost 20 yuan.", " [1]"]


def test_a_tuned_model_that_names_no_passage_declines_whatever_it_writes_then() -> None:
    shown, written = answered("[0] Delivery costs 8 yuan.")
    assert (shown, written.generation) == ([], DECLINED)
