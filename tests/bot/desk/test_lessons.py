"""What a person answered becomes a lesson for the export."""

from __future__ import annotations

from pathlib import Path

from bot.conversation import Delta, Reply, Route
from bot.manager import Manager
from bot.memory.reading import LoggedTurn
from finetune.curation.log_records import logged_conversations
from tests.desk_staff import LI, employ
from tests.fakes import ScriptedGenerator
from tests.small_shop import ANNA, build_shop, reply_to


def _talk(shop: Manager, *lines: str) -> list[LoggedTurn]:
    """Lines that begin with "> " are the person's; the talk is theirs from the first such line on."""
    employ(shop.desk, LI)
    conversation = shop.open_conversation(ANNA, channel="page")
    taken = False
    for line in lines:
        if not line.startswith("> "):
            reply_to(shop.answer(conversation, line, visitor=ANNA))
            continue
        if not taken:
            shop.desk.take(conversation, LI)
            taken = True
        shop.desk.reply(conversation, LI, line.removeprefix("> "))
    shop.desk.give_back(conversation, LI)
    return list(shop.store.logged())


def test_a_persons_answer_corrects_the_turn_that_the_bot_left_open(tmp_path: Path) -> None:
    shop = build_shop(tmp_path)
    turns = _talk(
        shop,
        "zzz qqq",
        "转人工",
        "> 您好！",
        "怎么退货到香港",
        "在吗",
        "> 香港订单请寄到深圳仓。",
        "> 运费我们付。",
    )
    answered = {turn.turn.customer_text: turn.correction.text for turn in turns if turn.correction}
    assert answered["在吗"] == "香港订单请寄到深圳仓。\n运费我们付。"
    assert {turn.turn.route for turn in turns if turn.turn.customer_text in {"怎么退货到香港", "在吗"}} == {
        Route.PERSON
    }
    (conversation,) = logged_conversations(turns, mask=lambda text, _: text)
    last = conversation.exchanges[-1]
    assert (last.question, last.author) == ("怎么退货到香港\n在吗", "agent")
    assert last.answer.startswith("香港订单")


def test_small_talk_of_a_person_does_not_correct_what_the_bot_had_answered(tmp_path: Path) -> None:
    shop = build_shop(tmp_path)
    turns = _talk(shop, "how much is postage", "> Hello, this is Li.")
    assert [turn.correction for turn in turns] == [None]


def test_the_bot_says_nothing_while_a_person_has_the_talk_and_answers_again_afterwards(
    tmp_path: Path,
) -> None:
    shop = build_shop(tmp_path)
    employ(shop.desk, LI)
    conversation = shop.open_conversation(ANNA, channel="page")
    shop.desk.take(conversation, LI)
    parts = list(shop.answer(conversation, "how much is postage", visitor=ANNA))
    (silent,) = parts
    assert isinstance(silent, Reply)
    assert (silent.text, silent.route, silent.sources) == ("", Route.PERSON, ())
    shop.desk.give_back(conversation, LI)
    again = reply_to(shop.answer(conversation, "how much is postage", visitor=ANNA))
    assert again.text == "Postage is free from 99 yuan."
    assert [turn.route for turn in shop.history(conversation, visitor=ANNA)] == [Route.PERSON, Route.TEMPLATE]


def test_not_a_word_more_is_shown_once_a_person_came_in_during_an_answer(tmp_path: Path) -> None:
    model = ScriptedGenerator("整机保修 1 年，大家电保修 3 年。电池不在保修范围内。")
    shop = build_shop(tmp_path, model)
    employ(shop.desk, LI)
    conversation = shop.open_conversation(ANNA, channel="page")
    stream = shop.answer(conversation, "大家电保修几年", visitor=ANNA)
    first = next(stream)
    assert isinstance(first, Delta)
    shop.desk.take(conversation, LI)
    (reply,) = stream
    assert isinstance(reply, Reply)
    assert (reply.text, reply.route) == (first.text, Route.PERSON)
    assert shop.store.turn(reply.turn_id).flags == ("taken_over",)
