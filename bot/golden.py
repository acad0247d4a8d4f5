"""The team's golden questions (`knowledge_base/golden.jsonl`): what customers ask, and what must come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from bot.conversation import Language
from bot.errors import ContentError
from bot.understanding.language import detect

GOLDEN_FILE = "golden.jsonl"

Kind = Literal["answer", "refuse", "clarify", "handoff"]


@dataclass(frozen=True)
class Golden:
    """A golden question. `kind` is what must come of it; an answer is one of `intents` or from one of `articles`."""

    id: str
    question: str
    context: tuple[str, ...]  # the customer's messages before, oldest first
    kind: Kind
    articles: frozenset[str] = frozenset()
    intents: frozenset[str] = frozenset()
    language: str = ""  # as the team says: zh, en, mixed, zh-Hant; empty if it does not

    @property
    def content_language(self) -> Language:
        """The language that it is answered in, zh or en."""
        return detect(self.question).language.content


def load_golden(knowledge_base: Path) -> list[Golden]:
    """The golden questions of a knowledge base; none if it has no `golden.jsonl`.

    Raises:
        ContentError: the file cannot be read, or a line is not what it should be; names it.
    """
    path = knowledge_base / GOLDEN_FILE
    if not path.exists():
        return []
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(f"{path} cannot be read: {error}. Mend it, or delete it.") from error
    questions = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            questions.append(_golden(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise ContentError(
                f"{path}:{number} is no golden question ({error!r}): it needs id, question and expect.kind "
                f"({', '.join(get_args(Kind))}). Mend the line."
            ) from error
    return questions


def _golden(row: Mapping[str, Any]) -> Golden:
    expect = row["expect"]
    kind = expect["kind"]
    if kind not in get_args(Kind):
        raise ValueError(f"kind {kind!r}")
    return Golden(
        id=str(row["id"]),
        question=str(row["question"]),
        context=tuple(row.get("context", ())),
        kind=kind,
        articles=frozenset(expect.get("articles", ())),
        intents=frozenset(expect.get("intents", ())),
        language=str(row.get("language", "")),
    )
