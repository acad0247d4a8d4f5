"""Training files of chats: OpenAI messages, ShareGPT and Alpaca, as JSON or JSON Lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from finetune.importers.reading import Message, Reading, Role, Row, Talk, json_rows
from finetune.importers.roles import role_of
from finetune.importers.values import clean, first_of, read_time

_INSTRUCTION = ("instruction", "prompt", "question", "query")
_OUTPUT = ("output", "completion", "response", "answer")


def read_messages(reading: Reading) -> Iterator[Talk]:
    """Rows of `messages` with `role` and `content`, as OpenAI and most trainers take them."""
    yield from _talks(reading, lambda row: _said(reading, row["messages"], "role", "content"))


def read_sharegpt(reading: Reading) -> Iterator[Talk]:
    """Rows of `conversations` (or `items`) with `from` and `value`."""

    def messages(row: Row) -> list[Message]:
        return _said(
            reading, row["conversations"] if "conversations" in row else row["items"], "from", "value"
        )

    yield from _talks(reading, messages)


def read_alpaca(reading: Reading) -> Iterator[Talk]:
    """Rows of `instruction`, `input`, `output`, and perhaps `history`, a list of pairs."""
    yield from _talks(reading, _alpaca_messages)


def _talks(reading: Reading, messages_of: Callable[[Row], list[Message]]) -> Iterator[Talk]:
    for place, row in json_rows(reading):
        try:
            messages = messages_of(row)
        except KeyError as error:
            reading.problem(
                place, f"the field {error.args[0]!r} is missing; there are {', '.join(list(row)[:8])}"
            )
        except (TypeError, ValueError, IndexError) as error:
            reading.problem(place, f"it is not shaped as it should be ({error})")
        else:
            key = first_of(row, "id", "conversation_id")
            yield Talk(reading.key(key if key else place), place, tuple(messages))


def _said(reading: Reading, parts: Any, role_name: str, text_name: str) -> list[Message]:
    if not isinstance(parts, list):
        raise TypeError(f"a list of messages is expected, not {type(parts).__name__}")
    messages = []
    for part in parts:
        # Files with both spellings are common; the first that is there counts.
        word = part[role_name] if role_name in part else part["role" if role_name == "from" else "from"]
        content = (
            part[text_name] if text_name in part else part["content" if text_name == "value" else "value"]
        )
        role = _role(word)
        at = read_time(part.get("created_at", part.get("timestamp")), reading.zone)
        messages.append(Message(role, _text(content), at))
    return messages


def _role(word: Any) -> Role:
    role = role_of(word) if isinstance(word, str) else None
    if role is None:
        raise ValueError(f"the role {word!r:.30} is unknown; use user, assistant or system")
    return role


def _text(content: Any) -> str:
    """The text of a message; of content in parts, the parts that are text."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return clean(content)


def _alpaca_messages(row: Row) -> list[Message]:
    past = row.get("history")
    messages: list[Message] = []
    for pair in past if past is not None else []:
        question, answer = pair
        messages += [Message("customer", clean(question)), Message("bot", clean(answer))]
    instruction = clean(row[_named(row, _INSTRUCTION)])
    more = clean(row.get("input"))
    question = f"{instruction}\n{more}" if more else instruction
    return [*messages, Message("customer", question), Message("bot", clean(row[_named(row, _OUTPUT)]))]


def _named(row: Row, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in row), names[0])
