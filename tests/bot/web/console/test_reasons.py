"""Why a person was called, as the console words it: an intent by its title, a word of the team's list as it stands there."""

from __future__ import annotations

import jinja2
import pytest

from bot.conversation import Language
from bot.desk.board import ReasonCount
from bot.memory.calls import CallReason
from bot.web.console.render import TEMPLATES
from bot.web.console.text import console_text

PIECES = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True).get_template(
    "talk_pieces.html.jinja"
)


@pytest.mark.parametrize(
    ("language", "reason", "detail", "said"),
    [
        (Language.ZH, CallReason.RULE, "damaged", "规则要求：收到破损"),
        (Language.ZH, CallReason.WORD, "12315", "词表中的词：12315"),
        (
            Language.EN,
            CallReason.WORD,
            "damaged",
            "A word of your list: damaged",
        ),  # not the intent of that name
        (Language.EN, CallReason.WORD, "<律师>", "A word of your list: &lt;律师&gt;"),
        (Language.EN, CallReason.FAILURES, "", "No answer found, again and again"),
    ],
)
def test_a_reason_is_worded(language: Language, reason: CallReason, detail: str, said: str) -> None:
    worded = PIECES.module.reason_text(  # type: ignore[attr-defined]
        console_text(language), ReasonCount(reason, detail, 1), lambda _: "收到破损"
    )
    assert str(worded) == said
