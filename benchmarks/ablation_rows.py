"""The rows of ablation.py: Kefu's search with one part taken away or exchanged, each by the names of the field."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import rjieba
from numpy.typing import NDArray

from retrieval.bridge import WordBridge
from retrieval.calibration import Calibration, Example
from retrieval.chunking import plain_text, split
from retrieval.documents import Article, Passage
from retrieval.encoder import Vectors
from retrieval.evidence import SIGNALS, Evidence, EvidenceFinder, Floats, Mask, Rows
from retrieval.keywords import chinese_runs, is_function_word, normalize, spelled, stem
from retrieval.languages import Group, LanguageFilter
from retrieval.learning import SERVING, FinderMaker, Recipe
from retrieval.pinyin import Pinyin, SoundedWord
from retrieval.spelling import Spelling

_DENSE = ("passage", "sentence", "question", "topic", "english")
_SPARSE = ("keywords", "coverage")
_RANK_OFFSET = 60  # of reciprocal rank fusion, as Cormack, Clarke and Büttcher 2009 chose it
_PLAIN_WORD = re.compile(r"[a-z0-9]+")
_WHOLE = 10**9  # width units: an article's sections stay apart, but none is cut

Cut = Callable[[Article, int], Sequence[Passage]]  # an article, the limit that is set → its passages


@dataclass(frozen=True)
class Row:
    """One way to search. Everything that is learned is learned anew for it."""

    name: str
    recipe: Recipe = SERVING
    cut: Cut = split
    listed: bool = True  # whether the articles' listed questions are searched and learned from
    labelled: bool = True  # whether the intents' examples are learned from
    context: bool = True  # whether a follow-up is read with the question before it
    simplified: bool = True  # whether traditional characters are turned into simplified ones first


def rows() -> list[Row]:
    """Every row, the whole first."""
    return [
        Row("Kefu's whole search"),
        # Retrievers
        Row("dense retrieval off (words alone)", Recipe(finder=_without(*_DENSE))),
        Row("sparse retrieval off (vectors alone)", Recipe(finder=_without(*_SPARSE))),
        Row("passage vectors off", Recipe(finder=_without("passage"))),
        Row("vectors of sentences off", Recipe(finder=_without("sentence"))),
        Row("vectors of titles and listed questions off", Recipe(finder=_without("question"))),
        Row("topic map (kernel ridge regression) off", Recipe(finder=_without("topic"))),
        Row("English encoder off", Recipe(finder=_without("english"))),
        Row("BM25 off", Recipe(finder=_without("keywords"))),
        Row("term coverage off", Recipe(finder=_without("coverage"))),
        # Fusion
        Row("fusion: equal weights", Recipe(calibration=_equal_weights)),
        Row("fusion: reciprocal rank, all signals", Recipe(calibration=_reciprocal_ranks(SIGNALS))),
        Row(
            "fusion: reciprocal rank, passages + BM25",
            Recipe(calibration=_reciprocal_ranks(("passage", "keywords"))),
        ),
        # What is learned from
        Row("intents' examples not learned from", labelled=False),
        Row("articles' listed questions off", listed=False),
        # Languages
        Row("language directions left in vectors", Recipe(languages=_no_directions)),
        Row(
            "signals standardized over both languages",
            Recipe(finder=partial(EvidenceFinder, by_language=False)),
        ),
        Row("cross-language words (IBM model 1) off", Recipe(bridge=lambda _: WordBridge({}))),
        Row("traditional characters as typed", simplified=False),
        # Words
        Row("spelling correction off", Recipe(spelling=lambda _: Spelling({}))),
        Row("pinyin input off", Recipe(pinyin=_learned_by(_NoPinyinInput))),
        Row("homophones off", Recipe(pinyin=_learned_by(_NoHomophones))),
        Row("model names and numbers not in parts", Recipe(tokens=_plain_words)),
        Row("stemming off", Recipe(tokens=_unstemmed)),
        Row("Chinese by character bigrams", Recipe(tokens=_bigrams)),
        Row("Chinese by words and character bigrams", Recipe(tokens=_words_and_bigrams)),
        # Passages
        Row("passages of half the length", cut=lambda article, limit: split(article, limit // 2)),
        Row("passages of double the length", cut=lambda article, limit: split(article, 2 * limit)),
        Row("whole articles as passages", cut=_one_passage),
        Row("titles and headings not in passages", Recipe(text=lambda one: plain_text(one.text))),
        Row(
            "headings not in passages",
            Recipe(text=lambda one: f"{one.title}\n{plain_text(one.text)}"),
        ),
        Row(
            "article's score: first passage (FirstP)",
            cut=lambda article, limit: split(article, limit)[:1],
        ),
        Row(
            "article's score: mean of passages (AvgP)",
            Recipe(finder=partial(EvidenceFinder, aggregate=_mean_of)),
        ),
        # The conversation
        Row("follow-ups without their context", context=False),
    ]


def _without(*silent: str) -> FinderMaker:
    """A finder some of whose signals say nothing."""
    columns = [SIGNALS.index(name) for name in silent]

    class Silenced(EvidenceFinder):
        def find(
            self,
            question: str,
            vector: Vectors,
            faces: Mask,
            *,
            english: Vectors | None = None,
            without: Collection[str] = (),
            topics: Floats | None = None,
        ) -> Evidence:
            found = super().find(question, vector, faces, english=english, without=without, topics=topics)
            signals, standard = found.signals.copy(), found.standard.copy()
            signals[:, columns] = standard[:, columns] = 0.0
            return replace(found, signals=signals, standard=standard)

    return Silenced


def _mean_of(scores: Floats, articles: Rows, count: int, floor: float) -> Floats:
    sums = np.bincount(articles, scores, minlength=count)
    counts = np.bincount(articles, minlength=count)
    return np.where(counts > 0, sums / np.maximum(counts, 1), floor).astype(np.float32)


@dataclass(frozen=True)
class _ReciprocalRanks(Calibration):
    """Ranks by the sum of 1 / (60 + rank) over some signals as they are; equal ones get the same rank."""

    columns: tuple[int, ...] = ()

    def rank(self, evidence: Evidence) -> NDArray[np.float64]:
        signals = evidence.signals[:, self.columns]
        places = 1 + (signals[None] > signals[:, None]).sum(axis=1)
        fused = (1.0 / (_RANK_OFFSET + places)).sum(axis=1)
        return np.where(evidence.candidates, fused, -np.inf)


def _reciprocal_ranks(names: Sequence[str]) -> Callable[[Sequence[Example], int], Calibration]:
    columns = tuple(SIGNALS.index(name) for name in names)
    return lambda *_: _ReciprocalRanks((), (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, columns=columns)


def _equal_weights(*_: object) -> Calibration:
    return Calibration((1.0,) * len(SIGNALS), (1.0, 0.0, 0.0, 0.0, 0.0), 0.0)


def _no_directions(groups: Sequence[Group]) -> LanguageFilter:
    return LanguageFilter(np.zeros((0, groups[0][0].shape[1]), dtype=np.float32))


class _NoPinyinInput(Pinyin):
    def read(self, letters: str, ends: frozenset[int] = frozenset()) -> tuple[SoundedWord, ...] | None:
        del letters, ends
        return None


class _NoHomophones(Pinyin):
    def same_sound(self, word: str) -> dict[str, float]:
        del word
        return {}


def _learned_by(kind: type[Pinyin]) -> Callable[[Iterable[str]], Pinyin]:
    return kind.learn


def _chinese_words(text: str) -> list[str]:
    return [token for run in chinese_runs(text) for token in rjieba.cut_for_search(run)]


def _content(tokens: Iterable[str]) -> list[str]:
    return [token for token in tokens if not is_function_word(token)]


def _plain_words(text: str) -> list[str]:
    latin = map(stem, _PLAIN_WORD.findall(normalize(text).lower()))
    return _content([*latin, *_chinese_words(text)])


def _unstemmed(text: str) -> list[str]:
    return _content([*spelled(text), *_chinese_words(text)])


def _bigrams(text: str) -> list[str]:
    return _content([*map(stem, spelled(text)), *_pairs(text)])


def _words_and_bigrams(text: str) -> list[str]:
    return _content([*map(stem, spelled(text)), *dict.fromkeys((*_chinese_words(text), *_pairs(text)))])


def _pairs(text: str) -> list[str]:
    """Every two neighbouring Chinese characters; a single one by itself."""
    return [run[at : at + 2] for run in chinese_runs(text) for at in range(max(len(run) - 1, 1))]


def _one_passage(article: Article, limit: int) -> Sequence[Passage]:
    del limit
    first, *_ = split(article, _WHOLE)
    return [replace(first, headings=(), text=article.body)]
