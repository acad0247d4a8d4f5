"""How much each part counts is learned from questions that none of them had seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from bot.understanding.mixing import fit_mixes, mixed

CLASSES = 4
STRANGE = np.array([0, 0, 0, 1], dtype=np.float32)


def held_out(count: int, share_strange: float, *, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Scores in which the head knows the class, with noise, and the others know nothing."""
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, CLASSES - 1, count)
    labels[: round(share_strange * count)] = CLASSES - 1
    head = 2 * np.eye(CLASSES)[labels] + chance.normal(size=(count, CLASSES))
    noise = [chance.normal(size=(count, CLASSES)) for _ in range(2)]
    return [head, *noise], labels


def test_what_says_nothing_counts_for_little() -> None:
    scores, labels = held_out(600, 0.25)
    [(head, near, words, _)] = fit_mixes(scores, labels, STRANGE, np.ones(600), 1)
    assert head > 1
    assert max(near, words) < 0.2


def test_a_few_examples_out_of_scope_count_for_a_tenth_of_what_is_asked() -> None:
    scores, labels = held_out(2000, 0.01)
    [mix] = fit_mixes(scores, labels, STRANGE, np.ones(2000), 1)
    asked, truth = held_out(4000, 0.1, seed=1)
    said = softmax(mixed(mix, asked, STRANGE), axis=1)[:, -1].mean()
    assert said == pytest.approx((truth == CLASSES - 1).mean(), abs=0.03)


def test_nothing_is_learned_about_what_is_out_of_scope_from_a_handful() -> None:
    scores, labels = held_out(400, 0.02)  # 8 questions
    [(*_, strange)] = fit_mixes(scores, labels, STRANGE, np.ones(400), 1)
    assert strange == 0


def test_questions_that_one_encoder_knows_nothing_of_have_a_mix_of_their_own() -> None:
    (head, *rest), labels = held_out(800, 0.25)
    present = np.where(np.arange(800) % 2, 2.0, 1.0)
    blurred = np.where(present[:, None] == 1, head / 4, head)
    poor, rich = fit_mixes([blurred, *rest], labels, STRANGE, present, 2)
    assert poor[0] > 2 * rich[0]


def test_a_mix_is_shared_where_too_few_questions_are_of_a_kind() -> None:
    scores, labels = held_out(300, 0.25)
    present = np.where(np.arange(300) < 20, 1.0, 2.0)
    poor, rich = fit_mixes(scores, labels, STRANGE, present, 2)
    assert poor == fit_mixes(scores, labels, STRANGE, np.ones(300), 1)[0]
    assert rich != poor
