"""Materials for the checks, made of values: what a test does not name is empty or ordinary."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from bot.content import Content, Intent, Wording
from bot.understanding.intents import TrainingSet
from bot.upkeep.checks.materials import Materials
from retrieval.documents import Article
from tests.fakes import WordEncoder

TODAY = date(2026, 11, 27)
_WORDS = {key: f"{key}." for key in Wording.model_fields} | {"suggested": ["?"]}


def intent(name: str, zh: str = "好的。", en: str = "Fine.", **fields: Any) -> Intent:
    """An intent with an answer in both languages."""
    ordinary = {
        "title": {"zh": f"{name} 标题", "en": f"{name} title"},
        "examples": {"zh": [f"{name} 例句"], "en": [f"{name} example"]},
    }
    return Intent.model_validate({"id": name, "answer": {"zh": zh, "en": en}, **ordinary, **fields})


def article(name: str, language: str = "zh", body: str = "正文。", **fields: Any) -> Article:
    """One face of an article."""
    ordinary = {"title": f"{name} {language}", "path": f"articles/{language}/{name}.md"}
    return Article(id=name, language=language, body=body, **{**ordinary, **fields})


def materials(
    articles: Iterable[Article] = (),
    intents: Iterable[Intent] = (),
    *,
    out_of_scope: tuple[str, ...] = ("写一首诗",),
    **fields: Any,
) -> Materials:
    """Everything that is checked, of the articles and intents given."""
    content = Content.model_validate(
        {
            "intents": {each.id: each for each in intents},
            "out_of_scope": {"zh": out_of_scope, "en": ("write a poem",)},
            "messages": {"zh": _WORDS, "en": _WORDS},
        }
    )
    ordinary: dict[str, Any] = {
        "lines": {},
        "encoder": WordEncoder(),
        "reader": WordEncoder(),
        "examples": TrainingSet((), ()),
        "corrections": (),
        "log": None,
        "today": TODAY,
        "soon": 30,
        "passage_limit": 600,
        "index": "20261127-000000-abcdef",
    }
    return Materials(content=content, articles=tuple(articles), **{**ordinary, **fields})
