"""Keyword search (BM25) over Chinese, English and mixed text, with the tokenizer that makes it work."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import bm25s
import numpy as np
import rjieba
from numpy.typing import NDArray
from opencc import OpenCC

from retrieval.errors import IndexMismatch

Tokenizer = Callable[[str], list[str]]

_SIMPLIFIED = OpenCC("t2s")
# A run of Latin letters and digits with what may join them: KF20261103-0042, Wi-Fi, 3.5, e-mail, user's.
_WORD = re.compile(r"[A-Za-z0-9À-ɏ]+(?:[-._'’/+&][A-Za-z0-9À-ɏ]+)*")
_PART = re.compile(r"[A-Z]+(?![a-zà-ÿ])|[A-ZÀ-Þ]?[a-zß-ɏ]+|\d+|[A-Za-zÀ-ɏ]+")
_HAN_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_JOINERS = re.compile(r"[-._'’/+&]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_VOWEL = re.compile(r"[aeiouy]")

# Words that say nothing about a topic. Short on purpose: BM25 weighs frequent words down by itself.
_STOP = frozenset(
    re.findall(
        r"\S+",
        "a an the is are was were be been am do does did have has had will would can could may might should shall must "
        "i me my mine we us our you your he she it its they them their this that these those there here "
        "of to in on at by for from with as and or but if so than then too very just also about into up "
        "what which who whom whose when where why how please pls hi hello thanks thank ok s t m re ve ll d "
        "don dont don't doesn doesnt doesn't isn isnt isn't didn didnt didn't "
        "的 了 吗 呢 吧 啊 呀 哦 嘛 么 哈 啦 呗 是 在 有 和 与 或 及 也 都 就 还 又 再 很 太 我 你 您 他 她 它 我们 你们 您们 "
        "他们 这 那 这个 那个 这些 那些 哪 哪个 什么 怎么 怎样 怎么样 怎么办 如何 咋 啥 多少 几 为什么 为啥 "
        "请 请问 一下 一个 个 想 要 会 能 能不能 可以 可不可以 不 没 没有 把 被 给 对 从 到 让 跟 你好 您好 谢谢 想问 问",
    )
)


def is_chinese(text: str) -> bool:
    """Whether a text holds Chinese characters, as questions that mix both languages do."""
    return bool(_HAN_RUN.search(text))


def tokenize(text: str) -> list[str]:
    """Content tokens of a text, for indexing and for searching alike.

    Full-width characters become half-width and traditional Chinese simplified, so that ＡｉｒＢｕｄｓ finds AirBuds
    and 退貨 finds 退货. Chinese is cut into words and their parts. A number or model name is kept whole and in parts
    (`KF20261103-0042`, `kf20261103`, `0042`, `wifi` for Wi-Fi); English words lose their case and their endings.
    Function words are left out.
    """
    normal = normalize(text)
    tokens = [token for word in _WORD.findall(normal) for token in _word_tokens(word)]
    tokens += [token for run in _HAN_RUN.findall(normal) for token in rjieba.cut_for_search(run)]
    return [token for token in tokens if token not in _STOP]


def normalize(text: str) -> str:
    """A text as it is cut into tokens: half-width, in simplified characters, numbers without their commas."""
    whole = text.encode("utf-8", "ignore").decode()  # half of a surrogate pair is no character
    return _THOUSANDS.sub("", _SIMPLIFIED.convert(unicodedata.normalize("NFKC", whole)))


def spelled(text: str) -> list[str]:
    """The words of a text in Latin letters and their parts, lowered as in `tokenize` but with their endings."""
    return [form for word in _WORD.findall(normalize(text)) for form in _word_forms(word)]


def chinese_runs(text: str) -> list[str]:
    """The stretches of Chinese characters in a text, simplified."""
    return _HAN_RUN.findall(normalize(text))


def is_function_word(token: str) -> bool:
    """Whether a token says nothing about a topic, and is left out."""
    return token in _STOP


@lru_cache(maxsize=50_000)
def _word_tokens(word: str) -> tuple[str, ...]:
    """Its forms, stemmed; each once."""
    return tuple(dict.fromkeys(stem(form) for form in _word_forms(word)))


def _word_forms(word: str) -> tuple[str, ...]:
    """The word itself, itself without joiners, and its parts; each once, lowered."""
    found = [word.lower()]
    segments = _JOINERS.split(word)
    if len(segments) > 1:
        found.append("".join(segments).lower())
    for segment in segments:
        found.append(segment.lower())
        parts = _PART.findall(segment)
        if len(parts) > 1:
            found += [part.lower() for part in parts]
    return tuple(dict.fromkeys(found))


def stem(word: str) -> str:
    """An English word without plural, -ed and -ing; anything with a digit or fewer than four letters as it is."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) > 2 and _VOWEL.search(base):
            return _restored(base)
    return word.removesuffix("e") if len(word) > 4 else word


def _restored(base: str) -> str:
    """`shipp` → `ship`, `chang` (which `change` is cut to as well) stays."""
    doubled = len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz"
    return base[:-1] if doubled else base.removesuffix("e") if len(base) > 4 else base


class KeywordIndex:
    """BM25 over tokenized documents. Row numbers are those of the documents it was built from."""

    def __init__(self, bm25: bm25s.BM25, count: int) -> None:
        self._bm25 = bm25
        self._count = count
        self._best = _best_per_token(bm25)

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]]) -> KeywordIndex:
        """An index over documents, each given as its tokens."""
        if not any(documents):  # the library divides by the mean length
            documents = [[""]] * len(documents)
        bm25 = bm25s.BM25(method="lucene", k1=1.2, b=0.6, backend="numpy")
        bm25.index([list(tokens) for tokens in documents], show_progress=False)
        return cls(bm25, len(documents))

    @classmethod
    def load(cls, folder: Path) -> KeywordIndex:
        """Read an index.

        Raises:
            IndexMismatch: the folder does not hold one.
        """
        try:
            bm25 = bm25s.BM25.load(folder, allow_pickle=False, show_progress=False)
            return cls(bm25, int(bm25.scores["num_docs"]))
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise IndexMismatch(f"{folder} holds no keyword index ({error}). Run `kefu index`.") from error

    def save(self, folder: Path) -> None:
        """Write the index into a folder; the caller publishes it atomically."""
        self._bm25.save(folder, show_progress=False)

    def __len__(self) -> int:
        return self._count

    def scores(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        """BM25 of every document, shape (len,), 0 up; all 0 if no token is known."""
        known = self._known(tokens)
        if not known:
            return np.zeros(self._count, dtype=np.float32)
        return np.asarray(self._bm25.get_scores(known), dtype=np.float32)

    def weight(self, token: str) -> float:
        """How much a token can add to a document's score, 0 up; 0.0 for one that no document holds."""
        row = self._bm25.vocab_dict.get(token)
        return 0.0 if row is None else float(self._best[row])

    def entries(self, token: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows of the documents that hold a token, and the BM25 that it adds to each."""
        column = self._bm25.vocab_dict.get(token)
        if column is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        starts = self._bm25.scores["indptr"]
        span = slice(starts[column], starts[column + 1])
        rows = np.asarray(self._bm25.scores["indices"][span], dtype=np.int64)
        return rows, np.asarray(self._bm25.scores["data"][span], dtype=np.float32)

    def _known(self, tokens: Sequence[str]) -> list[str]:
        vocabulary = self._bm25.vocab_dict
        return [token for token in dict.fromkeys(tokens) if token in vocabulary]


def _best_per_token(bm25: bm25s.BM25) -> NDArray[np.float32]:
    """The highest score that each token gives to any document."""
    starts = np.asarray(bm25.scores["indptr"])
    data = np.asarray(bm25.scores["data"], dtype=np.float32)
    best = np.zeros(len(starts) - 1, dtype=np.float32)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        best[filled] = np.maximum.reduceat(data, starts[filled])
    return best
