"""Tests of taking language out of vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import Vectors
from retrieval.errors import IndexMismatch
from retrieval.languages import LanguageFilter, learn_languages

DIMENSION = 32


def faces(count: int, seed: int = 0) -> tuple[Vectors, list[int], list[str]]:
    """Articles with a topic of their own in two languages that differ by one shared direction."""
    random = np.random.default_rng(seed)
    topics = random.standard_normal((count, DIMENSION))
    language = np.zeros(DIMENSION)
    language[0] = 6.0
    vectors = np.concatenate((topics + language, topics - language)) + 0.1 * random.standard_normal(
        (2 * count, DIMENSION)
    )
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32), [*range(count), *range(count)], ["zh"] * count + ["en"] * count


def test_without_language_an_article_is_nearest_to_its_other_face() -> None:
    vectors, articles, languages = faces(40)
    learned = learn_languages([(vectors, np.asarray(articles), languages)])
    filtered = learned.apply(vectors)

    def nearest_is_own_face(all_: Vectors) -> float:
        similar = all_ @ all_.T
        np.fill_diagonal(similar, -1)
        return float(
            np.mean([articles[int(similar[row].argmax())] == articles[row] for row in range(len(all_))])
        )

    assert nearest_is_own_face(vectors) < 0.2
    assert nearest_is_own_face(filtered) > 0.9
    np.testing.assert_allclose(np.linalg.norm(filtered, axis=1), 1.0, atol=1e-5)


def test_few_pairs_teach_nothing() -> None:
    vectors, articles, languages = faces(3)
    learned = learn_languages([(vectors, np.asarray(articles), languages)])
    assert learned.directions.shape == (0, DIMENSION)
    assert learned.apply(vectors) is vectors


def test_one_language_teaches_nothing() -> None:
    vectors, articles, _ = faces(20)
    assert len(learn_languages([(vectors, np.asarray(articles), ["zh"] * 40)]).directions) == 0


def test_one_vector_is_filtered_like_many() -> None:
    vectors, articles, languages = faces(40)
    learned = learn_languages([(vectors, np.asarray(articles), languages)])
    np.testing.assert_allclose(learned.apply(vectors[3]), learned.apply(vectors)[3], atol=1e-6)


def test_a_filter_survives_saving_and_refuses_damage(tmp_path: Path) -> None:
    vectors, articles, languages = faces(40)
    learned = learn_languages([(vectors, np.asarray(articles), languages)])
    path = tmp_path / "languages.safetensors"
    learned.save(path)
    np.testing.assert_array_equal(LanguageFilter.load(path, DIMENSION).directions, learned.directions)
    with pytest.raises(IndexMismatch, match="has shape"):
        LanguageFilter.load(path, 8)
    path.write_bytes(b"junk")
    with pytest.raises(IndexMismatch, match="cannot be read"):
        LanguageFilter.load(path, DIMENSION)
