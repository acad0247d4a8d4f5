"""What becomes of a question that a tuned model has read passages for: which of them answers, or that none does."""

from __future__ import annotations

from collections.abc import Sequence

_LEAST = 0.6  # probability that a passage answers, of search and reading together: a wrong answer costs more than silence


def named_passage(odds: Sequence[float], chances: Sequence[float], declines_at: float) -> int:
    """The number of the passage to answer from, from 1; 0 if none answers likely enough.

    Training showed the passages in any order, so the model's odds know nothing of the search. Multiplied by what the
    search thinks, they are what they would be had training been in its order (Saerens et al. 2002, "Adjusting the
    outputs of a classifier to new a priori probabilities"). The same for declining: the search's probability is the
    prior, and how far the model's doubt lies from where an adapter was found to decline is what reading adds to it. So what
    the search brings up doubtfully needs more of the model's consent. What the model doubts is declined however sure the
    search is: whether the very fact stands in a passage, only reading tells.

    Args:
        odds: of the model, that no passage answers, and that each one does; together 1.
        chances: what the search thinks of each passage, 0 to 1; another number of them says nothing.
        declines_at: odds that none answers, from which the adapter declines.
    """
    known = len(chances) == len(odds) - 1
    if odds[0] >= declines_at or (known and _answers(odds[0], max(chances), declines_at) < _LEAST):
        return 0
    prior = chances if known else [1.0] * (len(odds) - 1)
    return max(range(1, len(odds)), key=lambda number: odds[number] * prior[number - 1])


def _answers(doubt: float, chance: float, declines_at: float) -> float:
    """The probability that a passage answers, of what search and model think, 0 to 1."""
    neutral = min(declines_at, 1.0)
    for_it = chance * (1 - doubt) * neutral
    against = (1 - chance) * doubt * (1 - neutral)
    return for_it / (for_it + against) if for_it > 0 else 0.0
