"""What a question's wording says of its intent: hashed n-grams of words and characters, weighed by how rare they are.

A sentence vector knows what a question means; that it says "top up" and not "transfer" may be lost in it. Words are found
without spaces as well: every Chinese character is a word of its own, so that pairs of them are pairs of words. The grams
are hashed to columns (Weinberger et al. 2009, arXiv 0902.2206), so that nothing but two arrays has to be kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

COLUMNS = 2**15
_HAN = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")
_LETTERS = range(2, 6)  # lengths of the grams within a word


def grams(text: str) -> list[str]:
    """Words, pairs of neighbouring words, and pieces of 2 to 5 letters of each word with its edges marked."""
    whole = text.encode("utf-8", "ignore").decode()  # half of a surrogate pair is no character
    words = _WORD.findall(unicodedata.normalize("NFKC", whole).lower())
    pairs = [f"{one} {other}" for one, other in pairwise(words)]
    return [f"w{gram}" for gram in (*words, *pairs)] + [
        f"c{edged[start : start + length]}"
        for edged in (f"<{word}>" for word in words if len(word) > 1)
        for length in _LETTERS
        for start in range(len(edged) - length + 1)
    ]


_hashed = HashingVectorizer(
    analyzer=grams, n_features=COLUMNS, binary=True, norm=None, alternate_sign=False, dtype=np.float32
)


def rarity(texts: Sequence[str]) -> NDArray[np.float32]:
    """How rare each column is among `texts`: smoothed inverse document frequency, shape (COLUMNS,), 1 up."""
    held = np.asarray(_hashed.transform(texts).sum(axis=0)).ravel()
    return np.asarray(np.log((1 + len(texts)) / (1 + held)) + 1, dtype=np.float32)


def worded(texts: Sequence[str], rarities: NDArray[np.float32]) -> csr_matrix:
    """Rows of length 1 (or 0, for a text without a word), shape (len(texts), COLUMNS)."""
    return csr_matrix(normalize(_hashed.transform(texts) @ diags_array(rarities)))
