"""Gathers unanswered turns by meaning: each joins a gap that there is, or becomes or joins a new one.

What was put together once stays together, so that an id means the same tomorrow. A gap stands for its turns as one cluster
from the start; new questions and gaps are then merged by the same rule (`clustering`). Gaps that come near enough are
merged, too; the one that a person has decided on stays, else the older. Two that were both decided on are left alone.

A gap that was decided on stands for what people saw when they decided. What joins it later does not move it: a dismissed
gap must not grow over its neighbours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlite_utils import Database

from bot.conversation import TurnId
from bot.memory.gaps import (
    GapId,
    Gathered,
    GatheredQuestion,
    NewGap,
    StoredGap,
    gathered_questions,
    read_gaps,
    write_gathered,
)
from bot.understanding.intents import normalise
from bot.upkeep.gaps.clustering import agglomerate
from bot.upkeep.gaps.space import MeaningSpace
from bot.upkeep.gaps.unanswered import UnansweredTurn
from retrieval.encoder import Encoder, Vectors


@dataclass(frozen=True)
class _Cluster:
    """One to start from: a gap that there is, or new turns with the same question."""

    questions: Counter[str]
    turns: tuple[TurnId, ...]
    gap: StoredGap | None = None


class Places:
    """Where questions lie in a meaning space whose middle they move; each is encoded once."""

    def __init__(self, space: MeaningSpace, encoder: Encoder, questions: Sequence[str]) -> None:
        self._rows = {text: row for row, text in enumerate(dict.fromkeys(questions))}
        vectors = encoder.encode_queries(list(self._rows))
        self._vectors = space.around(vectors).place(vectors)

    def of(self, questions: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(questions), dimension)."""
        return self._vectors[[self._rows[text] for text in questions]]

    def mean(self, questions: Mapping[str, int]) -> Vectors:
        """The mean of questions that were asked so often each, shape (dimension,)."""
        weights = np.array(list(questions.values()), dtype=np.float32)
        return np.asarray(weights @ self.of(list(questions)) / weights.sum(), dtype=np.float32)

    def medoid(self, questions: Mapping[str, int]) -> str:
        """The most typical question: the one nearest to all the others; of equals, the one that was asked most."""
        texts = list(questions)
        nearness = np.round(self.of(texts) @ self.mean(questions), 3)
        return max(zip(nearness, texts, strict=True), key=lambda each: (each[0], questions[each[1]]))[1]


def gather(
    log: Database, turns: Sequence[UnansweredTurn], space: MeaningSpace, encoder: Encoder, *, at: datetime
) -> Gathered:
    """Put the turns that are in no gap yet where they belong, write it into the log, and return what was written.

    Args:
        log: see `bot.memory.gaps.gap_log`.
        turns: unanswered ones, whether gathered before or not.
        space: where they are compared.
        encoder: gives their vectors.
        at: this moment, UTC.
    """
    clusters = _known(log)
    placed = {turn for cluster in clusters for turn in cluster.turns}
    fresh = [turn for turn in turns if turn.id not in placed]
    if not fresh:
        return Gathered()
    clusters += _fresh(fresh)
    places = Places(space, encoder, [text for cluster in clusters for text in cluster.questions])
    gathered = _merged(clusters, places, space.cut)
    write_gathered(log, gathered, at=at)
    return gathered


def _known(log: Database) -> list[_Cluster]:
    """The gaps that there are, by id. One without a turn left stands for its title."""
    gathered: defaultdict[GapId, list[GatheredQuestion]] = defaultdict(list)
    for each in gathered_questions(log):
        gathered[each.gap].append(each)
    clusters = []
    for gap in read_gaps(log):
        own = gathered[gap.id]
        seen = [each.question for each in own if gap.decided_at is None or each.asked_at <= gap.decided_at]
        clusters.append(_Cluster(Counter(seen or [gap.title]), tuple(each.turn for each in own), gap))
    return clusters


def _fresh(turns: Sequence[UnansweredTurn]) -> list[_Cluster]:
    """New turns, those with one wording together."""
    alike: defaultdict[str, list[UnansweredTurn]] = defaultdict(list)
    for turn in turns:
        alike[normalise(turn.question)].append(turn)
    return [
        _Cluster(Counter({same[0].question: len(same)}), tuple(turn.id for turn in same))
        for same in alike.values()
    ]


def _merged(clusters: Sequence[_Cluster], places: Places, cut: float) -> Gathered:
    roots = agglomerate(
        np.stack([places.mean(cluster.questions) for cluster in clusters]),
        np.array([cluster.questions.total() for cluster in clusters], dtype=np.float64),
        cut,
        apart=np.array([cluster.gap is not None and cluster.gap.decided for cluster in clusters]),
    )
    groups: defaultdict[int, list[_Cluster]] = defaultdict(list)
    for cluster, root in zip(clusters, roots, strict=True):
        groups[int(root)].append(cluster)
    new: list[NewGap] = []
    joined: dict[TurnId, GapId] = {}
    merged: dict[GapId, GapId] = {}
    titles: dict[GapId, str] = {}
    for group in groups.values():
        questions = sum((one.questions for one in group), Counter[str]())
        turns = tuple(turn for one in group if one.gap is None for turn in one.turns)
        gaps = [one.gap for one in group if one.gap is not None]
        if not gaps:
            new.append(NewGap(places.medoid(questions), turns))
            continue
        stays = min(gaps, key=lambda gap: (not gap.decided, gap.id))
        joined |= dict.fromkeys(turns, stays.id)
        merged |= {gap.id: stays.id for gap in gaps if gap is not stays}
        if len(group) > 1 and not stays.decided:
            titles[stays.id] = places.medoid(questions)
    return Gathered(tuple(new), joined, merged, titles)
