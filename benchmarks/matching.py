"""How well two customers' questions that mean the same are told from two that do not, and the same one found among many.

    python benchmarks/matching.py                                  # ATEC's Chinese pairs, where ../shared/data lies
    python benchmarks/matching.py --pairs F.tsv --test-from 30000  # id, first, second, label (1 = same), tab-separated
    python benchmarks/matching.py … --pool 1000                    # so many first questions at most; less is faster
    python benchmarks/matching.py … --vectors FILE                 # keeps the vectors, for the next run
    python benchmarks/matching.py --json FILE                      # the figures as JSON, too

The pool is the distinct first questions of the pairs from --test-from on; its pairs are the test. Everything that is
learned (a threshold; the logistic regression's weights) is learned on as large a pool of pairs before it. Every second
question is asked against the whole pool; times are without encoding it. AUC and accuracy: of the score that its own first
question gets. recall@k: over the pairs that mean the same, whether that first question is among the k best; the rest of the
pool counts as wrong, though some of it means the same, too.

"Kefu, as it finds duplicates" is the score by which `kefu check` tells that two questions are the same. "Kefu, as it
searches" is its search as it is: the pool as articles (the set has no answers, so each question answers itself), indexed;
the score is the probability that a hit carries. That is made to rank one question's articles, and falls where several are
as near: as the score of a pair it depends on what else is in the pool. Neither learns from any pair. "Features + logistic
regression" is no part of Kefu: it shows what a few cheap signals reach that are learned from labelled pairs, which a shop
does not have.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figures import figure, table_of, write_json
from matching_ways import Ask, Contender, Pair, Part, Reals, contenders, encoded
from numpy.typing import NDArray
from rich.console import Console
from sklearn.metrics import roc_auc_score

from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import load_settings
from retrieval.vector_cache import CachedEncoder

PAIRS = Path("../shared/data/matching/atec_zh.tsv")
_screen = Console(stderr=True)


@dataclass(frozen=True)
class Figures:
    """What one contender came to; shares 0 to 1."""

    auc: float = figure("AUC")
    accuracy: float = figure("accuracy")
    recall1: float = figure("recall@1")
    recall5: float = figure("recall@5")
    milliseconds: float = figure("ms", digits=1)  # a question against the whole pool


def read_parts(path: Path, test_from: int, size: int) -> tuple[Part, Part]:
    """The part to learn on, which ends where the test begins, and the test; each of at most `size` first questions."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}. The set is no part of Kefu; give --pairs."
        raise SystemExit(reason) from error
    before: list[tuple[str, ...]] = []
    after: list[tuple[str, ...]] = []
    for line in text.splitlines():
        cells = tuple(cell.strip("\ufeff ") for cell in line.split("\t"))
        if len(cells) != 4 or not cells[0].isdigit():
            raise SystemExit(f"{path} has the line {line!r}; each is a number, two questions and a label.")
        (before if int(cells[0]) < test_from else after).append(cells[1:])
    if not before or not after:
        raise SystemExit(f"{path} has {len(before)} pairs before {test_from}, {len(after)} after; give both.")
    return _part(before[::-1], size), _part(after, size)


def _part(rows: Sequence[tuple[str, ...]], size: int) -> Part:
    pool: dict[str, int] = {}
    for first, second, _ in rows:
        if first and second and len(pool) < size:
            pool.setdefault(first, len(pool))
    pairs = [Pair(other, label == "1", pool[one]) for one, other, label in rows if one in pool and other]
    return Part(tuple(pool), tuple(pairs))


def measure(contender: Contender, dev: Part, test: Part) -> Figures:
    """Choose a threshold on one part, and measure on the other."""
    scores, _ = _asked(contender(dev.pool), dev)
    threshold = _threshold(scores, np.array([pair.same for pair in dev.pairs]))
    ask = contender(test.pool)
    started = time.perf_counter()
    scores, ranks = _asked(ask, test)
    seconds = time.perf_counter() - started
    same = np.array([pair.same for pair in test.pairs])
    return Figures(
        auc=float(roc_auc_score(same, scores)),
        accuracy=float(((scores >= threshold) == same).mean()),
        recall1=float((ranks[same] <= 1).mean()),
        recall5=float((ranks[same] <= 5).mean()),
        milliseconds=1000 * seconds / len(test.pairs),
    )


def _asked(ask: Ask, part: Part) -> tuple[Reals, Reals]:
    """For each pair the score of its first question, and that one's rank in the pool; equal ones share a middle rank."""
    scores, ranks = np.zeros(len(part.pairs)), np.zeros(len(part.pairs))
    for row, pair in enumerate(part.pairs):
        all_ = ask(pair.second)
        scores[row] = all_[pair.place]
        ranks[row] = 1 + (all_ > scores[row]).sum() + ((all_ == scores[row]).sum() - 1) / 2
    return scores, ranks


def _threshold(scores: Reals, same: NDArray[np.bool_]) -> float:
    """The score from which on calling pairs the same is right most often."""
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(np.where(same[order], 1, -1))  # against calling none the same
    best = int(right.argmax())
    return float(scores[order[best]]) if right[best] > 0 else float("inf")


def main() -> None:
    """Measure every contender, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=Path, default=PAIRS)
    parser.add_argument("--test-from", type=int, default=30_000, metavar="ID", help="first id of the test")
    parser.add_argument("--pool", type=int, default=5_000)
    parser.add_argument("--vectors", type=Path, help="keep the vectors here, for the next run")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    chosen = parser.parse_args()
    configure_logs("error")
    dev, test = read_parts(chosen.pairs, chosen.test_from, chosen.pool)
    encoder = CachedEncoder(make_encoder(load_settings(), lambda *_: None), chosen.vectors)
    asked = sorted({pair.second for part in (dev, test) for pair in part.pairs}, key=len)
    encoded(encoder, asked)
    found = {}
    limit = load_settings().retrieval.passage_characters
    for name, contender in contenders(encoder, asked, dev, limit):
        found[name] = measure(contender, dev, test)
        _screen.print(f"{name}: {found[name]}")
    if chosen.vectors is not None:
        encoder.save(chosen.vectors)
    title = (
        f"{len(test.pairs)} pairs, {sum(pair.same for pair in test.pairs)} the same, pool of {len(test.pool)}"
    )
    Console(width=120).print(table_of(title, found))
    if chosen.json is not None:
        write_json(chosen.json, "matching", found)


if __name__ == "__main__":
    main()
