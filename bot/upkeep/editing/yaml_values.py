"""Sets values in YAML that people wrote, and leaves the rest as it stands: comments, order, quotes, line breaks.

ruamel.yaml keeps all of that. It writes YAML 1.2, which is read here as YAML 1.1 (PyYAML), where a bare `yes`, `on` or
`12:30` is no text; so such texts are quoted, and what was written is read again and compared.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import (
    DoubleQuotedScalarString,
    FoldedScalarString,
    LiteralScalarString,
    SingleQuotedScalarString,
)

from bot.errors import ContentError

Value = str | bool | date | None | Sequence[str] | Mapping[str, Any]
KeyPath = tuple[str, ...]

_BLOCKS = (FoldedScalarString, LiteralScalarString)


def with_values(text: str, values: Mapping[KeyPath, Value], name: str) -> str:
    """The YAML text with values set.

    Args:
        text: a mapping, or nothing.
        values: by path, like ("answer", "zh"). None takes the key away; a value that is there already changes nothing.
        name: of the file, for messages.

    Raises:
        ContentError: the text is no mapping, or is written in a way that cannot be edited by machine.
    """
    present = _plain(text, name)
    changed = {path: value for path, value in values.items() if not _same(_at(present, path), value)}
    if not changed:
        return text
    document = _load(text, name)
    for path, value in changed.items():
        _set(document, path, value)
        _set(present, path, value)
    written = _dump(document)
    if _plain(written, name) != _as_read(present):
        raise ContentError(f"{name} is written in a way that cannot be edited here. Edit the file by hand.")
    return written


def _plain(text: str, name: str) -> dict[str, Any]:
    try:
        read = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ContentError(f"{name} is no YAML: {error}. Mend the file by hand.") from error
    if not isinstance(read, dict | None):
        raise ContentError(f"{name} holds no keys. Mend the file by hand.")
    return {} if read is None else read


def _load(text: str, name: str) -> Any:
    try:
        document = _yaml().load(text)
    except YAMLError as error:
        raise ContentError(f"{name} cannot be edited here: {error}. Edit the file by hand.") from error
    return CommentedMap() if document is None else document


def _dump(document: Any) -> str:
    out = io.StringIO()
    _yaml().dump(document, out)
    return out.getvalue()


def _yaml() -> YAML:
    made = YAML()
    made.width = 10**9
    made.preserve_quotes = True
    made.allow_unicode = True
    made.indent(mapping=2, sequence=4, offset=2)
    return made


def _at(document: Any, path: KeyPath) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _same(present: Any, value: Any) -> bool:
    """Whether a value is there already; a text that only a block's line end tells apart is the same."""
    if value is None:
        return present is None or present in ([], "")
    if isinstance(present, str) and isinstance(value, str):
        return present.strip() == value.strip()
    return bool(_as_read(present) == _as_read(value))


def _as_read(value: Any) -> Any:
    """As YAML reads it back: lists for every sequence, plain texts, without keys that have no value."""
    if isinstance(value, Mapping):
        return {key: _as_read(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_as_read(each) for each in value]
    return value


def _set(document: Any, path: KeyPath, value: Value) -> None:
    *parents, key = path
    for parent in parents:
        if not isinstance(document.get(parent), Mapping):
            document[parent] = {} if type(document) is dict else CommentedMap()
        document = document[parent]
    if value is None:
        document.pop(key, None)
    elif isinstance(document, CommentedMap):
        document[key] = _written(value, document.get(key))
    else:
        document[key] = value


def _written(value: Any, before: Any = None) -> Any:
    """A value as ruamel.yaml is to write it: lists stay in the style that they had, and so do entries that stay."""
    if isinstance(value, str):
        return _text(value, before)
    if isinstance(value, Mapping):
        return CommentedMap({key: _written(each) for key, each in value.items()})
    if not isinstance(value, Sequence):
        return value
    if not isinstance(before, CommentedSeq):
        return [_text(each, None) for each in value]
    kept = {each: each for each in before if isinstance(each, str)}
    before[:] = [kept.get(each, _text(each, None)) for each in value]
    return before


def _text(value: str, before: Any) -> Any:
    """In a block where it stood in one; quoted where a reader of YAML 1.1 would not see a text."""
    if not all(line.isprintable() for line in value.split("\n")):
        return DoubleQuotedScalarString(value)
    if "\n" in value:
        return LiteralScalarString(value)
    if isinstance(before, _BLOCKS) and value.strip():
        return type(before)(value)
    try:
        bare = yaml.safe_load(value) == value
    except (yaml.YAMLError, ValueError):
        bare = False
    return value if bare else SingleQuotedScalarString(value)
