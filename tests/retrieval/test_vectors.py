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


def clustered(count: int, dimension: int = 16) -> Vectors:
    """Unit vectors in a narrow cone, as encoders make them."""
    vectors = unit_vectors(count, dimension) + 2 * unit_vectors(1, dimension)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("exact_up_to", [1000, 10])
def test_a_vector_finds_itself_first(exact_up_to: int) -> None:
    vectors = unit_vectors(200)
    rows, cosines = VectorIndex.build(vectors, exact_up_to=exact_up_to).search(vectors[7], 5)
    assert rows[0] == 7
    assert cosines[0] == pytest.approx(1.0, abs=1e-3)
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
    np.testing.assert_allclose(loaded.vectors(), vectors, atol=5e-4)  # lists round to float16


def test_lists_find_what_an_exact_search_finds() -> None:
    vectors = clustered(3000)
    exact, lists = VectorIndex.build(vectors), VectorIndex.build(vectors, exact_up_to=100)
    found = [
        len(set(exact.search(query, 10)[0]) & set(lists.search(query, 10)[0])) / 10
        for query in unit_vectors(100)
    ]
    assert np.mean(found) >= 0.98


def test_more_lists_are_looked_into_where_few_would_miss_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.vectors._PROBES", (1, 2, 60))
    probes = VectorIndex.build(unit_vectors(3000), exact_up_to=100).probes
    assert probes is not None
    assert probes >= 60


def test_no_more_lists_are_looked_into_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.vectors.RECALL", 0.02)
    monkeypatch.setattr("retrieval.vectors._PROBES", (2, 60))
    assert VectorIndex.build(unit_vectors(3000), exact_up_to=100).probes == 2


def test_how_many_lists_are_looked_into_survives_saving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.vectors._PROBES", (1, 17))
    built = VectorIndex.build(unit_vectors(3000), exact_up_to=10)
    built.save(tmp_path / "x.faiss")
    loaded = VectorIndex.load(tmp_path / "x.faiss")
    assert loaded.probes == built.probes
    assert loaded.probes is not None
    assert loaded.probes > 1  # what FAISS would start with


def test_an_exact_index_has_no_lists(tmp_path: Path) -> None:
    VectorIndex.build(unit_vectors(20)).save(tmp_path / "x.faiss")
    assert VectorIndex.load(tmp_path / "x.faiss").probes is None


@pytest.mark.parametrize("exact_up_to", [1000, 10])
def test_equal_vectors_are_all_found(exact_up_to: int) -> None:
    vectors = np.repeat(unit_vectors(20), 10, axis=0)
    rows, cosines = VectorIndex.build(vectors, exact_up_to=exact_up_to).search(vectors[0], 10)
    assert len(rows) == 10
    np.testing.assert_allclose(cosines, 1.0, atol=1e-3)


@pytest.mark.parametrize("count", [11, 12, 40])
def test_lists_over_a_handful_are_built_all_the_same(count: int) -> None:
    vectors = unit_vectors(count)
    assert VectorIndex.build(vectors, exact_up_to=10).search(vectors[-1], 1)[0][0] == count - 1


@pytest.mark.parametrize("content", [b"", b"junk", b"IxFI" + b"\xff" * 60])
def test_a_damaged_index_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.faiss").write_bytes(content)
    with pytest.raises(IndexMismatch, match="no FAISS index"):
        VectorIndex.load(tmp_path / "x.faiss")
