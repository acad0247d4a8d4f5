"""Intents that are taken for each other: by the intent head on the team's own examples, and as people say in the log.

Each example is put to a head that was fitted without it (cross-validation: Stone 1974, "Cross-validatory choice and assessment
of statistical predictions"). What goes astray there will go astray with customers, whose words are less like the examples.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.understanding.corrections import known
from bot.understanding.intents import KNOWLEDGE, OUT_OF_SCOPE, Classified, TrainingSet, fit_head
from bot.understanding.vector_parts import Parts
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Location, Severity
from bot.upkeep.checks.materials import Materials
from bot.upkeep.checks.said import Words, listed, said
from retrieval.encoder import Vectors
from retrieval.joined_encoder import parts_of

FOLDS = 5
SURE = 0.5  # least probability of the wrong class: likelier than all others together
_WORTH_TELLING = 3  # questions between two intents; one or two may be odd
_MANY = 0.1  # of the examples of the smaller of the two

EXAMPLE, VOTED_DOWN, CORRECTED = "example", "voted down", "corrected"

Labels = NDArray[np.str_]


@dataclass(frozen=True)
class Guess:
    """The class that a question is put to, with its probability, 0 to 1."""

    label: str
    score: float


@dataclass(frozen=True)
class Stray:
    """A question of `intent` that was put to `taken_for`, and how that is known: EXAMPLE, VOTED_DOWN or CORRECTED."""

    text: str
    intent: str
    taken_for: str
    known_from: str

    @property
    def pair(self) -> tuple[str, str]:
        """The two intents, in the order of the alphabet."""
        first, second = sorted((self.intent, self.taken_for))
        return first, second


def check_confusions(materials: Materials) -> Iterator[Diagnostic]:
    """Pairs of intents, or an intent and what is none, between which questions go astray; those with most first."""
    between: dict[tuple[str, str], list[Stray]] = defaultdict(list)
    for stray in (*_examples(materials), *_customers(materials)):
        between[stray.pair].append(stray)
    sizes = Counter(materials.examples.labels)
    for pair, strays in sorted(between.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(strays) >= _WORTH_TELLING or any(each.known_from == CORRECTED for each in strays):
            yield _told(pair, strays, min(sizes[name] for name in pair), materials)


def out_of_fold(
    examples: TrainingSet, vectors: Vectors, parts: Parts | None = None, *, folds: int = FOLDS
) -> tuple[Guess | None, ...]:
    """The class that each example is put to by a head that did not see it.

    The examples of each class are dealt to the folds in turn, so that each fold has a share of each class.

    Args:
        examples: n questions with their class.
        vectors: their query vectors, shape (n, d).
        parts: of the vectors, as `fit_head` takes them.
        folds: how many heads are fitted, from 2.

    Returns:
        n classes with their probability; None for the only example of a class, and where fewer than two classes are left
        to choose from.
    """
    labels = np.array(examples.labels)
    fold = _dealt(labels, folds)
    found: list[Guess | None] = [None] * len(labels)
    for number in range(folds):
        unseen = fold == number
        if len(set(labels[~unseen])) < 2:
            continue
        seen = np.flatnonzero(~unseen)
        rest = TrainingSet(
            tuple(examples.texts[row] for row in seen), tuple(examples.labels[row] for row in seen)
        )
        head = fit_head(rest, vectors[seen], parts)
        for row in np.flatnonzero(unseen):
            found[row] = _best(head.classify(examples.texts[row], vectors[row]))
    return tuple(found)


def _dealt(labels: Labels, folds: int) -> NDArray[np.int64]:
    """The fold of each example; -1, so that it is never held out, for the only one of its class."""
    fold = np.full(len(labels), -1, dtype=np.int64)
    for label in sorted(set(labels)):
        rows = np.flatnonzero(labels == label)
        if len(rows) > 1:
            fold[rows] = np.arange(len(rows)) % folds
    return fold


def _examples(materials: Materials) -> Iterator[Stray]:
    examples = materials.examples
    if len(set(examples.labels)) < 2:
        return
    taken_for = out_of_fold(
        examples, materials.reader.encode_queries(examples.texts), parts_of(materials.reader)
    )
    for text, label, found in zip(examples.texts, examples.labels, taken_for, strict=True):
        if found is not None and found.label != label and found.score >= SURE:
            yield Stray(text, label, found.label, EXAMPLE)


def _customers(materials: Materials) -> Iterator[Stray]:
    """What people said: templates that they voted down or replaced by another one, and questions that they relabelled."""
    for missed in () if materials.log is None else materials.log.missed:
        if missed.instead is not None:
            how = CORRECTED if missed.corrected else VOTED_DOWN
            yield Stray(missed.question, missed.instead, missed.intent, how)
    relabelled = known(materials.examples, materials.corrections)
    if not relabelled or len(set(materials.examples.labels)) < 2:
        return
    reader = materials.reader
    head = fit_head(materials.examples, reader.encode_queries(materials.examples.texts), parts_of(reader))
    vectors = reader.encode_queries([each.text for each in relabelled])
    for each, vector in zip(relabelled, vectors, strict=True):
        found = _best(head.classify(each.text, vector))
        if found.label != each.intent:
            yield Stray(each.text, each.intent, found.label, CORRECTED)


def _told(pair: tuple[str, str], strays: Sequence[Stray], size: int, materials: Materials) -> Diagnostic:
    counts = Counter((each.intent, each.taken_for) for each in strays)
    ways = listed(
        (
            said("way", n=count, right=_named(right), wrong=_named(wrong))
            for (right, wrong), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ),
        "then",
    )
    many = len(strays) >= max(_MANY * size, _WORTH_TELLING)
    both_answer = all(name in materials.content.intents for name in pair)
    return Diagnostic(
        Kind.CONFUSED_INTENTS,
        Severity.WARNING if many and both_answer else Severity.HINT,
        said("confused", n=len(strays), ways=ways),
        tuple(_place(each, materials) for each in strays),
        said("confused_do"),
    )


def _place(stray: Stray, materials: Materials) -> Location:
    note = said("taken_for", wrong=_named(stray.taken_for))
    if stray.known_from != EXAMPLE:
        known = listed((note, said(stray.known_from)), "then")
        return Location(None, intent=stray.intent, text=stray.text, note=known)
    return replace(_example(stray, materials), note=note)


def _example(stray: Stray, materials: Materials) -> Location:
    """Where an example stands: in its intent, among the out-of-scope ones, or as an article's question."""
    intent = materials.content.intents.get(stray.intent)
    if intent is not None:
        english = stray.text in (*intent.examples.en, intent.title.en)
        return materials.in_intent(intent, "en" if english else "zh", stray.text)
    asked = (face for face in materials.articles if stray.text in (face.title, *face.questions))
    face = next(asked, None) if stray.intent == KNOWLEDGE else None
    return materials.in_out_of_scope(stray.text) if face is None else materials.in_article(face, stray.text)


def _named(intent: str) -> Words:
    kinds = {KNOWLEDGE: said("knowledge"), OUT_OF_SCOPE: said("out_of_scope")}
    return kinds.get(intent, intent)


def _best(found: Classified) -> Guess:
    """The likeliest class, of the intents and the two other kinds."""
    kinds = {scored.intent: scored.score for scored in found.intents}
    kinds |= {KNOWLEDGE: found.knowledge, OUT_OF_SCOPE: found.out_of_scope}
    label = max(kinds, key=lambda kind: kinds[kind])
    return Guess(label, kinds[label])
