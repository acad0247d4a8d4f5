"""Which messages lean on the one before."""

import pytest

from bot.understanding.context import looks_like_follow_up, with_context


@pytest.mark.parametrize(
    "text",
    ["那会员呢？", "那香港呢", "要多久", "如果已经拆了呢", "它能退吗", "金卡也一样吗", "为什么", "还有发票呢",
     "and for gold members?", "what about opened ones", "how long does it take", "why", "even if it's opened?", "is that free too", "Hong Kong?"],
)  # fmt: skip
def test_a_message_that_leans_on_the_one_before_is_a_follow_up(text: str) -> None:
    assert looks_like_follow_up(text)


@pytest.mark.parametrize(
    "text",
    ["我想把昨天买的扫地机器人换成白色的可以直接换货吗", "怎么开增值税专用发票", "我的订单三天了还没有发货怎么回事",
     "can I return earphones that I have already opened", "How do I get a VAT invoice for my company",
     "my parcel arrived with a crushed box this morning"],
)  # fmt: skip
def test_a_question_of_its_own_is_none(text: str) -> None:
    assert not looks_like_follow_up(text)


def test_a_follow_up_is_read_with_the_question_before_it() -> None:
    assert with_context("那会员呢？", "几天内可以退货 ") == "几天内可以退货 那会员呢？"
