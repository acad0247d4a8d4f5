"""Average linkage by means alone: the same clusters as with a matrix of all pairs, and marked ones stay apart."""

from __future__ import annotations

import resource
import time

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from bot.upkeep.gaps.clustering import agglomerate
from retrieval.encoder import Vectors


def questions(count: int, topics: int, noise: float, seed: int = 0, dimension: int = 48) -> Vectors:
    """Unit vectors around so many random middles."""
    chance = np.random.default_rng(seed)
    middles = chance.standard_normal((topics, dimension))
    vectors = middles[chance.integers(0, topics, count)] + noise * chance.standard_normal((count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def together(labels: np.ndarray) -> np.ndarray:
    """Which pairs are in one cluster."""
    return labels[:, None] == labels[None, :]


@pytest.mark.parametrize("cut", [0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize(("topics", "noise"), [(8, 1.5), (60, 1.0), (300, 0.8)])
def test_clusters_are_those_of_average_linkage_on_all_pairs(topics: int, noise: float, cut: float) -> None:
    vectors = questions(300, topics, noise)
    distances = np.maximum(1.0 - vectors.astype(np.float64) @ vectors.T, 0.0)
    np.fill_diagonal(distances, 0.0)
    expected = fcluster(linkage(squareform(distances, checks=False), "average"), 1.0 - cut, "distance")
    found = agglomerate(vectors, np.ones(300), cut)
    assert np.array_equal(together(found), together(expected))


def test_a_cluster_counts_as_much_as_its_members() -> None:
    vectors = questions(40, 4, 1.0)
    first = agglomerate(vectors, np.ones(40), 0.3)
    roots, sizes = np.unique(first, return_counts=True)
    means = np.stack([vectors[first == root].mean(axis=0) for root in roots])
    assert np.array_equal(agglomerate(means, sizes.astype(float), 0.3), np.arange(len(roots)))


def test_each_points_at_the_first_of_its_cluster() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=np.float32)
    assert agglomerate(vectors, np.ones(4), 0.9).tolist() == [0, 1, 0, 1]


def test_marked_ones_are_never_put_together_and_others_join_them() -> None:
    vectors = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (4, 1))
    labels = agglomerate(vectors, np.ones(4), 0.5, apart=np.array([True, True, False, False]))
    assert labels[0] != labels[1]
    assert set(labels.tolist()) == {0, 1}


def test_one_question_and_equal_distances_come_to_an_end() -> None:
    assert agglomerate(questions(1, 1, 0.0), np.ones(1), 0.5).tolist() == [0]
    corners = np.eye(3, dtype=np.float32)
    assert len(set(agglomerate(corners, np.ones(3), 0.0).tolist())) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("topics", "cut"), [(2_000, 0.2), (10_000, 0.3), (50, 0.05)])
def test_ten_thousand_questions_take_less_than_a_minute_and_2_gb(topics: int, cut: float) -> None:
    vectors = questions(10_000, topics, 1.2, dimension=384)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    agglomerate(vectors, np.ones(10_000), cut)
    assert time.perf_counter() - start < 60
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024**2 < 2
