"""A logged question becomes a golden one: what must come of it from now on, as a line of `golden.jsonl`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.conversation import Route, Turn
from bot.errors import ContentError
from bot.golden import GOLDEN_FILE
from bot.understanding.language import detect
from bot.upkeep.editing.editor import Edit, version_of

_NUMBERED = re.compile(r'"id": ?"g(\d+)"')
_KINDS = {
    Route.TEMPLATE: "answer",
    Route.GROUNDED: "answer",
    Route.CLARIFY: "clarify",
    Route.HANDOFF: "handoff",
    Route.NO_ANSWER: "refuse",
}


@dataclass(frozen=True)
class Expected:
    """What must come of a question: kind as in `golden.jsonl`, and by which intents or articles."""

    kind: str
    intents: Sequence[str] = ()
    articles: Sequence[str] = ()


def expected_of(turn: Turn) -> Expected:
    """What came of a turn, as what must come of it."""
    kind = _KINDS.get(turn.route)
    if kind is None:
        raise ContentError(f"Of a turn on the route {turn.route} no golden question can be made.")
    if kind != "answer":
        return Expected(kind)
    articles = tuple(dict.fromkeys(source.article_id for source in turn.sources))
    return Expected(kind, (turn.intent,) if turn.route is Route.TEMPLATE and turn.intent else (), articles)


def golden_edit(
    before: bytes | None, question: str, expected: Expected, *, context: Sequence[str] = (), note: str = ""
) -> Edit:
    """The edit that adds a golden question.

    Args:
        before: `golden.jsonl` as it is.
        question: as the customer wrote it, masked.
        expected: what must come of it.
        context: the customer's messages before, oldest first.
        note: who made it, for people.

    Raises:
        ContentError: the question is there already.
    """
    text = "" if before is None else before.decode("utf-8")
    numbers = [int(number) for number in _NUMBERED.findall(text)]
    row = {
        "id": f"g{max(numbers, default=0) + 1:04}",
        "language": detect(question).language.value,
        "question": question,
        **({"context": list(context)} if context else {}),
        "expect": {
            "kind": expected.kind,
            **({"intents": list(expected.intents)} if expected.intents else {}),
            **({"articles": list(expected.articles)} if expected.articles else {}),
        },
        **({"note": note} if note else {}),
    }
    if not context and any(_question(line) == question for line in text.split("\n")):
        raise ContentError(f"{GOLDEN_FILE} has this question already.")
    if text and not text.endswith("\n"):
        text += "\n"
    data = f"{text}{json.dumps(row, ensure_ascii=False)}\n".encode()
    return Edit(GOLDEN_FILE, data, version_of(before))


def _question(line: str) -> str | None:
    try:
        row = json.loads(line)
        return str(row["question"]) if not row.get("context") else None
    except (ValueError, KeyError, TypeError):
        return None
