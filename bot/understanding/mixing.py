"""How much a head, the nearest examples and the words each count in what an intent scores: learned from held-out questions.

A class's score is `a · head + b · similarity + c · words`, and that of what is out of scope is `d` more. The mix is such that
the softmax of the scores is a probability (temperature scaling: Guo et al. 2017, "On Calibration of Modern Neural Networks").
How many out-of-scope examples somebody wrote down says little of how many such questions come, so they count for at
least a tenth (a prior shift: Saerens et al. 2002).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from retrieval.encoder import Vectors

Mix = tuple[float, float, float, float]  # a, b, c, d
Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]
Scores = Sequence[NDArray[np.floating]]  # of head, similarity and words, each of shape (questions, classes)

FEW: Mix = (1.0, 5.0, 0.0, 0.0)  # where there is too little to learn a mix from
_MANY: Mix = (1.0, 5.0, 1.0, 0.0)  # where the search for one begins
_ENOUGH = 100  # questions; fewer share words by chance, which says nothing of others
_STRANGE_SHARE = 0.1  # of customers' questions, at least, are nobody's business here
_LEAST_STRANGE = 10  # questions out of scope, from which `d` is learned


def fit_mixes(
    scores: Scores, labels: Labels, strange: Vectors, present: NDArray[np.floating], parts: int
) -> tuple[Mix, ...]:
    """The mix for questions of which one encoder knows something, two do …: what fewer know is told less surely.

    Args:
        scores: of held-out questions.
        labels: their classes, shape (questions,).
        strange: 1 for the class of what is out of scope, else 0; shape (classes,).
        present: how many parts each question's vector has, shape (questions,).
        parts: how many a vector may have.
    """
    common = _likeliest(scores, labels, strange)
    mixes = []
    for count in range(1, parts + 1):
        own = present == count
        enough = _ENOUGH <= own.sum() < len(own)
        mixes.append(_likeliest([part[own] for part in scores], labels[own], strange) if enough else common)
    return tuple(mixes)


def mixed(mix: Mix | Matrix, scores: Scores, strange: Vectors) -> Matrix:
    """Scores of the classes, shape (questions, classes)."""
    head, near, words = scores
    return np.asarray(mix[0] * head + mix[1] * near + mix[2] * words + mix[3] * strange, dtype=np.float64)


def _likeliest(scores: Scores, labels: Labels, strange: Vectors) -> Mix:
    """The mix that makes the questions' classes likeliest."""
    rows = np.arange(len(labels))
    odd = strange[labels] > 0
    learns_odd = _LEAST_STRANGE <= odd.sum() < len(odd)
    weights = np.ones(len(labels))
    if learns_odd and odd.mean() < _STRANGE_SHARE:
        weights[odd] = _STRANGE_SHARE / (1 - _STRANGE_SHARE) * (~odd).sum() / odd.sum()

    parts = np.stack([*scores, np.broadcast_to(strange, scores[0].shape)], axis=-1)
    told = parts[rows, labels]

    def unlikelihood(mix: Matrix) -> tuple[float, Matrix]:
        logs = log_softmax(parts @ mix, axis=1)
        expected = np.einsum("qc,qcp->qp", np.exp(logs), parts)
        return (
            -float(np.average(logs[rows, labels], weights=weights)),
            np.average(expected - told, axis=0, weights=weights),
        )

    start = _MANY if len(labels) >= _ENOUGH else FEW
    # That a part speaks for a class never speaks against it.
    bounds = [
        *((0.0, None if first else 0.0) for first in start[:3]),
        (None, None) if learns_odd else (0.0, 0.0),
    ]
    a, b, c, d = minimize(unlikelihood, np.array(start), method="L-BFGS-B", jac=True, bounds=bounds).x
    return float(a), float(b), float(c), float(d)
