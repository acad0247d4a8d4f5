"""What the widget and the demonstration page say that is not the support team's wording."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.conversation import Language
from bot.understanding.language import to_traditional

_LOCALE = Path(__file__).parent / "locale"
_DAY = re.compile(r"(?<![A-Za-z])(?:Mo|Tu|We|Th|Fr|Sa|Su|PH|off|24/7)(?![A-Za-z])")

Text = Mapping[str, Any]


@cache
def widget_text(language: Language) -> Text:
    """The sections `widget`, `demo` and `hours` of the widget's wording in `language`."""
    text: Text = yaml.safe_load((_LOCALE / f"widget.{language.content}.yaml").read_text(encoding="utf-8"))
    return _converted(text) if language is Language.ZH_HANT else text


def readable_hours(rules: str, language: Language) -> str:
    """Opening hours as people read them, from the way that OpenStreetMap writes them."""
    words: Mapping[str, str] = widget_text(language)["hours"]
    return _DAY.sub(lambda match: words.get(match.group(), match.group()), rules).replace(";", words["and"])


def _converted(value: Any) -> Any:
    if isinstance(value, str):
        return to_traditional(value)
    if isinstance(value, list):
        return [_converted(item) for item in value]
    return {key: _converted(item) for key, item in value.items()}
