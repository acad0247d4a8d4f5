"""The formats that can be imported, by name, and which of them a file is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Literal

from finetune.errors import ImportFailed
from finetune.importers.chats import read_alpaca, read_messages, read_sharegpt
from finetune.importers.chatwoot import is_chatwoot, read_chatwoot
from finetune.importers.reading import Reading, Row, Talk, json_rows
from finetune.importers.tables import read_csv
from finetune.importers.transcripts import looks_like_transcript, read_transcript
from finetune.importers.workbooks import read_workbook
from finetune.importers.zendesk import is_zendesk, read_zendesk

ImportFormat = Literal["csv", "excel", "messages", "sharegpt", "alpaca", "chatwoot", "zendesk", "transcript"]
Importer = Callable[[Reading], Iterator[Talk]]

IMPORTERS: Mapping[ImportFormat, Importer] = {
    "csv": read_csv,
    "excel": read_workbook,
    "messages": read_messages,
    "sharegpt": read_sharegpt,
    "alpaca": read_alpaca,
    "chatwoot": read_chatwoot,
    "zendesk": read_zendesk,
    "transcript": read_transcript,
}
_LOOKED_AT = 20  # rows of a JSON file; the first ones may be broken or meant for somebody else
_TABLES = (".csv", ".tsv")
_WORKBOOKS = (".xlsx", ".xlsm")


def detect(reading: Reading) -> ImportFormat:
    """The format of a file, by its name and what it holds.

    Raises:
        ImportFailed: it cannot be read, or is in none of the formats.
    """
    suffix = reading.path.suffix.lower()
    if suffix in _WORKBOOKS:
        return "excel"
    start = reading.text[:2000].lstrip("\ufeff \n\t")
    if start.startswith(("{", "[")) and (found := _json_format(reading)) is not None:
        return found
    if suffix in _TABLES:
        return "csv"
    if looks_like_transcript(reading.text):
        return "transcript"
    raise ImportFailed(
        f"{reading.path} is in no format that is known here. Give --format {', '.join(IMPORTERS)}, or see that the file "
        "is what it should be."
    )


def _json_format(reading: Reading) -> ImportFormat | None:
    """Looked at beside the reading itself, so that broken lines are noted once, by the importer."""
    beside = Reading(reading.path, reading.zone)
    beside.__dict__.update(data=reading.data, text=reading.text)
    try:
        rows = [row for _, row in islice(json_rows(beside), _LOOKED_AT)]
    except ImportFailed:
        if reading.path.suffix.lower().startswith((".json", ".ndjson")):
            raise
        return None  # a transcript whose first line is [10:02] …
    return next((found for row in rows if (found := _shape(row)) is not None), None)


def _shape(row: Row) -> ImportFormat | None:
    if is_chatwoot(row):
        return "chatwoot"
    if is_zendesk(row):
        return "zendesk"
    if _lists(row, "messages"):
        return "messages"
    if _lists(row, "conversations") or _lists(row, "items"):
        return "sharegpt"
    return "alpaca" if {"instruction", "output"} <= set(row) or {"prompt", "completion"} <= set(row) else None


def _lists(row: Row, name: str) -> bool:
    """Whether the field is a list of messages, each with a speaker."""
    parts = row.get(name)
    return isinstance(parts, list) and any(
        isinstance(part, dict) and {"role", "from"} & set(part) for part in parts
    )
