"""Teaches the intent head what people labelled: questions that it would put to the wrong intent, with the right one.

The head is small and is fitted anew in a second, on the team's own examples and the corrections. Whether that helps is
measured on corrections that it has not seen, and on the team's own examples that it has not seen, so that what was
learned from customers does not cost what worked before. Only if neither got worse are the corrections worth keeping:
they are kept as a file of lines, and the bot puts them beside the examples wherever it fits the head.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bot.content import Intent, load_content
from bot.learning import intent_encoder, intent_examples, open_index
from bot.settings import Settings
from bot.understanding.corrections import IntentCorrection, extended, known
from bot.understanding.intents import (
    KNOWLEDGE,
    OUT_OF_SCOPE,
    Classified,
    IntentHead,
    TrainingSet,
    fit_head,
    normalise,
)
from finetune.curation.dataset import Dataset
from finetune.curation.log_records import SOURCE as LOG
from finetune.errors import TooFewJudged
from finetune.lines import json_lines
from finetune.tongues import TOLD, Told, filled, joined, read_words
from retrieval.encoder import Encoder
from retrieval.errors import PublishError
from retrieval.joined_encoder import parts_of
from retrieval.publish import write_atomically

_WORDS = read_words(TOLD)["intents"]
_HELD_OUT = 0.3  # of the corrections
_OWN_HELD_OUT = 0.2  # of the team's own examples
_FEWEST = 10  # corrections; fewer than that cannot be held out and learned from as well


@dataclass(frozen=True)
class Accuracy:
    """Shares of unseen questions that were put right, 0 to 1: of the corrections, and of the team's own examples."""

    corrections: float
    own: float


@dataclass(frozen=True)
class IntentTraining:
    """What came of it. `unknown` are corrections to intents that there are not (any more)."""

    learned: tuple[IntentCorrection, ...]
    unknown: tuple[IntentCorrection, ...]
    before: Accuracy
    after: Accuracy

    @property
    def better(self) -> bool:
        """Whether more corrections come out right, and no fewer of the team's own examples."""
        return self.after.corrections > self.before.corrections and self.after.own >= self.before.own


def train_intents(
    examples: TrainingSet, corrections: Sequence[IntentCorrection], encoder: Encoder, *, seed: int = 0
) -> IntentTraining:
    """Measure what the corrections teach; the same for the same seed. Nothing is written: see `teach_intents`.

    Args:
        examples: the team's own (`bot.understanding.intents.training_set`).
        corrections: of customers' questions; of several for one question, the last one counts.
        encoder: the one that serves.
        seed: of what is held out.

    Raises:
        TooFewJudged: there are too few corrections to learn from and to measure with.
    """
    usable = known(examples, corrections)
    if len(usable) < _FEWEST:
        raise TooFewJudged(filled(_WORDS["too_few"], found=len(usable), of=len(corrections), needed=_FEWEST))
    unknown = tuple(each for each in corrections if not known(examples, [each]))
    chance = random.Random(seed)  # noqa: S311 — an order, no secret
    chance.shuffle(usable)
    count = max(3, round(_HELD_OUT * len(usable)))
    held, learned = usable[:count], usable[count:]
    unseen = _unseen(examples, chance)
    seen = TrainingSet(
        tuple(text for place, text in enumerate(examples.texts) if place not in unseen),
        tuple(label for place, label in enumerate(examples.labels) if place not in unseen),
    )
    own = [IntentCorrection(examples.texts[place], examples.labels[place]) for place in sorted(unseen)]
    before, after = (
        _accuracy(fit_head(some, encoder.encode_queries(some.texts), parts_of(encoder)), held, own, encoder)
        for some in (seen, extended(seen, learned))
    )
    return IntentTraining(
        learned=tuple(usable),
        unknown=unknown,
        before=before,
        after=after,
    )


def teach_intents(dataset: Dataset, settings: Settings, encoder: Encoder) -> IntentTraining:
    """Learn from a training set's labelled questions; if that helps, they are kept, and the bot learns from them, too.

    Args:
        dataset: the set.
        settings: the bot's; its index must exist.
        encoder: the bot's.

    Raises:
        TooFewJudged: there are too few labelled questions.
        BotError, RetrievalError: the knowledge base or the index cannot be read.
        PublishError: what was learned cannot be written; what was there before stays.
    """
    content = load_content(settings.knowledge_base)
    examples = intent_examples(content, open_index(settings, encoder))
    reading = intent_encoder(settings, encoder, examples.texts)
    training = train_intents(examples, labelled_questions(dataset, content.intents), reading)
    if training.better:
        write_corrections(settings.intent_corrections_path, training.learned)
    return training


def told(training: IntentTraining) -> Told:
    """What came of a training, in a sentence or two."""
    before, after = training.before, training.after
    found = filled(
        _WORDS["learned" if training.better else "not_learned"],
        count=len(training.learned),
        before=f"{before.corrections:.0%}",
        after=f"{after.corrections:.0%}",
        own_before=f"{before.own:.0%}",
        own_after=f"{after.own:.0%}",
    )
    names = sorted({each.intent for each in training.unknown})
    return joined((found, filled(_WORDS["unknown"], names=", ".join(names)))) if names else found


def labelled_questions(dataset: Dataset, intents: Mapping[str, Intent]) -> list[IntentCorrection]:
    """Openings of imported talks whose intent a person gave, by its id or title. The log's intents are the bot's own guess.

    Only of the sides that are learned from; a label that is neither stays as it is, so that `train_intents` can name it.
    """
    ids = {
        name: intent.id
        for intent in intents.values()
        for name in map(normalise, (intent.id, intent.title.zh, intent.title.en))
    }
    found = []
    for conversation in (*dataset.train, *dataset.validation):
        first = conversation.exchanges[0]
        if conversation.source != LOG and first.selected and first.intent and "variant" not in first.metadata:
            found.append(IntentCorrection(first.question, ids.get(normalise(first.intent), first.intent)))
    return found


def put_right(head: IntentHead, asked: TrainingSet, encoder: Encoder) -> list[bool]:
    """For each question whether the head puts it to its class, of the intents and the two other kinds.

    Args:
        head: a fitted one.
        asked: questions with their classes.
        encoder: the one that the head was fitted with.
    """
    vectors = encoder.encode_queries(asked.texts)
    return [
        _best(head.classify(text, vector)) == label
        for text, label, vector in zip(asked.texts, asked.labels, vectors, strict=True)
    ]


def write_corrections(path: Path, corrections: Sequence[IntentCorrection]) -> None:
    """Write a file that `bot.understanding.corrections` reads; a running bot takes it up.

    Raises:
        PublishError: it cannot be written; what was there before stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json_lines(asdict(each) for each in corrections))
    except OSError as error:
        raise PublishError(f"{path} cannot be written: {error}. Make room or make it writable.") from error


def _unseen(examples: TrainingSet, chance: random.Random) -> Collection[int]:
    """Places of examples to be held out: a share of each class, and never more than leaves it two."""
    unseen: set[int] = set()
    for label in sorted(set(examples.labels)):
        places = [place for place, other in enumerate(examples.labels) if other == label]
        chance.shuffle(places)
        unseen.update(places[: min(round(_OWN_HELD_OUT * len(places)), max(0, len(places) - 2))])
    return unseen


def _accuracy(
    head: IntentHead, held: Sequence[IntentCorrection], own: Sequence[IntentCorrection], encoder: Encoder
) -> Accuracy:
    return Accuracy(_share_right(head, held, encoder), _share_right(head, own, encoder))


def _share_right(head: IntentHead, asked: Sequence[IntentCorrection], encoder: Encoder) -> float:
    if not asked:
        return 1.0
    questions = TrainingSet(tuple(each.text for each in asked), tuple(each.intent for each in asked))
    return float(np.mean(put_right(head, questions, encoder)))


def _best(found: Classified) -> str:
    """The likeliest class, of the intents and the two other kinds."""
    kinds = {intent.intent: intent.score for intent in found.intents}
    kinds |= {KNOWLEDGE: found.knowledge, OUT_OF_SCOPE: found.out_of_scope}
    return max(kinds, key=lambda kind: kinds[kind])
