"""Which texts share their words, and which vectors are near."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upkeep.checks.nearness import centred, near_pairs
from bot.upkeep.checks.wording import Overlap, Wording

TEXTS = [frozenset(words) for words in ("ab", "abc", "bcd", "x", "")]


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    wording = Wording(TEXTS)
    assert wording.weight({"x"}) > wording.weight({"a"}) > wording.weight({"b"})
    assert wording.weight({"unknown"}) >= wording.weight({"x"})
    assert wording.weight(frozenset()) == 0


def test_an_overlap_is_measured_on_both_texts() -> None:
    found = Wording(TEXTS).overlap(TEXTS[0], TEXTS[1])
    assert found.of_less == pytest.approx(1.0)
    assert 0 < found.of_more < 1
    assert Wording(TEXTS).overlap(TEXTS[0], TEXTS[4]) == Overlap(0.0, 0.0)
    assert Wording(TEXTS).share({"a", "x"}, {"a"}) < 0.5


@given(
    st.lists(st.frozensets(st.sampled_from("退货天abc")), max_size=12), st.floats(0.1, 1), st.floats(0.1, 1)
)
def test_all_pairs_that_share_enough_are_found_and_no_other(
    texts: list[frozenset[str]], less: float, more: float
) -> None:
    wording = Wording(texts)
    by_hand = {
        (one, other)
        for one, other in combinations(range(len(texts)), 2)
        if (found := wording.overlap(texts[one], texts[other])).of_less >= less and found.of_more >= more
    }
    near_the_edge = {
        (one, other)
        for one, other in combinations(range(len(texts)), 2)
        if min(
            abs((found := wording.overlap(texts[one], texts[other])).of_less - less),
            abs(found.of_more - more),
        )
        < 1e-9
    }
    assert set(wording.pairs(Overlap(less, more))) - near_the_edge == by_hand - near_the_edge


def test_near_vectors_are_found_once_also_across_blocks() -> None:
    vectors = np.eye(3, dtype=np.float32)[np.arange(2100) % 3][:, :]
    few = vectors[[0, 1, 1025, 2049]]
    assert list(near_pairs(few, 0.9)) == [(0, 3)]
    found = set(near_pairs(vectors[:1030], 0.9))
    assert (2, 1028) in found
    assert all(first < second for first, second in found)


def test_vectors_are_centred_to_unit_length() -> None:
    vectors = np.array([[1, 0.1], [1, -0.1]], dtype=np.float32)
    np.testing.assert_allclose(centred(vectors), [[0, 1], [0, -1]], atol=1e-5)
    assert centred(np.zeros((0, 2), dtype=np.float32)).shape == (0, 2)
    assert np.isfinite(centred(np.ones((2, 2), dtype=np.float32))).all()
