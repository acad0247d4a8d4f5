"""Turns a decision into words: the approved wording, a grounded answer, a question back, or the truth that there is none."""

from __future__ import annotations

from collections.abc import Generator as Stream
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.answering import presentation
from bot.answering.grounded import GroundedAnswer, GroundedWriter
from bot.answering.prompt import PromptMessage
from bot.answering.templates import TemplateBook
from bot.content import Content
from bot.conversation import Decision, Language, Option, Route, Source
from retrieval.documents import Article, Hit
from retrieval.search import SearchIndex

OFF_TOPIC = "off topic"
EXPIRED = "only an expired article"


@dataclass(frozen=True)
class Question:
    """What is to be answered: the customer's question, what was found for it, and what was said before."""

    text: str
    language: Language
    hits: tuple[Hit, ...]
    score: float  # of the intent, 0 to 1
    slots: Mapping[str, str]
    history: tuple[PromptMessage, ...]


@dataclass(frozen=True)
class Said:
    """An answer as it turned out. `cited` are positions of hits; `generation` is set for grounded answers."""

    text: str
    sources: tuple[Source, ...] = ()
    options: tuple[Option, ...] = ()
    cited: tuple[int, ...] = ()
    generation: str | None = None


class Answerer:
    """Knows all wording; decides nothing."""

    def __init__(
        self, content: Content, book: TemplateBook, index: SearchIndex, writer: GroundedWriter
    ) -> None:
        self._content = content
        self._book = book
        self._index = index
        self._writer = writer

    def say(self, decision: Decision, question: Question) -> Stream[str, None, Said]:
        """Yield the answer's text part by part, Markdown in a content language; return the whole."""
        if decision.route is Route.GROUNDED:
            return (yield from self._grounded(decision, question))
        text, sources = self._fixed(decision, question)
        yield text
        return Said(text, sources, presentation.options(decision, self._content, question.language, ()))

    def approved(self, intent: str, question: Question) -> Said:
        """The approved wording of an intent, or the question for what it still needs to know."""
        missing = self._book.missing_slot(intent, question.slots)
        if missing is not None:
            return Said(self._book.question_for(intent, missing, question.language))
        articles = list(self._faces(self._book.intent(intent).articles, question.language))
        text = self._book.render(intent, question.language, question.slots)
        return Said(text, presentation.backing_sources(articles, question.score))

    def quoted(self, question: Question) -> Said | None:
        """What the articles say, in their own sentences; None if nothing was found."""
        if not question.hits:
            return None
        written = self._writer.quote(question.text, question.hits)
        cited = presentation.cited_sources(question.hits, tuple(dict.fromkeys(written.sources)))
        listed: dict[str, Source] = {}  # an article once, however many of its passages are quoted
        for source in cited:
            listed.setdefault(source.url, replace(source, number=0))
        return Said(written.text, tuple(listed.values()))

    def _fixed(self, decision: Decision, question: Question) -> tuple[str, tuple[Source, ...]]:
        """Wording that a person has approved, and the articles behind it."""
        wording = self._content.wording(question.language)
        if decision.route is Route.CLARIFY:
            return wording.clarify, ()
        if decision.route is Route.NO_ANSWER:
            texts = {OFF_TOPIC: wording.no_answer_off_topic, EXPIRED: wording.expired}
            return texts.get(decision.reason, wording.no_answer), ()
        if decision.intent is None:
            return wording.handoff, ()
        if decision.missing_slot is not None:
            return self._book.question_for(decision.intent, decision.missing_slot, question.language), ()
        text = self._book.render(decision.intent, question.language, question.slots)
        if decision.offer_person:
            text = f"{text}\n\n{wording.handoff_offer}"
        articles = list(self._faces(self._book.intent(decision.intent).articles, question.language))
        return text, presentation.backing_sources(articles, question.score)

    def _grounded(self, decision: Decision, question: Question) -> Stream[str, None, Said]:
        notice = ""
        if question.hits[0].passage.language != question.language.content:
            notice = f"{self._content.wording(question.language).only_other_language}\n\n"
        written = yield from _after(
            notice, self._writer.write(question.text, question.language, question.hits, question.history)
        )
        cited_articles = list(dict.fromkeys(question.hits[i].passage.article_id for i in written.sources))
        return Said(
            notice + written.text,
            presentation.cited_sources(question.hits, written.sources),
            presentation.options(decision, self._content, question.language, cited_articles),
            written.cited,
            written.generation,
        )

    def _faces(self, articles: Sequence[str], language: Language) -> Iterator[Article]:
        """Each article in the customer's language, or in the other where there is no such face."""
        other = Language.EN if language.content is Language.ZH else Language.ZH
        for article in articles:
            face = self._index.article(article, language.content) or self._index.article(article, other)
            if face is not None:
                yield face


def _after(notice: str, parts: Stream[str, None, GroundedAnswer]) -> Stream[str, None, GroundedAnswer]:
    """`parts` with `notice` in front of the first: nothing is shown before there is something to show."""
    while True:
        try:
            part = next(parts)
        except StopIteration as finished:
            written: GroundedAnswer = finished.value
            return written
        yield notice + part
        notice = ""
