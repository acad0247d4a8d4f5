"""Which language a customer writes."""

import pytest

from bot.conversation import Language
from bot.understanding.language import detect, to_simplified, to_traditional


@pytest.mark.parametrize(
    ("text", "language", "mixed"),
    [
        ("退款", Language.ZH, False),
        ("我的快递三天没动了，怎么办？", Language.ZH, False),
        ("退貨要多久", Language.ZH_HANT, False),
        ("can i return opened earphones", Language.EN, False),
        ("hi", Language.EN, False),
        ("我的order到哪了", Language.ZH, True),
        ("my 快递 is stuck", Language.EN, True),
        ("M5扫地机坏了", Language.ZH, False),
        ("Wi-Fi连不上", Language.ZH, False),
        ("订单 KF20261103-0042 到哪了", Language.ZH, False),
        ("where is KF20261103-0042", Language.EN, False),
    ],
)
def test_the_language_is_that_of_the_words(text: str, language: Language, mixed: bool) -> None:
    found = detect(text)
    assert (found.language, found.mixed) == (language, mixed)


@pytest.mark.parametrize("text", ["KF20261103-0042", "👍👍", "123", "???"])
@pytest.mark.parametrize("before", list(Language))
def test_a_text_without_words_keeps_the_language_of_the_talk(text: str, before: Language) -> None:
    assert detect(text, default=before).language is before


def test_characters_common_to_both_scripts_stay_traditional_in_a_traditional_talk() -> None:
    assert detect("好的", default=Language.ZH_HANT).language is Language.ZH_HANT
    assert detect("好的", default=Language.EN).language is Language.ZH


def test_scripts_are_converted_both_ways() -> None:
    assert to_simplified("退貨") == "退货"
    assert to_traditional("退货") == "退貨"
