"""What people preferred, as examples to train on: corrections as pairs for DPO, votes and corrections for KTO.

Each question stands in the same prompt as any example made of a conversation (`finetune.examples.dataset_examples`): with the
passages that the real search finds, and only where one of them supports the better answer. The worse one names the passage
that supports most of it, or the best one: that is what a model would have named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.answering.generator import PromptShape
from bot.answering.prompt import PromptPassage
from bot.answering.support import check
from bot.understanding.language import to_simplified
from finetune.examples.dataset_examples import dataset_examples
from finetune.examples.example import Example
from finetune.examples.passage_finder import Library
from finetune.examples.real_turns import RealTurn, real_turns, without_marks
from finetune.records import Conversation, Exchange
from finetune.training.preference_training import Judged, Preference
from retrieval.sentences import sentences


@dataclass(frozen=True)
class Preferred:
    """Pairs, votes, and how many preferences became neither, because no passage supports the better answer."""

    pairs: tuple[Preference, ...]
    votes: tuple[Judged, ...]
    left_out: int


def preferred(conversations: Sequence[Conversation], library: Library, shape: PromptShape) -> Preferred:
    """Make pairs and votes of what was rated or corrected; a correction is a vote for it and one against what was said.

    Args:
        conversations: of one side of a curated set.
        library: where passages come from.
        shape: of the prompts that the model will be served with.
    """
    pairs: list[Preference] = []
    votes: list[Judged] = []
    left_out = 0
    for turn, exchange in _judged(conversations):
        example = _example(turn, library, shape)
        if example is None:
            left_out += 1
        elif exchange.rejected is not None:
            rejected = without_marks(to_simplified(exchange.rejected))
            pair = Preference(example, rejected, _named(rejected, example.passages))
            if (pair.rejected, pair.rejected_source) != (example.answer, example.source):
                pairs.append(pair)
                votes += [Judged(example, liked=True), Judged(pair.worse, liked=False)]
        else:
            votes.append(Judged(example, liked=exchange.rating == 1))
    return Preferred(tuple(pairs), tuple(votes), left_out)


def _judged(conversations: Iterable[Conversation]) -> Iterator[tuple[RealTurn, Exchange]]:
    """Each answered turn that a person judged, with its exchange."""
    for conversation in conversations:
        exchanges = {f"{conversation.id}-{exchange.id}": exchange for exchange in conversation.exchanges}
        for turn in real_turns([conversation]):
            exchange = exchanges[turn.id]
            if turn.answer and (exchange.rejected is not None or exchange.rating is not None):
                yield turn, exchange


def _example(turn: RealTurn, library: Library, shape: PromptShape) -> Example | None:
    made = dataset_examples([turn], library, shape).examples
    return next((example for example in made if example.source), None)


def _named(answer: str, passages: Sequence[PromptPassage]) -> int:
    """The number of the passage that supports most sentences of an answer; the best one's if none does; 0 for no answer."""
    if not answer:
        return 0
    said = sentences(answer)
    supported = [
        sum(check(sentence, [f"{passage.title}\n\n{passage.text}"]).supported for sentence in said)
        for passage in passages
    ]
    return passages[supported.index(max(supported))].number
