"""Tests of the FAISS index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import Vectors
from retrieval.errors import IndexMismatch
from retrieval.vectors import VectorIndex


def unit_vectors(count: int, dimension: int = 16) -> Vectors:
    vectors = np.random.default_rng(0).standard_normal((count, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("exact_up_to", [1000, 10])
def test_a_vector_finds_itself_first(exact_up_to: int) -> None:
    vectors = unit_vectors(200)
    rows, cosines = VectorIndex.build(vectors, exact_up_to=exact_up_to).search(vectors[7], 5)
    assert rows[0] == 7
    assert cosines[0] == pytest.approx(1.0, abs=1e-5)
    assert list(cosines) == sorted(cosines, reverse=True)


def test_no_more_is_found_than_there_is() -> None:
    vectors = unit_vectors(30)
    rows, _ = VectorIndex.build(vectors, exact_up_to=5).search(vectors[0], 1000)
    assert len(rows) <= 30
    assert (rows >= 0).all()


def test_another_dimension_is_refused_in_words() -> None:
    with pytest.raises(IndexMismatch, match=r"shape \(8,\).*vectors of 16"):
        VectorIndex.build(unit_vectors(3)).search(unit_vectors(1, 8)[0], 1)


def test_an_empty_index_finds_nothing() -> None:
    rows, cosines = VectorIndex.build(np.zeros((0, 16), dtype=np.float32)).search(unit_vectors(1)[0], 3)
    assert len(rows) == len(cosines) == 0


@pytest.mark.parametrize("exact_up_to", [1000, 10])
def test_an_index_survives_saving(tmp_path: Path, exact_up_to: int) -> None:
    vectors = unit_vectors(50)
    VectorIndex.build(vectors, exact_up_to=exact_up_to).save(tmp_path / "x.faiss")
    loaded = VectorIndex.load(tmp_path / "x.faiss")
    assert (len(loaded), loaded.dimension) == (50, 16)
    np.testing.assert_allclose(loaded.vectors(), vectors)


@pytest.mark.parametrize("content", [b"", b"junk", b"IxFI" + b"\xff" * 60])
def test_a_damaged_index_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.faiss").write_bytes(content)
    with pytest.raises(IndexMismatch, match="no FAISS index"):
        VectorIndex.load(tmp_path / "x.faiss")
