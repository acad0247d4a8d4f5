"""Tests of the learned map from questions to articles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval import topics
from retrieval.encoder import Vectors
from retrieval.errors import IndexMismatch
from retrieval.topics import TopicMap, learn_topics


def questions(each: tuple[int, ...]) -> tuple[Vectors, list[frozenset[int]]]:
    """Unit vectors around a middle for each article, under noise that all of them share."""
    random = np.random.default_rng(1)
    middles = random.standard_normal((len(each), 24))
    rows, right = [], []
    for article, count in enumerate(each):
        for _ in range(count):
            vector = middles[article] + 1.2 * random.standard_normal(24) + 5.0
            rows.append(vector / np.linalg.norm(vector))
            right.append(frozenset({article}))
    return np.asarray(rows, dtype=np.float32), right


def learn(
    vectors: Vectors, right: list[frozenset[int]], articles: int, held_out: Sequence[int] = ()
) -> tuple[TopicMap, Vectors]:
    return learn_topics(vectors, right, [True] * len(vectors), articles, held_out)


def test_a_known_article_is_recognised_in_questions_that_were_held_out() -> None:
    vectors, right = questions((30,) * 8)
    _, held_out = learn(vectors, right, 8, range(len(vectors)))
    assert np.mean([int(held_out[row].argmax()) in right[row] for row in range(len(vectors))]) > 0.9


def test_held_out_scores_are_those_of_a_map_that_never_saw_the_question() -> None:
    vectors, right = questions((12,) * 4)
    _, held_out = learn(vectors, right, 4, [5])
    others = [row for row in range(len(vectors)) if row != 5]
    without, _ = learn(vectors[others], [right[row] for row in others], 4)
    np.testing.assert_allclose(held_out[0], without.scores(vectors[5], chinese=True), rtol=0.1, atol=0.1)


def test_what_lies_between_the_known_is_told_apart_though_no_plane_could() -> None:
    """The middle of three articles on one line: nearness counts, not direction alone."""
    angles = np.deg2rad(np.repeat([0.0, 25.0, 50.0], 10) + np.tile(np.linspace(-4, 4, 10), 3))
    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)
    right = [frozenset({row // 10}) for row in range(30)]
    _, held_out = learn(vectors, right, 3, range(30))
    assert [int(scores.argmax()) for scores in held_out] == [row // 10 for row in range(30)]


def test_an_article_known_by_few_questions_is_not_drowned() -> None:
    vectors, right = questions((60, 60, 60, 4))
    learned, _ = learn(vectors, right, 4)
    few = [row for row in range(len(vectors)) if right[row] == {3}]
    assert all(int(learned.scores(vectors[row], chinese=True).argmax()) == 3 for row in few)


def test_an_article_known_in_one_language_only_is_not_drowned_in_the_other() -> None:
    """English questions lie apart from Chinese ones; article 2 is known from Chinese ones alone."""
    vectors, right = questions((40, 40, 40))
    chinese = [row % 2 == 0 or right[row] == {2} for row in range(len(vectors))]
    moved = vectors + np.where(chinese, 0.0, 0.5)[:, None] * np.eye(24)[0]
    moved = np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)
    english = vectors + 0.5 * np.eye(24, dtype=np.float32)[0]
    asked = [english[row] / np.linalg.norm(english[row]) for row in range(len(vectors)) if right[row] == {2}]

    def recognised(languages: list[bool], *, asked_in_chinese: bool) -> float:
        learned, _ = learn_topics(moved, right, languages, 3, [])
        best = [int(learned.scores(vector, chinese=asked_in_chinese).argmax()) for vector in asked]
        return float(np.mean([article == 2 for article in best]))

    assert recognised(chinese, asked_in_chinese=False) > 0.5
    assert recognised([True] * len(vectors), asked_in_chinese=True) < 0.1  # as if there were one language


def test_questions_without_an_answer_score_low_everywhere() -> None:
    vectors, right = questions((30, 30, 30))
    unanswered = [frozenset[int]() if article == {2} else article for article in right]
    learned, _ = learn(vectors, unanswered, 2)
    best = np.array([learned.scores(vector, chinese=True).max() for vector in vectors])
    assert best[60:].mean() < best[:60].mean() - 1


def test_of_very_many_questions_only_so_many_are_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "_MOST_KNOWN", 40)
    vectors, right = questions((30, 30, 30))
    learned, held_out = learn(vectors, right, 3, [7, 89])
    assert len(learned.known) == 40
    assert held_out.shape == (2, 3)
    np.testing.assert_array_equal(learned.known[[0, -1]], vectors[[0, 89]])


def test_nothing_known_scores_nothing() -> None:
    learned, held_out = learn(np.zeros((0, 24), dtype=np.float32), [], 2)
    assert held_out.shape == (0, 2)
    assert learned.scores(np.ones(24, dtype=np.float32), chinese=True).tolist() == [0.0, 0.0]


def test_a_map_survives_saving_and_refuses_damage(tmp_path: Path) -> None:
    vectors, right = questions((8, 8))
    learned, _ = learn(vectors, right, 2)
    path = tmp_path / "topics.safetensors"
    learned.save(path)
    loaded = TopicMap.load(path, (24, 2))
    np.testing.assert_allclose(
        loaded.scores(vectors[0], chinese=True), learned.scores(vectors[0], chinese=True), rtol=1e-5
    )
    with pytest.raises(IndexMismatch, match="has shape"):
        TopicMap.load(path, (24, 3))
    path.write_bytes(b"junk")
    with pytest.raises(IndexMismatch, match="cannot be read"):
        TopicMap.load(path, (24, 2))
