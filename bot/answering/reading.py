"""What becomes of a question that a tuned model has read passages for: which of them answers, or that none does."""

from __future__ import annotations

from collections.abc import Sequence

_SURE = 0.55  # probability that a passage answers, after search and reading, below which none is shown


def named_passage(odds: Sequence[float], chances: Sequence[float], declines_at: float) -> int:
    """The number of the passage to answer from, from 1; 0 if none answers likely enough.

    Training showed the passages in any order, so the model's odds know nothing of the search. Multiplied by what the
    search thinks, they are what they would be had training been in its order (Saerens et al. 2002, "Adjusting the
    outputs of a classifier to new a priori probabilities"). The same for declining: the search's probability is the
    prior, and how far the model's doubt lies from where an adapter was found to decline is what reading adds to it. So a
    passage that the search is sure of needs less of the model's consent, and one that it brings up doubtfully needs more.

    Args:
        odds: of the model, that no passage answers, and that each one does; together 1.
        chances: what the search thinks of each passage, 0 to 1; another number of them says nothing.
        declines_at: odds that none answers, from which the adapter declines where nothing else is known.
    """
    known = len(chances) == len(odds) - 1
    if odds[0] >= declines_at if not known else _answers(odds[0], max(chances), declines_at) < _SURE:
        return 0
    prior = chances if known else [1.0] * (len(odds) - 1)
    return max(range(1, len(odds)), key=lambda number: odds[number] * prior[number - 1])


def _answers(doubt: float, chance: float, declines_at: float) -> float:
    """The probability that a passage answers, of what search and model think, 0 to 1."""
    neutral = min(max(declines_at, 0.0), 1.0)
    for_it = chance * (1 - doubt) * neutral
    against = (1 - chance) * doubt * (1 - neutral)
    return for_it / (for_it + against) if for_it > 0 else 0.0
