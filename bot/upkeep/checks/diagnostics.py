"""What a check reports: a diagnostic, with its severity, the places it is about, and what to do.

The names are those of the Language Server Protocol, which editors and linters share: a diagnostic has a severity
(error, warning or hint), a message and locations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.content import MESSAGES_FILE
from bot.upkeep.checks.said import Words


class Severity(StrEnum):
    """How grave a diagnostic is."""

    ERROR = "error"  # customers are told something wrong, or two things at once
    WARNING = "warning"  # probably wrong, or wrong soon; a person should look
    HINT = "hint"  # worth knowing when somebody has time

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


class Kind(StrEnum):
    """What was found; the value is its heading in reports."""

    EXPIRED_TEMPLATE = "Template without a valid article"
    UNKNOWN_ARTICLE = "Template that names an unknown article"
    EXPIRED = "Expired"
    NOT_YET_VALID = "Not valid yet"
    EXPIRES_SOON = "Expires soon"
    VALIDITY_DIFFERS = "Languages valid at different times"
    LANGUAGES_CONTRADICT = "Chinese and English contradict each other"
    ONE_LANGUAGE_ONLY = "Only one language says it"
    CONTRADICTION = "Contradiction"
    UNWANTED_WORD = "Approved wording with an unwanted word"
    EXAMPLE_OF_TWO = "Example of two intents"
    DUPLICATE_ARTICLE = "Articles that say nearly the same"
    DUPLICATE_QUESTION = "Question of two articles"
    CONFUSED_INTENTS = "Intents that are confused"
    TEMPLATE_UNUSED = "Template that nobody hit"
    ARTICLE_UNFOUND = "Article that nobody found"
    LOG_TOO_SHORT = "Too early to tell what is unused"


@dataclass(frozen=True)
class Location:
    """A place in the knowledge base, or a question in the log, and what stands there.

    Args:
        file: relative to the knowledge base; None for the log.
        line: in the file, from 1; None where it is not known.
        language: "zh" or "en"; None for what is said in both, or where it does not matter.
        article, intent: whose place it is; neither for messages and out-of-scope examples.
        text: what was seen there; empty where the place itself says enough.
        note: what is to be said about that text.
    """

    file: str | None
    line: int | None = None
    language: str | None = None
    article: str | None = None
    intent: str | None = None
    text: str = ""
    note: Words = ""

    def __str__(self) -> str:
        """As people and editors write it: `articles/zh/fees.md:12`."""
        if self.file is None:
            return "log"
        return self.file if self.line is None else f"{self.file}:{self.line}"

    @property
    def owner(self) -> str:
        """What the place belongs to, with its language: "article fees (zh)"."""
        name = "messages" if self.file == MESSAGES_FILE else "out of scope"
        name = name if self.intent is None else f"intent {self.intent}"
        name = name if self.article is None else f"article {self.article}"
        return name if self.language is None else f"{name} ({self.language})"


@dataclass(frozen=True)
class Diagnostic:
    """One thing that a person should see. Where two places disagree, both stand in `locations`, with their texts."""

    kind: Kind
    severity: Severity
    seen: Words  # a sentence
    locations: tuple[Location, ...]
    to_do: Words  # a sentence

    @property
    def message(self) -> str:
        """What was seen, in English."""
        return str(self.seen)

    @property
    def remedy(self) -> str:
        """What to do, in English."""
        return str(self.to_do)


def gravest_first(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By severity, then by kind, then by place; the same diagnostics come in the same order."""
    kinds = list(Kind)
    return sorted(
        diagnostics,
        key=lambda each: (
            each.severity.rank,
            kinds.index(each.kind),
            tuple(str(place) for place in each.locations),
            each.message,
        ),
    )


def by_kind(diagnostics: Iterable[Diagnostic]) -> dict[Kind, list[Diagnostic]]:
    """Grouped by kind, the kind with the gravest diagnostic first."""
    groups: dict[Kind, list[Diagnostic]] = {}
    for each in gravest_first(diagnostics):
        groups.setdefault(each.kind, []).append(each)
    return groups
