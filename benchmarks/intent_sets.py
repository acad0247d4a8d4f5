"""The sets that benchmarks/intents.py measures on: CSV files with a column of texts and one of labels, or clinc150's JSON."""

from __future__ import annotations

import csv
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.understanding.intents import OUT_OF_SCOPE

# Columns by the names that published sets give them, the likeliest first: bitext's "category" is a group of intents.
TEXT_COLUMNS = ("text", "utterance", "question", "query", "sentence")
LABEL_COLUMNS = ("intent", "label", "category", "class")

Rows = list[tuple[str, str]]  # text, category


@dataclass(frozen=True)
class Data:
    """A set to measure on; `strange` are test questions that belong to no category."""

    train: Rows
    test: Rows
    strange: list[str]


@dataclass(frozen=True)
class Columns:
    """Names of a CSV file's columns; None: the first that is there of those that are usual."""

    text: str | None = None
    label: str | None = None


def read_data(train: Path, test: Path | None, strange: Path | None, columns: Columns) -> Data:
    """Read CSV files, or one file in clinc150's layout."""
    if train.suffix == ".json":
        sides = json.loads(train.read_text("utf-8"))
        known = [(text, OUT_OF_SCOPE) for text, _ in sides.get("oos_train", [])]
        return Data(
            [*map(tuple, sides["train"]), *known],
            [*map(tuple, sides["test"])],
            [text for text, _ in sides.get("oos_test", [])],
        )
    if test is None:
        raise SystemExit("--train with a CSV file needs --test, too.")
    odd = [] if strange is None else _column(strange, _table(strange), columns.text, TEXT_COLUMNS)
    return Data(_pairs(train, columns), _pairs(test, columns), odd)


def _table(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise SystemExit(
            f"{path} cannot be read: {error.strerror}. The sets are not part of Kefu; give your own."
        ) from error
    if not rows:
        raise SystemExit(f"{path} holds no rows; give a CSV file with a heading and a row a question.")
    return rows


def _column(path: Path, rows: list[dict[str, str]], chosen: str | None, usual: Sequence[str]) -> list[str]:
    wanted = usual if chosen is None else (chosen,)
    name = next((name for name in wanted if name in rows[0]), None)
    if name is None:
        raise SystemExit(
            f"{path} has no column {' or '.join(map(repr, wanted))}; its columns are {list(rows[0])}. "
            "Say which one it is with --text-column or --label-column."
        )
    return [row[name] for row in rows]


def _pairs(path: Path, columns: Columns) -> Rows:
    rows = _table(path)
    texts = _column(path, rows, columns.text, TEXT_COLUMNS)
    return list(zip(texts, _column(path, rows, columns.label, LABEL_COLUMNS), strict=True))


def few(rows: Rows, shots: int, seed: int) -> Rows:
    """So many examples of each category; of what belongs to none, all."""
    chance = random.Random(seed)  # noqa: S311 — a sample, no secret
    by_label: dict[str, list[str]] = defaultdict(list)
    for text, label in rows:
        by_label[label].append(text)
    return [
        (text, label)
        for label, texts in sorted(by_label.items())
        for text in (texts if label == OUT_OF_SCOPE else chance.sample(texts, min(shots, len(texts))))
    ]
