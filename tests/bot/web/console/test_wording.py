"""The console's wording and templates: both languages say the same things, and nothing stands in a page that its policy forbids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.conversation import Language, Route
from bot.memory.calls import CallReason, DeskEventKind
from bot.memory.staff import Role
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
