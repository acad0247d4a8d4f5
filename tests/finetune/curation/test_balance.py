"""Caps take from the largest groups, by seed, and what people judged last."""

from __future__ import annotations

from bot.conversation import Language
from finetune.curation.balance import over_intent_cap, over_language_cap
from finetune.records import Exchange


def _many(count: int, name: str, language: Language = Language.ZH, **changes: object) -> list[Exchange]:
    return [
        Exchange(f"{name}{number}", "q", "a", language, **{"intent": name, **changes})  # type: ignore[arg-type]
        for number in range(count)
    ]


def test_an_intent_is_capped_at_times_the_median() -> None:
    exchanges = _many(30, "refund") + _many(4, "invoice") + _many(3, "repair")
    dropped = over_intent_cap(exchanges, 2.0, seed=1)
    assert len(dropped) == 22
    assert all(id_.startswith("refund") for id_ in dropped)
    assert set(dropped.values()) == {"more than 8 exchanges of one intent"}


def test_exchanges_without_an_intent_are_never_capped() -> None:
    assert over_intent_cap(_many(30, "x", intent=None), 1.0, seed=1) == {}
    assert over_intent_cap([], 1.0, seed=1) == {}


def test_the_larger_language_is_capped_and_both_scripts_are_chinese() -> None:
    exchanges = _many(10, "a", Language.ZH) + _many(10, "b", Language.ZH_HANT) + _many(3, "c", Language.EN)
    assert len(over_language_cap(exchanges, 4.0, seed=1)) == 8
    assert over_language_cap(exchanges[:20], 1.0, seed=1) == {}


def test_what_people_judged_goes_last() -> None:
    exchanges = _many(10, "plain", intent="i") + _many(2, "up", intent="i", rating=1) + _many(1, "j")
    dropped = over_intent_cap(exchanges, 1.0, seed=1)
    assert len(dropped) == 6
    assert not any(id_.startswith("up") for id_ in dropped)


def test_the_seed_decides_and_the_order_does_not() -> None:
    exchanges = _many(40, "a") + _many(2, "b") + _many(2, "c")
    one = over_intent_cap(exchanges, 2.0, seed=1)
    assert over_intent_cap(exchanges[::-1], 2.0, seed=1) == one
    assert over_intent_cap(exchanges, 2.0, seed=2) != one
