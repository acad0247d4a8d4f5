"""The questions that gaps.py gathers: of topics that what is learned has never seen."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.content import Content
from bot.understanding.language import detect
from bot.upkeep.gaps.space import Topics, known_topics
from retrieval.documents import Article

MOST_OF_ONE = 8  # questions of an intent in a set that looks like a log


@dataclass(frozen=True)
class Unseen:
    """Questions to cluster, their true topics, and their languages ("zh" or "en")."""

    texts: tuple[str, ...]
    topics: tuple[str, ...]
    languages: tuple[str, ...]

    def rows(self, chosen: Sequence[int]) -> Unseen:
        """Some of them."""
        columns = (self.texts, self.topics, self.languages)
        return Unseen(*(tuple(column[row] for row in chosen) for column in columns))


def without(content: Content, articles: Sequence[Article], names: Sequence[str]) -> Topics:
    """What can be learned if these intents, and the articles behind them, did not exist."""
    hidden = {article for name in names for article in content.intents[name].articles}
    seen = {name: intent for name, intent in content.intents.items() if name not in set(names)}
    return known_topics(
        content.model_copy(update={"intents": seen}), [each for each in articles if each.id not in hidden]
    )


def examples(content: Content, names: Sequence[str]) -> Unseen:
    """All examples of some intents."""
    rows = [
        (text, name, language)
        for name in names
        for language, texts in (
            ("zh", content.intents[name].examples.zh),
            ("en", content.intents[name].examples.en),
        )
        for text in texts
    ]
    return Unseen(*(tuple(column) for column in zip(*rows, strict=True)))


def golden(knowledge_base: Path, names: Sequence[str]) -> Unseen:
    """Golden questions that belong to one of these intents, without those that follow something."""
    rows = []
    for line in (knowledge_base / "golden.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        intents = row["expect"].get("intents", ())
        if len(intents) == 1 and intents[0] in names and not row.get("context"):
            rows.append((row["question"], intents[0], detect(row["question"]).language.content.value))
    return Unseen(*(tuple(column) for column in zip(*rows, strict=True)))


def like_a_log(unseen: Unseen, chance: np.random.Generator) -> Unseen:
    """Of each topic from 1 to `MOST_OF_ONE` questions, by chance."""
    by_topic: defaultdict[str, list[int]] = defaultdict(list)
    for row, topic in enumerate(unseen.topics):
        by_topic[topic].append(row)
    chosen = [
        int(row)
        for rows in by_topic.values()
        for row in chance.choice(
            rows, min(int(chance.integers(1, MOST_OF_ONE + 1)), len(rows)), replace=False
        )
    ]
    return unseen.rows(chosen)


def read_questions(path: Path) -> Unseen:
    """Questions with their topics, out of a file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    return Unseen(
        tuple(text for text, _ in rows),
        tuple(topic for _, topic in rows),
        tuple(detect(text).language.content.value for text, _ in rows),
    )


def halves(everything: Unseen, chance: np.random.Generator) -> tuple[Unseen, Unseen]:
    """The questions of half of the topics, and the others."""
    topics = sorted(set(everything.topics))
    known = set(chance.choice(topics, len(topics) // 2, replace=False).tolist())
    rows = range(len(everything.texts))
    return (
        everything.rows([row for row in rows if everything.topics[row] in known]),
        everything.rows([row for row in rows if everything.topics[row] not in known]),
    )
