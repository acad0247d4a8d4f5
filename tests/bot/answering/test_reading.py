"""What a model's odds and the search's probabilities make of the passages."""

import pytest

from bot.answering.reading import named_passage

AT = 0.35  # doubt at which the adapter declines by itself


@pytest.mark.parametrize(
    ("case", "odds", "chances", "named"),
    [
        ("without the search the adapter's own threshold counts: below", (0.34, 0.5, 0.16), (), 1),
        ("without the search the adapter's own threshold counts: at it", (0.35, 0.5, 0.15), (), 0),
        ("numbers for other passages say nothing", (0.34, 0.16, 0.5), (0.9,), 2),
        ("however sure the search is, the model's doubt counts", (0.35, 0.5, 0.15), (0.99, 0.9), 0),
        ("a fair search needs no more than the model's consent", (0.34, 0.5, 0.16), (0.6, 0.1), 1),
        ("a doubtful search is outweighed by a sure model", (0.05, 0.85, 0.1), (0.2, 0.1), 1),
        ("but not by one that is in doubt itself", (0.3, 0.6, 0.1), (0.2, 0.1), 0),
        ("what the search thinks decides between passages that are alike to the model", (0.1, 0.45, 0.45), (0.3, 0.6), 2),
        ("a model without any doubt is believed", (0.0, 0.9, 0.1), (0.1, 0.1), 1),
        ("a model that is sure that none answers is believed", (1.0, 0.0, 0.0), (0.9, 0.9), 0),
        ("what the search thinks impossible is not told", (0.1, 0.8, 0.1), (0.0, 0.0), 0),
    ],
)  # fmt: skip
def test_which_passage_answers(
    case: str, odds: tuple[float, ...], chances: tuple[float, ...], named: int
) -> None:
    assert named_passage(odds, chances, AT) == named, case


@pytest.mark.parametrize("chances", [(), (0.9, 0.9)])
def test_an_adapter_may_always_decline_and_never(chances: tuple[float, ...]) -> None:
    assert named_passage((0.0, 0.5, 0.5), chances, 0.0) == 0
    assert named_passage((0.99, 0.01, 0.0), chances, 1.1) == 1


def test_close_to_the_adapters_threshold_the_search_decides() -> None:
    odds = (AT - 1e-6, 1 - AT + 1e-6)
    assert named_passage(odds, (0.61,), AT) == 1
    assert named_passage(odds, (0.59,), AT) == 0
