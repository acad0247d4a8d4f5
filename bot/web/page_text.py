"""What the page says that is not the support team's wording, and which language to say it in.

The team's wording (greeting, buttons, notices) lives in the knowledge base; `locale/` holds the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.conversation import Language
from bot.errors import InputRefused
from bot.memory.calls import DeskEvent, DeskEventKind
from bot.understanding.language import to_traditional

_LOCALE = Path(__file__).parent / "locale"
_RANGE = re.compile(r"([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([0-9.]+))?\s*")
_TRADITIONAL = ("hant", "tw", "hk", "mo")
_HAPPENED = {
    DeskEventKind.JOINED: "person_joined",
    DeskEventKind.LEFT: "bot_is_back",
    DeskEventKind.CLOSED: "talk_closed",
}


@cache
def page_text(language: Language) -> Mapping[str, str]:
    """The page's own strings in `language`."""
    strings: dict[str, str] = yaml.safe_load(
        (_LOCALE / f"{language.content}.yaml").read_text(encoding="utf-8")
    )
    if language is Language.ZH_HANT:
        return {key: to_traditional(text) for key, text in strings.items()}
    return strings


def preferred_language(accept_language: str) -> Language:
    """The language to greet a browser in, from its Accept-Language header; English if it names none of ours."""
    ranges = [
        match.groups()
        for part in accept_language.split(",")[:20]
        if (match := _RANGE.fullmatch(part.strip()))
    ]
    for tag, _ in sorted(ranges, key=lambda item: -_quality(item[1])):
        primary, *rest = tag.lower().split("-")
        if primary == "zh":
            return Language.ZH_HANT if any(part in _TRADITIONAL for part in rest) else Language.ZH
        if primary == "en":
            return Language.EN
    return Language.EN


def refusal_text(refusal: InputRefused, wording: Mapping[str, Any]) -> str:
    """Why a message was not taken, in the team's wording."""
    return str(wording.get(refusal.code, wording["technical_problem"])).format_map(refusal.details)


def happened(event: DeskEvent, language: Language) -> str:
    """The line that tells a customer what happened at the desk; "" for what somebody said."""
    key = _HAPPENED.get(event.kind)
    return "" if key is None else page_text(language)[key].replace("{name}", event.name)


def _quality(text: str | None) -> float:
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 0.0
