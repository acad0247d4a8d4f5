"""A grounded answer: the model drafts, each sentence is checked, and only what a passage supports is shown.

The draft streams sentence by checked sentence. The first sentence that fails ends the draft: what was shown stands,
because it was checked. A model that reads better than it writes only names the passage that answers, and the answer is
composed from that article's own sentences. If nothing could be shown in time, or there is no model, or it fails, it is
composed from all passages, unless the search was too unsure of them. Either way all that is said carries the number of
its source; sentences in a row from one source share it. A tuned model may also decline: it names no passage, because
none answers. Then nothing is said here, and the turn takes another route.
"""

from __future__ import annotations

import time
from collections.abc import Generator as Stream
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain

import structlog

from bot.answering.compose import compose
from bot.answering.generator import Generator
from bot.answering.prompt import PromptMessage, PromptPassage, render, split_source
from bot.answering.source_marks import joined, with_mark
from bot.answering.support import check
from bot.conversation import Language
from bot.errors import GenerationError
from bot.safety.wordlist import NO_WORDS, WordList
from retrieval.documents import Hit
from retrieval.encoder import Encoder
from retrieval.sentences import sentences

log = structlog.get_logger(__name__)

_MOST_SENTENCES = 4
_LONGEST_MARK = 16  # characters within which a passage is named, or not at all
DECLINED = "declined"


@dataclass(frozen=True)
class GroundedAnswer:
    """What was shown. `cited` are the positions of the hits it rests on, `sources` one of them for each number."""

    text: str
    cited: tuple[int, ...]
    sources: tuple[int, ...]
    generation: str  # "draft", "read", "composed", each perhaps with ": why", or "declined"

    @property
    def declined(self) -> bool:
        """Whether the model found no answer in the passages; nothing was shown."""
        return self.generation == DECLINED


@dataclass(frozen=True)
class DraftLimits:
    """How long a draft may take. Seconds from the start of the answer."""

    first_sentence_seconds: float
    deadline_seconds: float
    max_new_tokens: int
    compose_score: float = (
        0.0  # least probability of the best article, 0 to 1, for an answer that no model has read
    )
    drafts: bool = True  # whether the model's words are shown, or those of the article that it names
    unwanted: WordList = NO_WORDS  # no draft is shown that says one of these


class GroundedWriter:
    """Writes grounded answers with an optional language model."""

    def __init__(self, encoder: Encoder, generator: Generator | None, limits: DraftLimits) -> None:
        self._encoder = encoder
        self._generator = generator
        self._limits = limits

    @property
    def generator(self) -> Generator | None:
        """The model that drafts, if there is one."""
        return self._generator

    def write(
        self, question: str, language: Language, hits: Sequence[Hit], history: Sequence[PromptMessage]
    ) -> Stream[str, None, GroundedAnswer]:
        """Yield the answer's text part by part, Markdown; return the whole with what it cites.

        `hits` are ranked, best first, and not empty.
        """
        marks = _Marks(hits)
        shown = mark = failure = ""
        if self._generator is not None and not self._limits.drafts:
            return (yield from self._read(question, language, hits, history, marks))
        try:
            for sentence, position in self._drafted(question, language, hits, history):
                before, mark = mark, marks.mark(position)
                marked = shown if before in ("", mark) else with_mark(shown, before)
                whole = marked + joined(marked, sentence)
                yield whole[len(shown) :]
                shown = whole
        except _Declined:
            return GroundedAnswer("", (), (), DECLINED)
        except _DraftEnded as ended:
            failure = str(ended)
        if shown:
            whole = with_mark(shown, mark)
            yield whole[len(shown) :]
            return marks.answer(whole, f"draft: {failure}" if failure else "draft")
        return (yield from self._composed(question, hits, marks, failure))

    def quote(self, question: str, hits: Sequence[Hit]) -> GroundedAnswer:
        """What the articles say, in their own sentences and without marks; no model is asked. `hits` is not empty."""
        quotes = compose(question, hits, self._encoder)
        positions = tuple(quote.hit for quote in quotes)
        return GroundedAnswer("\n\n".join(quote.text for quote in quotes), positions, positions, "composed")

    def _read(
        self,
        question: str,
        language: Language,
        hits: Sequence[Hit],
        history: Sequence[PromptMessage],
        marks: _Marks,
    ) -> Stream[str, None, GroundedAnswer]:
        """Let the model name the passage that answers, and quote that article."""
        try:
            named = self._named(question, language, hits, history)
        except _Declined:
            return GroundedAnswer("", (), (), DECLINED)
        except _DraftEnded as ended:
            return (yield from self._composed(question, hits, marks, str(ended)))
        article = hits[named].passage.article_id
        positions = [
            named,
            *(i for i, hit in enumerate(hits) if i != named and hit.passage.article_id == article),
        ]
        shown = yield from self._quoted(question, hits, positions, marks)
        return marks.answer(shown, "read")

    def _composed(
        self, question: str, hits: Sequence[Hit], marks: _Marks, failure: str
    ) -> Stream[str, None, GroundedAnswer]:
        """Quote what the search found, if it is sure enough of it."""
        if hits[0].score < self._limits.compose_score:
            log.info("not_composed", score=hits[0].score, reason=failure)
            return GroundedAnswer("", (), (), DECLINED)
        shown = yield from self._quoted(question, hits, range(len(hits)), marks)
        return marks.answer(shown, f"composed: {failure}" if failure else "composed")

    def _quoted(
        self, question: str, hits: Sequence[Hit], positions: Sequence[int], marks: _Marks
    ) -> Stream[str, None, str]:
        shown = ""
        for quote in compose(question, [hits[position] for position in positions], self._encoder):
            part = ("\n\n" if shown else "") + with_mark(quote.text, marks.mark(positions[quote.hit]))
            shown += part
            yield part
        return shown

    def _drafted(
        self, question: str, language: Language, hits: Sequence[Hit], history: Sequence[PromptMessage]
    ) -> Iterator[tuple[str, int]]:
        """Checked sentences of the model's draft, each with the position of the hit that supports it."""
        first_by = time.monotonic() + self._limits.first_sentence_seconds
        passages = [_passage_text(hit) for hit in hits]
        said: list[str] = []
        with self._stream(question, language, hits, history) as stream:
            _, begun = self._opening(stream, first_by)
            for sentence in _whole_sentences(chain((begun,), stream), first_by):
                verdict = check(sentence, passages)
                if verdict.passage is None:
                    raise _DraftEnded(verdict.reason)
                if self._limits.unwanted.find(sentence):
                    raise _DraftEnded("says an unwanted word")
                if sentence in said:
                    raise _DraftEnded("repeats itself")
                said.append(sentence)
                yield sentence, verdict.passage
                if len(said) >= _MOST_SENTENCES:
                    return
        if not said:
            raise _DraftEnded("empty draft")

    def _named(
        self, question: str, language: Language, hits: Sequence[Hit], history: Sequence[PromptMessage]
    ) -> int:
        """The position of the hit that the model names as the one that answers; it writes no further."""
        with self._stream(question, language, hits, history) as stream:
            source, _ = self._opening(stream, time.monotonic() + self._limits.first_sentence_seconds)
        if source is None or source > len(hits):
            raise _DraftEnded("names no passage")
        return source - 1

    def _opening(self, stream: Iterator[str], first_by: float) -> tuple[int | None, str]:
        """The passage number that a draft begins with, as soon as it is there, and what came with it.

        A base model's 0 says nothing, a tuned one's all: then the question is declined.
        """
        text = ""
        for piece in stream:
            text += piece
            if split_source(text)[0] is not None or len(text) > _LONGEST_MARK:
                break
            if time.monotonic() > first_by:
                raise _DraftEnded("too slow")
        source, rest = split_source(text)
        if source == 0 and self._generator is not None and self._generator.tuned:
            raise _Declined
        return source or None, rest

    @contextmanager
    def _stream(
        self, question: str, language: Language, hits: Sequence[Hit], history: Sequence[PromptMessage]
    ) -> Iterator[Iterator[str]]:
        """What the model writes, piece by piece. Within this, whatever breaks in it is a `_DraftEnded`."""
        if self._generator is None:
            raise _DraftEnded("no model")
        prompt = render(
            language,
            [PromptPassage(i, hit.passage.title, hit.passage.text) for i, hit in enumerate(hits, start=1)],
            history,
            question,
            shape=self._generator.shape,
        )
        stream = self._generator.stream(
            replace(prompt, chances=tuple(hit.score for hit in hits[: prompt.passages])),
            max_new_tokens=self._limits.max_new_tokens,
            deadline=time.monotonic() + self._limits.deadline_seconds,
        )
        try:
            yield stream
        except (_DraftEnded, _Declined):
            raise
        except Exception as error:  # whatever breaks in a model, the passages are still there
            expected = isinstance(error, GenerationError)
            log.warning("draft_failed", reason=str(error), kind=type(error).__name__, exc_info=not expected)
            raise _DraftEnded(str(error) if expected else type(error).__name__) from error
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()


class _Declined(Exception):
    """The model says that no passage answers."""


class _DraftEnded(Exception):
    """The draft cannot go on; the message says why."""


def _whole_sentences(stream: Iterator[str], first_by: float) -> Iterator[str]:
    """Cut the stream into sentences, giving each out as soon as the next has begun.

    Raises:
        _DraftEnded: no whole sentence came by `first_by` (time.monotonic).
    """
    text = ""
    given = 0
    for piece in stream:
        text += piece
        whole = sentences(text)
        while len(whole) > given + 1:
            yield whole[given].strip()
            given += 1
        if given == 0 and time.monotonic() > first_by:
            raise _DraftEnded("too slow")
    for sentence in sentences(text)[given:]:
        yield sentence.strip()


def _passage_text(hit: Hit) -> str:
    return "\n\n".join((hit.passage.title, *hit.passage.headings, hit.passage.text))


class _Marks:
    """Gives out source numbers: one an article, however many of its passages are cited."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self._articles = [(hit.passage.article_id, hit.passage.language) for hit in hits]
        self._sources: dict[tuple[str, str], int] = {}  # article → position of the hit that was cited first
        self._cited: dict[int, None] = {}

    def mark(self, position: int) -> str:
        """What is written behind a sentence that the hit at `position` supports."""
        self._cited[position] = None
        article = self._articles[position]
        self._sources.setdefault(article, position)
        return f" [{list(self._sources).index(article) + 1}]"

    def answer(self, text: str, generation: str) -> GroundedAnswer:
        """The answer, with what was cited in it."""
        return GroundedAnswer(text, tuple(self._cited), tuple(self._sources.values()), generation)
