"""Tests of the learned map from questions to articles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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


def test_a_known_article_is_recognised_in_questions_that_were_held_out() -> None:
    vectors, right = questions((30,) * 8)
    _, held_out = learn_topics(vectors, right, 8, range(len(vectors)))
    assert np.mean([int(held_out[row].argmax()) in right[row] for row in range(len(vectors))]) > 0.9


def test_held_out_scores_are_those_of_a_map_that_never_saw_the_question() -> None:
    vectors, right = questions((12,) * 4)
    _, held_out = learn_topics(vectors, right, 4, [5])
    others = [row for row in range(len(vectors)) if row != 5]
    without, _ = learn_topics(vectors[others], [right[row] for row in others], 4, range(len(others)))
    scores = without.scores(vectors[5])
    assert np.argsort(scores).tolist() == np.argsort(held_out[0]).tolist()


def test_an_article_known_by_few_questions_is_not_drowned() -> None:
    vectors, right = questions((60, 60, 60, 4))
    learned, _ = learn_topics(vectors, right, 4, range(len(vectors)))
    few = [row for row in range(len(vectors)) if right[row] == {3}]
    assert all(int(learned.scores(vectors[row]).argmax()) == 3 for row in few)


def test_questions_without_an_answer_score_low_everywhere() -> None:
    vectors, right = questions((30, 30, 30))
    unanswered = [frozenset[int]() if article == {2} else article for article in right]
    learned, _ = learn_topics(vectors, unanswered, 2, range(len(vectors)))
    best = np.array([learned.scores(vector).max() for vector in vectors])
    assert best[60:].mean() < best[:60].mean() - 1


def test_a_map_survives_saving_and_refuses_damage(tmp_path: Path) -> None:
    vectors, right = questions((8, 8))
    learned, _ = learn_topics(vectors, right, 2, [0])
    path = tmp_path / "topics.safetensors"
    learned.save(path)
    np.testing.assert_array_equal(TopicMap.load(path, (24, 2)).scores(vectors[0]), learned.scores(vectors[0]))
    with pytest.raises(IndexMismatch, match="has shape"):
        TopicMap.load(path, (24, 3))
    path.write_bytes(b"junk")
    with pytest.raises(IndexMismatch, match="cannot be read"):
        TopicMap.load(path, (24, 2))
