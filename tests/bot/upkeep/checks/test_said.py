"""Every sentence of the checks is there in both languages, and a finding can be read in either."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.upkeep import checks
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Severity
from bot.upkeep.checks.polarity import FREE, NO, PAID, YES
from bot.upkeep.checks.said import SENTENCES, Words, amount, in_language, listed, said
from bot.upkeep.checks.values import values

_PLACES = re.compile(r"\{(\w+)\}")
_HAN = re.compile("[\u4e00-\u9fff]")
_BY_VARIABLE = {"zh", "en", "knowledge", "voted down", "corrected", YES, NO, FREE, PAID}


def test_both_languages_say_the_same_things() -> None:
    for name, (english, chinese) in SENTENCES.items():
        assert not _HAN.search(english), name
        if name != "amount":
            assert set(_PLACES.findall(english)) == set(_PLACES.findall(chinese)), name


def test_every_sentence_is_said_by_a_check_and_every_check_says_one_that_is_there() -> None:
    folder = Path(checks.__file__).parent
    code = "".join(path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "said.py")
    used = {
        name for call in re.findall(r"\bsaid\(\s*([^,()]+)", code) for name in re.findall(r'"([\w ]+)"', call)
    }
    assert used <= set(SENTENCES)
    assert set(SENTENCES) - used - _BY_VARIABLE == {"and", "or", "then", "amount"}


@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        (
            said("expired", day="2026-03-01", n=1),
            "Ended on 2026-03-01, 1 day ago; customers who ask read that it is over.",
            "2026-03-01 到期，已过 1 天；问到的客户会看到它已过期。",
        ),
        (
            said("face_span", language=said("zh"), span=said("span_until", last="2027-05-01")),
            "zh: until 2027-05-01",
            "中文：到 2027-05-01",
        ),
        (listed(["a", "b", "c"]), "a, b, c", "a、b、c"),
        (listed(["a"], "or"), "a", "a"),
        ("只读的词", "只读的词", "只读的词"),
    ],
)
def test_a_sentence_is_said_in_the_language_of_its_reader(words: Words, english: str, chinese: str) -> None:
    assert str(words) == english
    assert in_language(words, "en") == english
    assert in_language(words, "zh") == chinese


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("保修 2 年", "2 years", "2 年"),
        ("postage is 10 yuan", "10 yuan", "10 元"),
        ("20:30", "20:30", "20:30"),
    ],
)
def test_an_amount_is_said_with_its_unit(text: str, english: str, chinese: str) -> None:
    (value,) = values(text)
    assert str(amount(value)) == english
    assert in_language(amount(value), "zh") == chinese


def test_a_diagnostic_is_english_for_terminals_and_files() -> None:
    found = Diagnostic(Kind.EXPIRED, Severity.WARNING, said("same_question"), (), said("same_question_do"))
    assert (found.message, found.remedy) == (
        "Both articles name the same question.",
        "Leave it to the article that answers it.",
    )
