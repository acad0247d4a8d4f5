"""Curated conversations as training examples: each question with the passages that the real search finds for it.

Training and serving see the same prompt: passages by the same index, history and question by the same rules. An answer
is learned as far as one passage supports it, by the check that drafts must pass when serving. What an agent adds around
it (a greeting, a promise to call) is left out, and an answer that no passage supports is dropped and counted: learning
it would teach the model to say what it has not read.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.answering.facts import facts
from bot.answering.generator import PromptShape
from bot.answering.support import check
from finetune.examples.example import Example, Found, with_passages
from finetune.examples.passage_finder import Library, whole_text
from finetune.examples.real_turns import RealTurn
from retrieval.chunking import width
from retrieval.documents import Passage
from retrieval.sentences import sentences

MOST_SENTENCES = 4  # that an answer shows when serving
_LEAST_KEPT = 0.6  # share of an answer's width that its passage must support
_NEAR_MISSES = (
    0.5  # of the answered questions are also asked about other articles, which do not answer, as in lessons
)


@dataclass(frozen=True)
class Made:
    """Examples, and what became of the turns that none was made of, by reason."""

    examples: tuple[Example, ...]
    dropped: Mapping[str, int]


@dataclass(frozen=True)
class Supported:
    """What a passage supports of an answer: `passage` is its position among those that were looked at."""

    passage: int
    answer: str


def dataset_examples(turns: Iterable[RealTurn], library: Library, shape: PromptShape) -> Made:
    """Make examples of real turns; the same ones for the same turns and index.

    Args:
        turns: of one side of a curated set.
        library: where passages come from.
        shape: of the prompts that the model will be served with.
    """
    examples: list[Example] = []
    dropped: Counter[str] = Counter()
    for turn in turns:
        examples += _examples(turn, library, shape, dropped)
    return Made(tuple(examples), dict(dropped))


def supported_part(answer: str, passages: Sequence[Passage]) -> Supported | None:
    """The part of an answer that one passage supports, by the passage that supports most; None if that is too little.

    What is left out may hold no number, date, link or name: there the answer would become another.
    """
    said = [sentence.strip() for sentence in sentences(answer) if sentence.strip()]
    best: Supported | None = None
    for position, passage in enumerate(passages):
        kept = [sentence for sentence in said if check(sentence, [whole_text(passage)]).supported]
        part = Supported(position, _joined(kept[:MOST_SENTENCES]))
        if best is None or width(part.answer) > width(best.answer):
            best = part
        if len(kept) == len(said):
            break
    if best is None or width(best.answer) < _LEAST_KEPT * width(_joined(said)):
        return None
    lost = facts(answer).missing_from(facts(best.answer))
    return None if lost else best


def looked_at(found: Sequence[Passage], turn: RealTurn, library: Library) -> list[Passage]:
    """Where what supports an answer is looked for: what the search finds, then what else lay before whoever answered."""
    known = {passage.id for passage in found}
    cited = [passage for article in turn.articles for passage in library.passages(article, turn.language)]
    return [*found, *(passage for passage in cited if passage.id not in known)]


def _examples(
    turn: RealTurn, library: Library, shape: PromptShape, dropped: Counter[str]
) -> Iterator[Example]:
    found = [hit.passage for hit in library.find(turn.question, turn.language)]
    blank = Example(turn.id, turn.language, (), turn.history, turn.question, 0, "", topic=turn.conversation)
    if not turn.answer:
        declined = with_passages(blank, [_shown(passage, answers=False) for passage in found], shape)
        if declined is None:
            dropped["nothing was found to be declined"] += 1
        else:
            yield declined
        return
    shown = looked_at(found, turn, library)
    part = supported_part(turn.answer, shown)
    if part is None:
        dropped["no passage supports the answer"] += 1
        return
    asking = replace(blank, answer=part.answer)
    orders = _orders(shown, shown[part.passage], shape, turn.id)
    example = next(filter(None, (with_passages(asking, order, shape) for order in orders)), None)
    if example is None:
        dropped["the passage does not fit into a prompt"] += 1
        return
    yield example
    if _chance(f"{turn.id} near miss") < _NEAR_MISSES:
        article = shown[part.passage].article_id
        others = [each for each in found if each.article_id != article and not _says_some(each, turn.answer)]
        asking = replace(blank, id=f"{turn.id}-miss")
        missed = with_passages(asking, [_shown(passage, answers=False) for passage in others], shape)
        if missed is not None:
            yield missed


def _orders(
    passages: Sequence[Passage], right: Passage, shape: PromptShape, seed: str
) -> Iterator[list[Found]]:
    """As the search ranks them; with the right one among those that a prompt shows; with the right one first."""
    found = [_shown(passage, answers=passage is right) for passage in passages]
    yield found
    answer = next(each for each in found if each.answers)
    others = [each for each in found if not each.answers][: shape.passages - 1]
    place = int(_chance(seed) * (len(others) + 1))
    yield [*others[:place], answer, *others[place:]]
    yield [answer, *others]


def _shown(passage: Passage, *, answers: bool) -> Found:
    return Found(passage.title, passage.text, answers)


def _says_some(passage: Passage, answer: str) -> bool:
    return any(check(sentence, [whole_text(passage)]).supported for sentence in sentences(answer))


def _joined(parts: Sequence[str]) -> str:
    """Sentences as one text: Chinese ones without blanks between them, steps and rows on lines of their own."""
    text = ""
    for part in parts:
        block = part.startswith(("-", "*", "|")) or part[:1].isdigit()
        between = "\n" if block else "" if text.endswith(("。", "！", "；", "：", "，")) else " "
        text = f"{text}{between}{part}" if text else part
    return text


def _chance(seed: str) -> float:
    """A number from 0 to 1 that only `seed` decides."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") / 2**64
