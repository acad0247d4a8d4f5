"""What answers rest on while examples are made and adapters compared: the real index, searched as the bot searches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.conversation import Language
from bot.settings import Settings
from retrieval.chunking import split
from retrieval.documents import Hit, Passage
from retrieval.search import SearchIndex


@dataclass(frozen=True)
class Library:
    """An index with the settings that it is searched with."""

    index: SearchIndex
    top_k: int  # articles a search, from 1
    passage_width: int  # longest passage, in width units
    day: date  # articles that are not valid then are not found

    def find(self, question: str, language: Language) -> tuple[Hit, ...]:
        """What a turn would find, best article first."""
        return self.index.search(question, top_k=self.top_k, prefer=language.content.value, day=self.day)

    def passages(self, article_id: str, language: Language) -> Sequence[Passage]:
        """The passages of an article in a language; none if it is unknown there, or not valid."""
        article = self.index.article(article_id, language.content.value)
        if article is None or article.language != language.content.value or not article.is_valid(self.day):
            return ()
        return split(article, self.passage_width)


def library_of(index: SearchIndex, settings: Settings) -> Library:
    """An index as the bot that is set searches it today."""
    today = datetime.now(ZoneInfo(settings.time_zone)).date()
    return Library(index, settings.retrieval.top_k, settings.retrieval.passage_characters, today)


def whole_text(passage: Passage) -> str:
    """What a sentence is held against: title, headings and text, as when the bot checks a draft."""
    return "\n\n".join((passage.title, *passage.headings, passage.text))
