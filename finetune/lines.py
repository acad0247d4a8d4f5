"""JSON Lines: one object a line, for every reader."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from finetune.errors import RecordError

# JSON leaves these as they are inside a string, but many readers take them for the end of a line.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def json_line(row: Mapping[str, Any]) -> str:
    """One JSON object on one line for every reader."""
    return json.dumps(row, ensure_ascii=False).translate(_LINE_ENDS) + "\n"


def json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A whole file of JSON objects, in UTF-8."""
    return "".join(map(json_line, rows)).encode()


def read_lines(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file with their places, `name:line`; empty lines are passed over.

    Raises:
        RecordError: a line is no JSON object; names the place.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RecordError(f"{name}:{number} is no JSON ({error}). Make the file again.") from error
        if not isinstance(row, dict):
            raise RecordError(f"{name}:{number} holds {type(row).__name__}, no object. Make the file again.")
        yield f"{name}:{number}", row
