"""What was encoded not long ago is not encoded again."""

from __future__ import annotations

import numpy as np

from retrieval.vector_cache import RecentTexts
from tests.fakes import WordEncoder


def test_a_text_is_encoded_once_and_comes_back_the_same() -> None:
    inner = WordEncoder()
    recent = RecentTexts(inner)
    first = recent.encode_queries(["退款", "refund", "退款"])
    again = recent.encode_queries(["refund", "退款"])
    assert inner.asked == ["退款", "refund"]
    assert np.array_equal(again, first[[1, 0]])


def test_only_the_last_texts_are_kept() -> None:
    inner = WordEncoder()
    recent = RecentTexts(inner, size=2)
    for text in ("a1", "b2", "c3", "a1"):
        recent.encode_queries([text])
    assert inner.asked == ["a1", "b2", "c3", "a1"]


def test_nothing_in_nothing_out() -> None:
    assert RecentTexts(WordEncoder()).encode_passages([]).shape == (0, WordEncoder.dimension)
