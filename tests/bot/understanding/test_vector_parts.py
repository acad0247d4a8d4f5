"""Vectors of several parts are compared by the parts that both have."""

from __future__ import annotations

import numpy as np
import pytest

from bot.understanding.vector_parts import centred, mean_of, present, similarities

PARTS = (2, 2)
WHOLE = np.array([[1, 0, 1, 0], [0, 1, 0, 1]], dtype=np.float32)
HALF = np.array([[1, 0, 0, 0]], dtype=np.float32)
ALL = np.concatenate((WHOLE, HALF))
NO_MEAN = np.zeros(4, dtype=np.float32)


def test_a_part_of_zeros_changes_no_mean_and_stays_zero() -> None:
    mean = mean_of(ALL, PARTS)
    np.testing.assert_allclose(mean, [2 / 3, 1 / 3, 1 / 2, 1 / 2], atol=1e-6)
    assert not centred(HALF, mean, PARTS)[0, 2:].any()


def test_centred_vectors_are_unit_vectors_however_many_parts_they_have() -> None:
    lengths = np.linalg.norm(centred(ALL, NO_MEAN, PARTS), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-6)


def test_a_text_that_one_encoder_knows_nothing_of_is_as_near_as_by_the_other_alone() -> None:
    moved = centred(ALL, NO_MEAN, PARTS)
    found = similarities(moved, moved, PARTS)
    assert found[2].tolist() == pytest.approx([1, 0, 1], abs=1e-6)
    assert found[0].tolist() == pytest.approx([1, 0, 1], abs=1e-6)


def test_vectors_without_a_common_part_are_not_near() -> None:
    other = np.array([[0, 0, 1, 0]], dtype=np.float32)
    assert similarities(HALF, other, PARTS)[0, 0] == 0
    assert present(np.concatenate((HALF, other)), PARTS).tolist() == [[1, 0], [0, 1]]


def test_vectors_of_one_part_are_compared_by_their_cosine() -> None:
    moved = centred(WHOLE, NO_MEAN, (4,))
    np.testing.assert_allclose(similarities(moved, moved, (4,)), moved @ moved.T, atol=1e-6)
