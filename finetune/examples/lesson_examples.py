"""Written lessons as training examples.

A question that opens a talk is asked about shown passages that lie near each other, together with every other question
that these passages answer, and with a few near misses that they do not: the reader must pick the passage, or decline.
Such examples begin alike, so that training reads the passages once (see `finetune.training.sheets`). A question that follows
others is asked with its history and the passages that a search would bring up for it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bot.answering.generator import PromptShape
from bot.answering.prompt import PromptMessage
from bot.answering.support import check
from bot.conversation import Language
from bot.understanding.context import with_context
from bot.understanding.language import to_simplified
from finetune.examples.example import Example, Found, with_passages
from finetune.examples.lessons import Trade
from finetune.examples.shelf import Shelf
from retrieval.chunking import width
from retrieval.documents import Passage
from retrieval.encoder import Encoder
from retrieval.sentences import sentences
from retrieval.vector_cache import RecentTexts

_HISTORY_TURNS = 2  # as `bot.turns.prompt_history` keeps
_NEAR_MISSES = 12  # questions that are nearest to shown passages without being answered by them


@dataclass(frozen=True)
class Mixture:
    """How often what happens."""

    rounds: int = 2  # times that each passage is shown among others
    declined: float = 0.5  # questions without an answer, for each with one
    follow_ups: float = 0.6  # share of the later turns that become examples
    joined: float = 0.5  # share of those read together with the question before, as the bot does
    moved: float = 0.5  # share of those whose passage is not where the search put it


@dataclass(frozen=True)
class _Asked:
    """One turn of a talk as it is asked; `searched` is what a search would be asked."""

    blank: Example
    article: str | None
    searched: str


def lesson_examples(
    trade: Trade, encoder: Encoder, shape: PromptShape, *, seed: int, mixture: Mixture | None = None
) -> Iterator[Example]:
    """The examples of one trade; the same for the same seed.

    Args:
        trade: its lessons.
        encoder: ranks passages as serving does.
        shape: of the prompts.
        seed: of everything that is left to chance.
        mixture: how often what happens.
    """
    chosen = mixture if mixture is not None else Mixture()
    for language in (Language.ZH, Language.EN):
        chance = random.Random(f"{seed} {trade.name} {language}")  # noqa: S311 — variety, no secret
        asked = list(_asked(trade, language, chosen, chance))
        remembering = RecentTexts(encoder)
        remembering.encode_queries([each.searched for each in asked])  # all at once: later ones are known
        articles = [article for (spoken, _), article in trade.articles.items() if spoken is language]
        maker = _Maker(Shelf(articles, remembering), shape, chosen, chance)
        yield from maker.openings([each for each in asked if not each.blank.history])
        yield from maker.follow_ups([each for each in asked if each.blank.history])


def _asked(trade: Trade, language: Language, mixture: Mixture, chance: random.Random) -> Iterator[_Asked]:
    """The turns of one language's talks, each with the answered turns before it as history."""
    for talk in trade.talks:
        if talk.language.content is not language:
            continue
        history: tuple[PromptMessage, ...] = ()
        before = ""
        for number, turn in enumerate(talk.turns):
            question = to_simplified(turn.question)
            joined = with_context(question, before) if before else question
            blank = Example(
                id=f"{talk.id}-{number}",
                language=language,
                passages=(),
                history=history[-2 * _HISTORY_TURNS :],
                question=joined if chance.random() < mixture.joined else question,
                source=0,
                answer=turn.answer,
                topic=f"{trade.name}/{turn.article or 'none'}",
            )
            yield _Asked(blank, turn.article, joined)
            if turn.article is not None:
                history = (*history, PromptMessage("user", question), PromptMessage("assistant", turn.answer))
            before = question


@dataclass(frozen=True)
class _Maker:
    shelf: Shelf
    shape: PromptShape
    mixture: Mixture
    chance: random.Random

    def openings(self, asked: Sequence[_Asked]) -> Iterator[Example]:
        """Questions that need no history, several about the same shown passages."""
        scores = {id(each): self.shelf.scores(each.searched) for each in asked}
        for turn in range(self.mixture.rounds):
            for place in range(len(self.shelf.passages)):
                shown = self._neighbours(place)
                passages = [self.shelf.passages[i] for i in shown]
                answered = [each for each in asked if self._answered_by(each, passages)]
                others = [each for each in asked if not self._perhaps_answered_by(each, passages)]
                others.sort(key=lambda each: -max(scores[id(each)][i] for i in shown))
                misses = others[:_NEAR_MISSES]
                wanted = min(len(misses), round(self.mixture.declined * len(answered) + self.chance.random()))
                for each in (*answered, *self.chance.sample(misses, wanted)):
                    found = [_found(passage, each) for passage in passages]
                    asking = replace(
                        each.blank,
                        id=f"{each.blank.id}-{turn}-{place}",
                        answer=each.blank.answer if each in answered else "",
                    )
                    example = with_passages(asking, found, self.shape)
                    if example is not None:
                        yield example

    def follow_ups(self, asked: Sequence[_Asked]) -> Iterator[Example]:
        """Questions with their history, about what a search brings up."""
        for each in asked:
            if self.chance.random() >= self.mixture.follow_ups:
                continue
            example = with_passages(each.blank, self._arranged(each), self.shape)
            if example is not None:
                yield example

    def _neighbours(self, place: int) -> list[int]:
        """A passage and some of those nearest to it, as many as a prompt shows, in any order."""
        near = self.shelf.beside(place)[: 2 * self.shape.passages]
        few = self.chance.sample(near, min(len(near), self.shape.passages - 1))
        shown: list[int] = []
        room = self.shape.width - 160  # for the question
        for i in (place, *few):
            room -= width(self.shelf.passages[i].title + self.shelf.passages[i].text)
            if room >= 0 or not shown:
                shown.append(i)
        self.chance.shuffle(shown)
        return shown

    def _arranged(self, each: _Asked) -> list[Found]:
        """What a search finds; what answers is among the first few, where the search put it or elsewhere."""
        ranked = [_found(passage, each) for passage in self.shelf.ranked(each.searched)]
        right = next((found for found in ranked if found.answers), None)
        if right is None:
            return ranked
        top = ranked[: self.shape.passages]
        if right not in top or self.chance.random() < self.mixture.moved:
            top = [found for found in top if found is not right][: self.shape.passages - 1]
            top.insert(self.chance.randrange(len(top) + 1), right)
        return top

    def _answered_by(self, each: _Asked, passages: Sequence[Passage]) -> bool:
        return any(_found(passage, each).answers for passage in passages)

    def _perhaps_answered_by(self, each: _Asked, passages: Sequence[Passage]) -> bool:
        """Whether a passage is of the article that answers, or says a part of the answer."""
        if each.article is None:
            return False
        return any(p.article_id == each.article or _says_some(p, each.blank.answer) for p in passages)


def _found(passage: Passage, each: _Asked) -> Found:
    answers = passage.article_id == each.article and _says_all(passage, each.blank.answer)
    return Found(passage.title, passage.text, answers)


def _says_all(passage: Passage, answer: str) -> bool:
    return all(_supported(answer, _whole(passage)))


def _says_some(passage: Passage, answer: str) -> bool:
    return any(_supported(answer, _whole(passage)))


@cache  # each passage is shown several times
def _supported(answer: str, passage: str) -> tuple[bool, ...]:
    """Of each sentence of the answer, whether the passage says it."""
    return tuple(check(sentence, [passage]).supported for sentence in sentences(answer))


def _whole(passage: Passage) -> str:
    return "\n\n".join((passage.title, *passage.headings, passage.text))
