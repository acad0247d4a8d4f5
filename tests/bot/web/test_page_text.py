"""The page's own strings, and the language that a browser is greeted in."""

from __future__ import annotations

import pytest

from bot.conversation import Language
from bot.errors import InputRefused
from bot.web.page_text import page_text, preferred_language, refusal_text


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.ZH),
        ("zh", Language.ZH),
        ("zh-Hans-TW", Language.ZH_HANT),
        ("zh-TW,zh;q=0.9,en-US;q=0.8", Language.ZH_HANT),
        ("zh-Hant", Language.ZH_HANT),
        ("zh-HK", Language.ZH_HANT),
        ("en-GB,en;q=0.9,zh;q=0.8", Language.EN),
        ("en;q=0.3, zh-CN;q=0.7", Language.ZH),
        ("fr-FR,fr;q=0.9,zh;q=0.5", Language.ZH),
        ("fr-FR,fr;q=0.9", Language.EN),
        ("*", Language.EN),
        ("", Language.EN),
        ("zh;q=1.2.3,en", Language.EN),
        ("x" * 10_000, Language.EN),
        ("中文, zh", Language.ZH),
    ],
)
def test_the_browser_chooses_the_language_of_the_page(header: str, language: Language) -> None:
    assert preferred_language(header) is language


def test_every_language_has_every_string() -> None:
    assert (
        page_text(Language.ZH).keys() == page_text(Language.EN).keys() == page_text(Language.ZH_HANT).keys()
    )
    assert page_text(Language.ZH_HANT)["back_to_chat"] == "返回對話"


def test_a_refusal_is_told_in_the_teams_wording() -> None:
    wording = {"too_long": "最多 {limit} 字", "technical_problem": "出错了"}
    assert refusal_text(InputRefused("too_long", "2001 characters", limit=2000), wording) == "最多 2000 字"
    assert refusal_text(InputRefused("unheard_of", "…"), wording) == "出错了"
