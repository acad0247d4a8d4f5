"""The console's wording and templates: both languages say the same things, and nothing stands in a page that its policy forbids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.conversation import Language, Route
from bot.filled import filled
from bot.memory.calls import CallReason, DeskEventKind
from bot.memory.staff import Role
from bot.progress_bars import NAMES
from bot.safety.redact import KINDS
from bot.web.console.navigation import PLACES
from bot.web.console.render import TEMPLATES
from bot.web.console.text import console_text

ZH, EN = console_text(Language.ZH), console_text(Language.EN)
FORBIDDEN = re.compile(
    r"\sstyle=|<style|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*\ssrc=)|hx-vals='js:", re.IGNORECASE
)
_HAN = re.compile(r"[\u4e00-\u9fff]")


def leaves(text: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(text, dict):
        for key, value in text.items():
            yield from leaves(value, f"{path}.{key}")
    elif isinstance(text, list):
        for place, value in enumerate(text):
            yield from leaves(value, f"{path}.{place}")
    else:
        yield path, text


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    zh, en = dict(leaves(ZH)), dict(leaves(EN))
    assert zh.keys() == en.keys()
    for path, text in zh.items():
        assert isinstance(text, str), path
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", en[path])), path
        assert text.strip(), path


def test_no_text_is_in_the_wrong_language() -> None:
    wrong = [path for path, text in leaves(EN) if _HAN.search(text) and path != ".languages.zh"]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "counts", "one", "many"),
    [
        (EN["overview"]["turns"], ("n",), "1 turn", "2 turns"),
        (EN["queue"]["turns"], ("n",), "1 turn", "2 turns"),
        (EN["gaps"]["asked"], ("turns", "talks"), "asked 1 time in 1 talk", "asked 2 times in 2 talks"),
        (EN["gaps"]["asked_again"], ("n",), "asked 1 time since it", "asked 2 times since it"),
        (EN["gaps"]["failures"], ("n",), "1 more turn had technical problems and is", "2 more turns"),
        (EN["knowledge"]["not_asked"], ("n",), "1 question that it hardly concerns was", "2 questions"),
        (ZH["overview"]["turns"], ("n",), "1 轮", "2 轮"),
        (ZH["gaps"]["asked"], ("turns", "talks"), "1 个会话问了 1 次", "2 个会话问了 2 次"),
    ],
)
def test_one_is_no_plural(text: str, counts: tuple[str, ...], one: str, many: str) -> None:
    assert one in filled(text, **dict.fromkeys(counts, 1))
    assert many in filled(text, **dict.fromkeys(counts, 2))


def test_a_number_before_an_english_noun_says_which_word_it_takes() -> None:
    nouns = re.compile(r"\{\w+\} (?:turns|times|talks|questions|days|hours|characters|files)\b")
    fixed = {"{n} days", "{least} characters"}  # never 1
    found = {match for _, text in leaves(EN) for match in nouns.findall(text)}
    assert found <= fixed


def test_whatever_can_happen_has_a_name() -> None:
    for text in (ZH, EN):
        assert {route.value for route in Route} <= set(text["routes"])
        assert {reason.value for reason in CallReason} <= set(text["reasons"])
        assert {role.name.lower() for role in Role} <= set(text["roles"]) & set(text["role_hints"])
        assert {kind.lower() for kind in KINDS} <= set(text["talk"]["fact_kinds"])
        assert {"joined", "left", "closed"} <= set(text["talk"]["happened"])
        assert {place.key for place in PLACES} <= set(text["nav"])
        assert {language.value for language in Language} <= set(text["content_languages"])
    assert len(DeskEventKind) == 5


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.iterdir()))
def test_a_template_holds_nothing_that_the_policy_forbids(template: str) -> None:
    assert FORBIDDEN.findall((TEMPLATES / template).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.iterdir()))
def test_every_form_that_posts_carries_the_proof(template: str) -> None:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
        assert "hidden_csrf(" in form or "data-presence" in form, form


def test_every_stage_of_a_night_is_named_as_in_the_terminal_and_in_chinese() -> None:
    assert EN["training"]["stages"] == NAMES
    assert set(ZH["training"]["stages"]) == set(NAMES)
