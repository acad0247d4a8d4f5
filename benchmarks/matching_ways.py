"""What matching.py compares: ways to score how near a question is to each of a pool."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from search_peers import Document, kefu_index
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bot.upkeep.checks.nearness import centred
from retrieval.encoder import Encoder
from retrieval.joined_encoder import english_encoder_folder
from retrieval.keywords import KeywordIndex, tokenize
from retrieval.parts import Parts
from retrieval.sentence_encoder import load_encoder
from retrieval.vector_cache import CachedEncoder

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


def cosine(encoder: Encoder) -> Contender:
    """The cosine of two questions."""

    def of(pool: Sequence[str]) -> Ask:
        known = encoded(encoder, pool)
        return lambda question: np.asarray(known @ encoder.encode_queries([question])[0], dtype=np.float64)

    return of


def words(pool: Sequence[str]) -> Ask:
    """BM25 over words, Chinese cut by jieba's rules."""
    index = KeywordIndex.build([tokenize(one) for one in pool])
    return lambda question: index.scores(tokenize(question)).astype(np.float64)


def search(encoder: Encoder, passage_limit: int) -> Contender:
    """Kefu's search over the pool: the probability of every article; `SearchIndex.search` tells it of the first ones."""

    def of(pool: Sequence[str]) -> Ask:
        documents = [Document(frozenset(), one, one) for one in pool]
        with tempfile.TemporaryDirectory(prefix="kefu-matching-") as scratch:
            index = kefu_index(documents, encoder, None, Path(scratch), passage_limit)
            folder = Path(scratch) / "index" / str(index.manifest["generation"])
            parts = Parts.load(folder, encoder.dimension)
        places = np.array([int(article[1:]) for article in parts.contents.ids])
        everything = np.ones(len(parts.contents.faces), np.bool_)

        def ask(question: str) -> Reals:
            vector = parts.languages.apply(encoder.encode_queries([question])[0])
            scores = np.zeros(len(pool))
            found = parts.finder.find(question, vector, everything)
            scores[places] = parts.calibration.probabilities(found)
            return scores

        return ask

    return of


def duplicates(encoder: Encoder) -> Contender:
    """How `kefu check` compares questions: by their cosine from the middle of all that it compares."""

    def of(pool: Sequence[str]) -> Ask:
        known = encoded(encoder, pool)
        middle = known.mean(axis=0)
        placed = centred(known, middle)
        return lambda question: np.asarray(
            placed @ centred(encoder.encode_queries([question]), middle)[0], dtype=np.float64
        )

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
    known = encoded(encoder, pool)
    middle = known.mean(axis=0)
    placed = centred(known, middle)
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
            placed @ centred(vector[None], middle)[0],
            index.scores(tokens) / possible,
            shared / np.maximum(sizes + own.sum() - shared, 1),
            np.minimum(lengths, len(question)) / np.maximum(lengths, len(question)),
        )
        return np.stack(columns, axis=1).astype(np.float64)

    return signals


def encoded(encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors as of questions, a few hundred at a time."""
    return np.concatenate([encoder.encode_queries(texts[n : n + 256]) for n in range(0, len(texts), 256)])


def contenders(encoder: Encoder, asked: Sequence[str], dev: Part, limit: int) -> Iterator[Named]:
    """Everything that can be compared here, by name; what is `asked` is encoded before."""
    yield "cosine, same encoder", cosine(encoder)
    yield "BM25, words by jieba", words
    english = CachedEncoder(
        load_encoder(english_encoder_folder(), query_prompt="", passage_prompt="", device="cpu")
    )
    encoded(english, asked)
    yield "cosine, MiniLM", cosine(english)
    yield "features + logistic regression", learned(encoder, dev)
    yield "Kefu, as it finds duplicates", duplicates(encoder)
    yield "Kefu, as it searches", search(encoder, limit)
