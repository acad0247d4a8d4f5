"""The shapes that training tools and people read: OpenAI messages, ShareGPT, Alpaca, and CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from finetune.records import Dialogue, Exchange

Format = Literal["messages", "sharegpt", "alpaca", "csv"]

# JSON leaves these as they are inside a string, but many readers take them for the end of a line.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}

_CSV_COLUMNS = (
    "conversation_id",
    "turn_id",
    "asked_at",
    "question",
    "answer",
    "language",
    "rating",
    "metadata",
)
# What makes a spreadsheet calculate a cell instead of showing it; their full-width twins are taken the same way.
_TRIGGERS = tuple("=+-@\t\r\n＝＋－＠")
_SHOWS_NOTHING = " \u00a0\u3000\u200b\ufeff"


def lines_of(kind: Format, dialogue: Dialogue) -> Iterator[str]:
    """The dialogue as lines of the format, each with its line end. CSV has no header here: see `opening`."""
    if kind == "csv":
        yield from (_csv_line(_csv_cells(dialogue, exchange)) for exchange in dialogue.selected)
    else:
        yield from (json_line(row) for row in _ROWS[kind](dialogue))


def opening(kind: Format) -> str:
    """What a file of the format begins with: for CSV a byte order mark, so that Excel reads Chinese, and the header."""
    return "\ufeff" + _csv_line(_CSV_COLUMNS) if kind == "csv" else ""


def json_line(row: Mapping[str, Any]) -> str:
    """One JSON object on one line for every reader."""
    return json.dumps(row, ensure_ascii=False).translate(_LINE_ENDS) + "\n"


def defuse(cell: str) -> str:
    """The cell with a ' in front when a spreadsheet would calculate it, or when it begins with a ' itself."""
    dangerous = cell.startswith(("'", *_TRIGGERS)) or cell.lstrip(_SHOWS_NOTHING).startswith(_TRIGGERS)
    return f"'{cell}" if dangerous else cell


def undo_defuse(cell: str) -> str:
    """The cell as it was before `defuse`."""
    return cell.removeprefix("'")


def _messages(dialogue: Dialogue) -> Iterator[dict[str, Any]]:
    messages = []
    for exchange in dialogue.exchanges:
        messages.append({"role": "user", "content": exchange.question})
        messages.append({"role": "assistant", "content": exchange.answer})
    yield {"messages": messages, "metadata": _metadata(dialogue)}


def _sharegpt(dialogue: Dialogue) -> Iterator[dict[str, Any]]:
    values = []
    for exchange in dialogue.exchanges:
        values.append({"from": "human", "value": exchange.question})
        values.append({"from": "gpt", "value": exchange.answer})
    yield {"conversations": values, "metadata": _metadata(dialogue)}


def _alpaca(dialogue: Dialogue) -> Iterator[dict[str, Any]]:
    """A row a selected exchange; what came before is its history."""
    history: list[list[str]] = []
    for exchange in dialogue.exchanges:
        if exchange.selected:
            yield {
                "instruction": exchange.question,
                "input": "",
                "output": exchange.answer,
                "history": list(history),
                "metadata": _exchange_metadata(dialogue, exchange),
            }
        history.append([exchange.question, exchange.answer])


_ROWS: dict[str, Callable[[Dialogue], Iterator[dict[str, Any]]]] = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
}


def _metadata(dialogue: Dialogue) -> dict[str, Any]:
    turns = [{**exchange.metadata, "selected": exchange.selected} for exchange in dialogue.exchanges]
    return {"conversation_id": dialogue.conversation_id, "channel": dialogue.channel, "turns": turns}


def _exchange_metadata(dialogue: Dialogue, exchange: Exchange) -> dict[str, Any]:
    return {"conversation_id": dialogue.conversation_id, "channel": dialogue.channel, **exchange.metadata}


def _csv_cells(dialogue: Dialogue, exchange: Exchange) -> tuple[str, ...]:
    return (
        dialogue.conversation_id,
        exchange.turn_id,
        exchange.asked_at.isoformat(),
        exchange.question,
        exchange.answer,
        str(exchange.metadata["language"]),
        "" if exchange.rating is None else str(exchange.rating),
        json.dumps(_exchange_metadata(dialogue, exchange), ensure_ascii=False),
    )


def _csv_line(cells: tuple[str, ...]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow([defuse(cell) for cell in cells])
    return line.getvalue()
