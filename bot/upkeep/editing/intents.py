"""An intent's file as the fields of a form, and the fields as the file; messages likewise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import yaml

from bot.content import Wording
from bot.errors import ContentError
from bot.upkeep.editing.articles import entries, plain_lines
from bot.upkeep.editing.yaml_values import KeyPath, Value, with_values

LANGUAGES = ("zh", "en")
SLOTS = (
    "order_number",
    "repair_ticket",
    "phone",
    "email",
    "date",
    "amount",
    "product",
)  # that are found in words
HANDOFFS = ("never", "offer", "always")
_ORDER = (  # of a new file
    *("title_zh", "title_en", "articles", "handoff", "quick_replies"),
    *("answer_zh", "answer_en", "examples_zh", "examples_en"),
)


@dataclass(frozen=True)
class SlotFields:
    """What is asked for before the answer is given."""

    required: bool = False
    ask_zh: str = ""
    ask_en: str = ""


@dataclass(frozen=True)
class IntentFields:
    """An intent as it is edited: every value is the text of its field, lists have one entry a line."""

    title_zh: str = ""
    title_en: str = ""
    answer_zh: str = ""
    answer_en: str = ""
    examples_zh: str = ""
    examples_en: str = ""
    articles: str = ""
    quick_replies: str = ""
    handoff: str = "never"
    slots: Mapping[str, SlotFields] | None = None

    @classmethod
    def of(cls, values: Mapping[str, str]) -> IntentFields:
        """The fields of a form that was sent; others are ignored."""
        texts = {
            each.name: plain_lines(values.get(each.name, ""))
            for each in fields(cls)
            if each.name not in ("slots", "handoff")
        }
        slots = {
            name: SlotFields(
                required=f"slot.{name}.required" in values,
                ask_zh=plain_lines(values.get(f"slot.{name}.zh", "")),
                ask_en=plain_lines(values.get(f"slot.{name}.en", "")),
            )
            for name in SLOTS
            if f"slot.{name}" in values
        }
        return cls(**texts, handoff=values.get("handoff", "never"), slots=slots)


def read_intent(data: bytes, name: str) -> IntentFields:
    """The fields of an intent's file; what it does not say is empty.

    Raises:
        ContentError: it is no YAML.
    """
    try:
        read = yaml.safe_load(data.decode("utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContentError(f"{name} cannot be read: {error}. Mend the file by hand.") from error
    content = read if isinstance(read, dict) else {}
    return IntentFields(
        **{
            f"{key}_{language}": _shown(_at(content, key, language))
            for key in ("title", "answer", "examples")
            for language in LANGUAGES
        },
        articles=_shown(content.get("articles")),
        quick_replies=_shown(content.get("quick_replies")),
        handoff=str(content.get("handoff", "never")),
        slots={str(slot): _slot(rule) for slot, rule in _mapping(content.get("slots")).items()},
    )


def write_intent(before: bytes | None, edited: IntentFields, *, intent: str, name: str) -> bytes:
    """The file with the fields in it; the same bytes if nothing was edited.

    Raises:
        ContentError: the file is written in a way that cannot be edited by machine.
    """
    present = None if before is None else read_intent(before, name)
    if before is not None and present == edited:
        return before
    slots = {} if edited.slots is None else edited.slots
    listed = ("articles", "quick_replies", "examples_zh", "examples_en")
    values: dict[KeyPath, Value] = {("id",): intent}
    for field in _ORDER:
        chosen = getattr(edited, field)
        if present is None or chosen != getattr(present, field):
            key, _, language = field.partition("_") if field[-3:] in ("_zh", "_en") else (field, "", "")
            path = (key, language) if language else (key,)
            values[path] = (entries(chosen) or None) if field in listed else chosen
    if present is None or slots != present.slots:
        values[("slots",)] = {slot: _rule(rule) for slot, rule in slots.items()} or None
    return with_values("" if before is None else before.decode("utf-8"), values, name).encode()


def read_messages(data: bytes, name: str) -> dict[str, dict[str, str]]:
    """What is said around answers: language → key → text; lists have one entry a line.

    Raises:
        ContentError: it is no YAML.
    """
    try:
        read = _mapping(yaml.safe_load(data.decode("utf-8")))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContentError(f"{name} cannot be read: {error}. Mend the file by hand.") from error
    return {
        language: {key: _shown(_mapping(read.get(language)).get(key)) for key in Wording.model_fields}
        for language in LANGUAGES
    }


def write_messages(before: bytes, edited: Mapping[str, Mapping[str, str]], name: str) -> bytes:
    """The file with these texts in it; what is not named stays.

    Raises:
        ContentError: the file is written in a way that cannot be edited by machine.
    """
    values: dict[KeyPath, Value] = {}
    for language, texts in edited.items():
        for key, text in texts.items():
            values[(language, key)] = entries(text) if key == "suggested" else plain_lines(text)
    return with_values(before.decode("utf-8"), values, name).encode()


def _rule(slot: SlotFields) -> dict[str, Any]:
    asks = {"zh": slot.ask_zh, "en": slot.ask_en}
    return {"required": slot.required, **({"ask": asks} if any(asks.values()) else {})}


def _slot(rule: object) -> SlotFields:
    values = _mapping(rule)
    ask = _mapping(values.get("ask"))
    return SlotFields(
        values.get("required") is True, str(ask.get("zh", "")).strip(), str(ask.get("en", "")).strip()
    )


def _at(content: Mapping[str, Any], key: str, language: str) -> object:
    return _mapping(content.get(key)).get(language)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(str(each).strip() for each in value)
    return "" if value is None else str(value).strip()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
