"""What the checks look at, gathered once: the team's content as it lies on disk, the log's figures, and vectors.

A check is a function of this value and does no reading of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from bot.content import MESSAGES_FILE, OUT_OF_SCOPE_FILE, Content, Intent
from bot.safety.wordlist import NO_WORDS, WordList
from bot.understanding.corrections import IntentCorrection
from bot.understanding.intents import TrainingSet
from bot.upkeep.checks.diagnostics import Location
from retrieval.chunking import plain_text, split
from retrieval.documents import Article, Passage
from retrieval.encoder import Encoder

_ROW = re.compile(r":(\d+)$")  # a table's rows carry their line in the path
_OPENINGS = (24, 12)  # characters of a text that tell its line, which may end after them


@dataclass(frozen=True)
class MissedTurn:
    """A question that was answered with the wording of `intent`, which a person found wrong.

    `instead` is the intent whose wording they put there (`corrected`), or, where they only voted it down, the bot's own
    second choice.
    """

    question: str  # masked
    intent: str
    instead: str | None
    corrected: bool


@dataclass(frozen=True)
class LogWindow:
    """What customers asked since a moment, as figures. Fragments that were read with a later message are not counted."""

    since: datetime
    turns: Mapping[str, int] = field(default_factory=dict)  # content language → how many
    hits: Mapping[str, int] = field(default_factory=dict)  # intent → turns answered in its wording
    found: Mapping[str, int] = field(default_factory=dict)  # article → turns that it could answer, or did
    missed: tuple[MissedTurn, ...] = ()

    @property
    def total(self) -> int:
        """Turns in all languages."""
        return sum(self.turns.values())


@dataclass(frozen=True)
class Materials:
    """Everything that is checked.

    Args:
        content: intents, out-of-scope examples and messages.
        articles: every face of every article, also expired ones.
        lines: file, relative to the knowledge base → its lines, for files that people read as text.
        encoder: gives vectors; those of the index are known to it already.
        reader: gives the vectors from which intents are told.
        examples: what the intent head learns from.
        corrections: customers' questions with the intent that a person gave them.
        log: None where there is no log yet.
        today: in the team's time zone.
        soon: days ahead in which an end of validity is worth a warning.
        passage_limit: longest passage, in width units.
        index: the generation of the index whose vectors are used.
        unwanted: the words that the team does not want to be said.
    """

    content: Content
    articles: tuple[Article, ...]
    lines: Mapping[str, tuple[str, ...]]
    encoder: Encoder
    reader: Encoder
    examples: TrainingSet
    corrections: tuple[IntentCorrection, ...]
    log: LogWindow | None
    today: date
    soon: int
    passage_limit: int
    index: str
    unwanted: WordList = NO_WORDS

    @cached_property
    def faces(self) -> Mapping[str, tuple[Article, ...]]:
        """Article id → its faces, Chinese first."""
        found: dict[str, tuple[Article, ...]] = {}
        for face in sorted(self.articles, key=lambda each: each.language, reverse=True):
            found[face.id] = (*found.get(face.id, ()), face)
        return found

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """What the articles are cut into for the search."""
        return tuple(passage for article in self.articles for passage in split(article, self.passage_limit))

    def in_article(self, face: Article, text: str = "") -> Location:
        """Where `text` stands in an article."""
        row = _ROW.search(face.path)
        file = face.path if row is None else face.path[: row.start()]
        line = self._line(file, text) if row is None else int(row[1])
        return Location(file, line, face.language, article=face.id, text=text)

    def in_intent(self, intent: Intent, language: str | None = None, text: str = "") -> Location:
        """Where `text` stands in an intent."""
        file = f"intents/{intent.id}.yaml"
        return Location(file, self._line(file, text), language, intent=intent.id, text=text)

    def in_out_of_scope(self, text: str) -> Location:
        """Where an out-of-scope example stands."""
        file = f"intents/{OUT_OF_SCOPE_FILE}"
        language = "zh" if text in self.content.out_of_scope.zh else "en"
        return Location(file, self._line(file, text), language, text=text)

    def in_messages(self, language: str, text: str) -> Location:
        """Where `text` stands among the messages."""
        return Location(MESSAGES_FILE, self._line(MESSAGES_FILE, text), language, text=text)

    def _line(self, file: str, text: str) -> int | None:
        """The first line that holds the text's opening; None where the file is no text or the opening is not found."""
        lines = self.lines.get(file, ())
        for length in _OPENINGS:
            opening = text.strip()[:length]
            for number, line in enumerate(lines if opening else (), start=1):
                if opening in line or opening in plain_text(line):
                    return number
        return None
