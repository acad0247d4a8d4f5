"""The shapes that training tools and people read: OpenAI messages, ShareGPT, Alpaca, DPO, KTO, and CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from finetune.curation.preferences import (
    answer_message,
    exchange_messages,
    judged_answers,
    preference_pairs,
    prompt_of,
)
from finetune.lines import json_line
from finetune.records import Conversation, Exchange

Format = Literal["messages", "prompt-completion", "sharegpt", "alpaca", "dpo", "kto", "csv"]

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


def file_parts(kind: Format, conversations: Sequence[Conversation]) -> Iterator[str]:
    """A whole file of the format, part by part."""
    yield opening(kind)
    if kind == "dpo":  # a pair may come from two conversations
        yield from map(json_line, preference_pairs(conversations))
        return
    for conversation in conversations:
        yield from lines_of(kind, conversation)


def lines_of(kind: Format, conversation: Conversation) -> Iterator[str]:
    """The conversation as lines of the format, each with its line end. CSV has no header here: see `opening`."""
    if kind == "csv":
        yield from (_csv_line(_csv_cells(conversation, exchange)) for exchange in conversation.selected)
    else:
        yield from map(json_line, _ROWS[kind](conversation))


def opening(kind: Format) -> str:
    """What a file of the format begins with: for CSV a byte order mark, so that Excel reads Chinese, and the header."""
    return "\ufeff" + _csv_line(_CSV_COLUMNS) if kind == "csv" else ""


def defuse(cell: str) -> str:
    """The cell with a ' in front when a spreadsheet would calculate it, or when it begins with a ' itself."""
    dangerous = cell.startswith(("'", *_TRIGGERS)) or cell.lstrip(_SHOWS_NOTHING).startswith(_TRIGGERS)
    return f"'{cell}" if dangerous else cell


def undo_defuse(cell: str) -> str:
    """The cell as it was before `defuse`."""
    return cell.removeprefix("'")


def _messages(conversation: Conversation) -> Iterator[dict[str, Any]]:
    messages = [message for exchange in conversation.exchanges for message in exchange_messages(exchange)]
    yield {"messages": messages, "metadata": _metadata(conversation)}


def _prompt_completion(conversation: Conversation) -> Iterator[dict[str, Any]]:
    """A row a selected exchange; what came before is in its prompt."""
    for index, exchange in enumerate(conversation.exchanges):
        if exchange.selected:
            yield {
                "prompt": prompt_of(conversation, index),
                "completion": [answer_message(exchange.answer)],
                "metadata": _exchange_metadata(conversation, exchange),
            }


def _sharegpt(conversation: Conversation) -> Iterator[dict[str, Any]]:
    values = []
    for exchange in conversation.exchanges:
        values.append({"from": "human", "value": exchange.question})
        values.append({"from": "gpt", "value": exchange.answer})
    yield {"conversations": values, "metadata": _metadata(conversation)}


def _alpaca(conversation: Conversation) -> Iterator[dict[str, Any]]:
    """A row a selected exchange; what came before is its history."""
    history: list[list[str]] = []
    for exchange in conversation.exchanges:
        if exchange.selected:
            yield {
                "instruction": exchange.question,
                "input": "",
                "output": exchange.answer,
                "history": list(history),
                "metadata": _exchange_metadata(conversation, exchange),
            }
        history.append([exchange.question, exchange.answer])


_ROWS: dict[str, Callable[[Conversation], Iterator[dict[str, Any]]]] = {
    "messages": _messages,
    "prompt-completion": _prompt_completion,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "dpo": lambda conversation: preference_pairs([conversation]),
    "kto": judged_answers,
}


def _metadata(conversation: Conversation) -> dict[str, Any]:
    turns = [{**_facts(exchange), "selected": exchange.selected} for exchange in conversation.exchanges]
    return {**_talk(conversation), "turns": turns}


def _exchange_metadata(conversation: Conversation, exchange: Exchange) -> dict[str, Any]:
    return {**_talk(conversation), **_facts(exchange)}


def _talk(conversation: Conversation) -> dict[str, Any]:
    return {
        "conversation_id": conversation.id,
        "source": conversation.source,
        "channel": conversation.channel,
    }


def _facts(exchange: Exchange) -> dict[str, Any]:
    return {
        **exchange.metadata,
        "turn_id": exchange.id,
        "asked_at": _moment(exchange),
        "language": exchange.language.value,
        "route": exchange.route,
        "intent": exchange.intent,
        "rating": exchange.rating,
        "author": exchange.author,
        "corrected": exchange.corrected,
        "articles": list(dict.fromkeys(passage.article_id for passage in exchange.passages)),
    }


def _csv_cells(conversation: Conversation, exchange: Exchange) -> tuple[str, ...]:
    asked_at = _moment(exchange)
    return (
        conversation.id,
        exchange.id,
        "" if asked_at is None else asked_at,
        exchange.question,
        exchange.answer,
        exchange.language.value,
        "" if exchange.rating is None else str(exchange.rating),
        json.dumps(_exchange_metadata(conversation, exchange), ensure_ascii=False),
    )


def _moment(exchange: Exchange) -> str | None:
    return None if exchange.at is None else exchange.at.isoformat()


def _csv_line(cells: tuple[str, ...]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow([defuse(cell) for cell in cells])
    return line.getvalue()
