"""The test is honest: its customers and questions are its own, and it is later than all that is trained on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.curation.likeness import asked, near_any
from finetune.curation.splits import SIDES, Splits, apart, split, without_leaks
from finetune.records import Conversation
from tests.example_talks import shop_talks, talk, unlike

NEAR = 0.56


def _split(
    conversations: list[Conversation], seed: int = 1, validation: float = 0.1, test: float = 0.1
) -> Splits:
    return split(conversations, validation=validation, test=test, near=NEAR, seed=seed)


def _sides(splits: Splits) -> dict[str, tuple[Conversation, ...]]:
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}


def assert_honest(splits: Splits) -> None:
    """No customer on two sides, no selected question near one of another side, and the test is the latest."""
    sides = _sides(splits)
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        customers = [{talk.customer for talk in sides[name]} - {None} for name in (one, other)]
        assert not customers[0] & customers[1], (one, other)
        mine, theirs = (
            [asked(talk, at) for talk in sides[name] for at, e in enumerate(talk.exchanges) if e.selected]
            for name in (one, other)
        )
        assert not any(near_any(mine, theirs, NEAR)), (one, other)
    began = [talk.started_at for talk in splits.test if talk.started_at is not None]
    before = [
        talk.started_at
        for name in ("train", "validation")
        for talk in sides[name]
        if talk.started_at is not None
    ]
    if began and before and len(began) == len(splits.test):
        assert max(before) <= min(began)


def test_a_shop_splits_by_customer_question_and_time() -> None:
    talks = shop_talks()
    splits = _split(talks)
    assert_honest(splits)
    assert [len(side) for side in _sides(splits).values()] == [len(splits.train), 12, 12]
    assert len(splits.train) + len(splits.left_out) == len(talks) - 24
    assert len(splits.train) > 60


def test_the_same_seed_splits_the_same_whatever_the_order() -> None:
    talks = shop_talks()
    assert _split(talks, seed=3) == _split(talks[::-1], seed=3)
    assert _split(talks, seed=3).validation != _split(talks, seed=4).validation
    assert {talk.id for talk in _split(talks, seed=3).test} == {
        talk.id for talk in _split(talks, seed=4).test
    }


def test_a_customer_who_comes_back_in_the_time_of_the_test_is_left_out_there() -> None:
    talks = [talk(f"t{day}", (unlike(day), "答"), day=day, customer=f"c{day}") for day in range(20)]
    talks.append(talk("back", (unlike(99), "答"), day=19.5, customer="c3"))
    talks.append(talk("again", (unlike(4), "答"), day=19.6, customer="new"))
    splits = _split(talks)
    assert splits.left_out == dict.fromkeys(
        ("back", "again"), "customer or question also stands before the time of the test"
    )
    assert {talk.id for talk in splits.test} == {"t18", "t19"}
    assert_honest(splits)


def test_undated_conversations_are_tested_only_when_there_are_no_dated_ones() -> None:
    talks = shop_talks()
    undated = [talk(f"u{n}", (unlike(n + 500), "答"), day=None) for n in range(30)]
    mixed = _split([*talks, *undated])
    assert all(conversation.started_at is not None for conversation in mixed.test)
    only = _split(undated)
    assert len(only.test) == 3
    assert only == _split(undated[::-1])


def test_context_that_asks_what_the_test_asks_is_cut_out_of_training() -> None:
    repeated = talk(
        "old", ("怎么退货到仓库", "旧答案"), ("那运费呢", "我们出"), ("发票怎么开具才对", "在线申请"), day=1
    )
    first, follow_up, last = repeated.exchanges
    old = replace(repeated, exchanges=(replace(first, selected=False), follow_up, last))
    new = talk("new", ("怎么退货到仓库", "新答案"), day=9)
    ((_, cut), (_, kept)) = without_leaks([("train", old), ("test", new)], NEAR)
    assert [exchange.question for exchange in cut.exchanges] == ["发票怎么开具才对"]
    assert kept == new
    unchanged = list(without_leaks([("test", old), ("train", new)], NEAR))
    assert unchanged == [("test", old), ("train", new)]


def test_what_is_made_beside_the_splits_keeps_away_from_the_test() -> None:
    splits = Splits(
        (),
        (talk("v", ("发票怎么开", "这样"), customer="v"),),
        (talk("t", ("how to return it", "so"), customer="t"),),
        {},
    )
    beside = [
        talk("same question", ("How to return it?", "x"), customer="a"),
        talk("same customer", ("something else entirely", "x"), customer="v"),
        talk("apart", ("保修多久", "一年"), customer="b"),
        talk("nobody", ("门店在哪", "杭州")),
    ]
    assert [talk.id for talk in apart(beside, splits, NEAR)] == ["apart", "nobody"]
    assert apart([], splits, NEAR) == ()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_groups_are_all_training(count: int) -> None:
    splits = _split(shop_talks()[:count])
    assert (len(splits.train), splits.test) == (count, ())


def test_a_share_of_nothing_gives_nothing() -> None:
    splits = _split(shop_talks(), validation=0.0, test=0.0)
    assert (splits.validation, splits.test, splits.left_out) == ((), (), {})


_talks = st.lists(
    st.builds(
        lambda name, question, day, customer: talk(str(name), (question, "答案"), day=day, customer=customer),
        st.uuids(),
        st.sampled_from(["怎么退货", "请问怎么退货呀", "how to return", "how to return it", "发票", "M3 多少钱", "M5 多少钱", "opening hours please"]),
        st.none() | st.integers(0, 30),
        st.none() | st.sampled_from("abcdef"),
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(talks=_talks, seed=st.integers(0, 5))
def test_any_split_is_honest_and_loses_nobody_silently(talks: list[Conversation], seed: int) -> None:
    splits = _split(talks, seed=seed, validation=0.2, test=0.2)
    assert_honest(splits)
    placed = [talk.id for side in _sides(splits).values() for talk in side]
    assert sorted([*placed, *splits.left_out]) == sorted(talk.id for talk in talks)
    assert set(SIDES) == set(_sides(splits))
