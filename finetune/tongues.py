"""What Kefu tells people of the team, in both languages at once: they choose which one they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Tongue = Literal["zh", "en"]
TONGUES: tuple[Tongue, ...] = ("zh", "en")
Told = Mapping[Tongue, str]  # the same in both languages

TOLD = Path(__file__).with_name("told.yaml")  # what a night tells beside the verdict on the adapter
NOTHING: Told = {"zh": "", "en": ""}
LISTED: Told = {"zh": "、", "en": ", "}  # between the parts of a list
_BETWEEN: Told = {"zh": "", "en": " "}


@cache
def read_words(path: Path) -> Mapping[str, Mapping[str, Told]]:
    """A YAML file of words: section → key → both languages."""
    found: dict[str, dict[str, dict[Tongue, str]]] = yaml.safe_load(path.read_text("utf-8"))
    return found


def as_it_is(text: str) -> Told:
    """What there is in one language only."""
    return dict.fromkeys(TONGUES, text)


def filled(sentence: Told, **values: object | Told) -> Told:
    """A sentence with its places filled; a value that is there in both languages, in that of the sentence."""
    return {
        tongue: sentence[tongue].format_map(
            {name: value[tongue] if isinstance(value, Mapping) else value for name, value in values.items()}
        )
        for tongue in TONGUES
    }


def joined(sentences: Iterable[Told], between: Told = _BETWEEN) -> Told:
    """One sentence after another."""
    said = list(sentences)
    return {tongue: between[tongue].join(each[tongue] for each in said) for tongue in TONGUES}
