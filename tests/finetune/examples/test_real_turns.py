"""Conversations become single questions, as the bot would meet them."""

from __future__ import annotations

from dataclasses import replace

from bot.answering.prompt import PromptMessage
from bot.conversation import Language
from finetune.examples.real_turns import real_turns, without_marks
from finetune.records import ShownPassage
from tests.example_talks import talk


def test_a_follow_up_is_asked_with_the_question_that_it_follows_and_its_history() -> None:
    conversation = talk("t", ("大家电保修几年", "大家电保修 3 年。"), ("那金卡会员呢", "另加 6 个月。"))
    first, second = real_turns([conversation])
    assert (first.question, first.history) == ("大家电保修几年", ())
    assert second.question == "大家电保修几年 那金卡会员呢"
    assert second.history == (
        PromptMessage("user", "大家电保修几年"),
        PromptMessage("assistant", "大家电保修 3 年。"),
    )
    assert second.id == "t-t-2"
    assert second.answer == "另加 6 个月。"


def test_the_history_is_as_long_as_when_serving() -> None:
    pairs = [(f"怎样把第 {n} 种商品寄回你们的仓库", f"第 {n} 种。") for n in range(5)]
    *_, last = real_turns([talk("t", *pairs)])
    assert [message.text for message in last.history] == [
        pairs[2][0],
        pairs[2][1],
        pairs[3][0],
        pairs[3][1],
    ]


def test_traditional_characters_are_read_as_simplified_ones() -> None:
    (turn,) = real_turns([talk("t", ("運費多少錢", "滿 99 元包郵。"), language=Language.ZH_HANT)])
    assert (turn.language, turn.question, turn.answer) == (Language.ZH, "运费多少钱", "满 99 元包邮。")


def test_what_is_not_selected_is_history_only() -> None:
    conversation = talk("t", ("大家电保修几年", "3 年。"), ("怎样把洗衣机退回你们的仓库", "请先申请退货。"))
    first, second = conversation.exchanges
    context = replace(conversation, exchanges=(replace(first, selected=False), second))
    (turn,) = real_turns([context])
    assert turn.question == "怎样把洗衣机退回你们的仓库"
    assert len(turn.history) == 2


def test_a_turn_without_an_answer_is_a_refusal_only_if_somebody_agreed() -> None:
    refused = talk("t", ("有没有红色的", "没有找到答案。"), author="bot", route="no_answer", selected=False)
    assert (
        list(real_turns([refused])) == []
    )  # else what the bot cannot answer yet, it would learn not to answer
    agreed, disliked = (
        replace(refused, exchanges=(replace(refused.exchanges[0], rating=rating),)) for rating in (1, -1)
    )
    (turn,) = real_turns([agreed])
    assert turn.answer == ""
    assert list(real_turns([disliked])) == []
    corrected = replace(
        refused, exchanges=(replace(refused.exchanges[0], rejected="没有。", answer="有。", selected=True),)
    )
    (turn,) = real_turns([corrected])
    assert turn.answer == "有。"


def test_a_refusal_is_no_history() -> None:
    conversation = talk("t", ("有没有红色的", "没有找到答案。"), ("大家电保修几年", "3 年。"), author="bot")
    first, second = conversation.exchanges
    mixed = replace(
        conversation,
        exchanges=(replace(first, route="no_answer", selected=False), replace(second, route="grounded")),
    )
    *_, last = real_turns([mixed])
    assert last.history == ()


def test_an_answer_loses_the_numbers_of_its_sources_and_keeps_its_links() -> None:
    assert without_marks("满 99 元包邮 [1]。见[物流](/orders) [2]") == "满 99 元包邮。见[物流](/orders)"


def test_the_articles_that_lay_before_whoever_answered_are_kept_once_each() -> None:
    shown = (ShownPassage("a", "a#1"), ShownPassage("b", "b#1"), ShownPassage("a", "a#2"))
    (turn,) = real_turns([talk("t", ("保修多久", "1 年。"), passages=shown)])
    assert turn.articles == ("a", "b")
