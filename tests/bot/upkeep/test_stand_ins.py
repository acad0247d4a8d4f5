"""Masked text made readable again."""

from __future__ import annotations

from functools import partial

import pytest

from bot.conversation import Language
from bot.safety.redact import KINDS, redact
from bot.understanding.slots import SlotFinder, values
from bot.upkeep.stand_ins import readable
from tests.small_shop import TODAY

ASKED = [
    ("我的手机是<PHONE>请联系", Language.ZH),
    ("please ring me on <PHONE> about my refund", Language.EN),
    ("invoice 发到<EMAIL>，谢谢", Language.ZH),
    ("send it to <EMAIL>", Language.EN),
    ("地址改成<ADDRESS>", Language.ZH),
    ("地址改成<ADDRESS>", Language.ZH_HANT),
    ("change my address to <ADDRESS> please", Language.EN),
    ("收货人<NAME>，电话<PHONE>", Language.ZH),
    ("my name is <NAME>, phone <PHONE>", Language.EN),
    ("身份证<ID_CARD>", Language.ZH),
    ("退到银行卡<BANK_CARD>", Language.ZH),
    ("refund to card <BANK_CARD>", Language.EN),
    ("微信号<WECHAT>", Language.ZH),
    ("qq号<WECHAT>", Language.ZH),
    ("车牌<PLATE>", Language.ZH),
]


@pytest.mark.parametrize(("masked", "language"), ASKED)
def test_every_placeholder_gets_a_stand_in_that_is_masked_as_the_same(
    masked: str, language: Language
) -> None:
    text = readable(masked, language, redact)
    assert "<" not in text
    assert redact(text).text == masked


def test_there_is_a_stand_in_for_every_kind_that_is_masked() -> None:
    assert {kind for kind in KINDS if any(f"<{kind}>" in masked for masked, _ in ASKED)} == set(KINDS)


@pytest.mark.parametrize(
    ("masked", "slot"), [("回电<PHONE>", "phone"), ("ring <PHONE>", "phone"), ("发到<EMAIL>", "email")]
)
def test_a_fact_that_was_masked_is_found_again(masked: str, slot: str) -> None:
    found = SlotFinder((), lambda: TODAY).find(readable(masked, Language.EN, redact))
    assert set(values(found)) == {slot}


@pytest.mark.parametrize("text", ["运费多少", "a <b> and <PHONE", "if x<PHONES>y", "订单 KF20261103-0042"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert readable(text, Language.ZH, redact) == text


def test_a_placeholder_that_no_stand_in_keeps_true_stays() -> None:
    shown = partial(redact, allow=["customer@example.org"])  # the company's own mailbox is never masked
    assert readable("写到<EMAIL>或打<PHONE>", Language.ZH, shown) == "写到<EMAIL>或打13800138000"
