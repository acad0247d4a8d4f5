"""What the console says, and which language to say it in: the browser's, or the one that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from starlette.requests import Request

from bot.conversation import Language
from bot.web.page_text import preferred_language

LANGUAGES = (Language.ZH, Language.EN)
LANGUAGE_COOKIE = "kefu_console_language"
_LOCALE = Path(__file__).parents[1] / "locale"

Text = Mapping[str, Any]  # sections of texts, as the locale file nests them


@cache
def console_text(language: Language) -> Text:
    """Everything that the console says in `language`."""
    text: Text = yaml.safe_load((_LOCALE / f"console.{language.content}.yaml").read_text(encoding="utf-8"))
    return text


def console_language(request: Request) -> Language:
    """The language to show the console in."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    for language in LANGUAGES:
        if chosen == language.value:
            return language
    return preferred_language(request.headers.get("accept-language", "")).content
