"""Reading comprehension in SQuAD's layout (CMRC 2018, DRCD) as training examples.

A context is cut into passages; the answer is the sentence that holds the marked words, as it stands there. Questions
of one context share its passages; with a part of the passages taken away, some of them have no answer.
Layout: Rajpurkar et al. 2016, arXiv 1606.05250.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.answering.generator import PromptShape
from bot.conversation import Language
from bot.understanding.language import to_simplified
from finetune.errors import LessonError
from finetune.examples.example import Example, Found, with_passages
from retrieval.chunking import width
from retrieval.sentences import sentences

Part = Literal["train", "dev", "test"]
_PASSAGE_WIDTH = 420
_LONGEST_ANSWER = 160  # width units; a longer sentence is no answer that anybody would give
_TITLE_WIDTH = 24


@dataclass(frozen=True)
class Asked:
    """A question about a context, and the sentence of it that answers."""

    id: str
    question: str
    sentence: str
    span: str  # the marked words


@dataclass(frozen=True)
class Context:
    """A text with its title and what is asked about it."""

    title: str
    text: str
    asked: tuple[Asked, ...]


def load_contexts(path: Path, part: Part) -> list[Context]:
    """The contexts of one part of a file: 60 % train, 20 % dev, 20 % test, by a hash of the article.

    Traditional characters become simplified ones, as the bot reads them.

    Raises:
        LessonError: the file cannot be read or has another layout.
    """
    try:
        articles = json.loads(path.read_text("utf-8"))["data"]
        return [
            context
            for article in articles
            if part_of(str(article.get("id") or article["title"])) == part
            for context in _contexts(article)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LessonError(f"{path} cannot be read as SQuAD-like questions: {error!r}.") from error


def part_of(article: str) -> Part:
    """Which part an article belongs to."""
    place = hashlib.sha256(article.encode()).digest()[0] % 10
    return "train" if place < 6 else "dev" if place < 8 else "test"


def reading_examples(contexts: list[Context], shape: PromptShape, *, seed: int) -> Iterator[Example]:
    """Examples of each context: once with the passages around its answers, and its questions that those leave open."""
    for context in contexts:
        chance = random.Random(f"{seed} {context.title} {context.text[:40]}")  # noqa: S311 — variety, no secret
        passages = _passages(context.text)
        room = shape.width - 160
        count = max(1, min(len(passages), shape.passages, room // _PASSAGE_WIDTH))
        first = chance.randrange(len(passages) - count + 1)
        shown = passages[first : first + count]
        chance.shuffle(shown)
        for asked in context.asked:
            answered = any(asked.sentence in passage for passage in shown)
            if not answered and any(asked.span in passage for passage in shown):
                continue  # perhaps answered by another sentence
            found = [Found(_title(context, passage), passage, asked.sentence in passage) for passage in shown]
            example = with_passages(
                Example(
                    id=asked.id,
                    language=Language.ZH,
                    passages=(),
                    history=(),
                    question=asked.question,
                    source=0,
                    answer=asked.sentence if answered else "",
                    topic="reading",
                ),
                found,
                shape,
            )
            if example is not None:
                yield example


def _contexts(article: dict[str, object]) -> Iterator[Context]:
    title = to_simplified(str(article["title"]))
    for paragraph in article["paragraphs"]:  # type: ignore[attr-defined]
        text = to_simplified(paragraph["context"])
        asked = [found for row in paragraph["qas"] if (found := _asked(row, text)) is not None]
        if asked:
            yield Context(title, text, tuple(asked))


def _asked(row: dict[str, object], text: str) -> Asked | None:
    """None where no short sentence holds the marked words."""
    span = to_simplified(str(row["answers"][0]["text"])).strip()  # type: ignore[index]
    holding = [s.strip() for s in sentences(text) if span in s]
    if not span or len(holding) != 1 or width(holding[0]) > _LONGEST_ANSWER:
        return None
    return Asked(str(row["id"]), to_simplified(str(row["question"])), holding[0], span)


def _passages(text: str) -> list[str]:
    """The text in passages of whole sentences."""
    passages = [""]
    for sentence in sentences(text):
        if passages[-1] and width(passages[-1] + sentence) > _PASSAGE_WIDTH:
            passages.append("")
        passages[-1] += sentence.strip()
    return passages


def _title(context: Context, passage: str) -> str:
    """The article's title; CMRC's are ids, so there the passage's first words serve."""
    if any(character > "⺀" for character in context.title):
        return context.title
    return passage[: _TITLE_WIDTH // 2].strip("《》，。（）()")
