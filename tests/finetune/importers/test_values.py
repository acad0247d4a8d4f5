"""Times and votes are read as other programs write them, and what may mean two things is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.importers.values import clean, first_of, rating_scale, read_rating, read_time

SHANGHAI = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-03 10:02:11", "2026-11-03T10:02:11+08:00"),
        ("2026/11/3 10:02", "2026-11-03T10:02:00+08:00"),
        ("２０２６-11-03 10：02", "2026-11-03T10:02:00+08:00"),
        ("2026年11月3日 下午3点05分", "2026-11-03T15:05:00+08:00"),
        ("2026年11月3日10时2分", "2026-11-03T10:02:00+08:00"),
        ("2026-11-03 中午12:30", "2026-11-03T12:30:00+08:00"),
        ("2026-11-03T10:02:11.123Z", "2026-11-03T10:02:11+00:00"),
        ("2026-11-03T10:02:11+0530", "2026-11-03T10:02:11+05:30"),
        ("Nov 3, 2026 10:02 PM", "2026-11-03T22:02:00+08:00"),
        ("3 November 2026 12:05 am", "2026-11-03T00:05:00+08:00"),
        ("25/12/2026 08:00", "2026-12-25T08:00:00+08:00"),
        ("12/25/2026", "2026-12-25T00:00:00+08:00"),
        ("1793671200", "2026-11-03T02:00:00+00:00"),
        (1793671200000, "2026-11-03T02:00:00+00:00"),
        (datetime(2026, 11, 3, 10, 2), "2026-11-03T10:02:00+08:00"),  # noqa: DTZ001 - as Excel keeps it
        (date(2026, 11, 3), "2026-11-03T00:00:00+08:00"),
    ],
)
def test_a_time_is_read_as_it_is_written(written: Any, meant: str) -> None:
    assert read_time(written, SHANGHAI) == datetime.fromisoformat(meant)


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_no_time_is_none(nothing: Any) -> None:
    assert read_time(nothing, UTC) is None


@pytest.mark.parametrize(
    "wrong", ["03/04/2026", "10:02", "2026-02-30", "昨天", "soon", "13/13/2026", "3 Foo 2026", "12345"]
)
def test_what_is_no_moment_or_may_be_two_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_time(wrong, UTC)


@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=30))
def test_any_text_is_a_moment_with_a_zone_or_a_value_error(text: str) -> None:
    try:
        moment = read_time(text, SHANGHAI)
    except ValueError:
        return
    assert moment is None or moment.tzinfo is not None


@pytest.mark.parametrize(
    ("column", "votes"),
    [
        (["5", "4", "3", "2", "1", ""], [1, 1, None, -1, -1, None]),
        (["5星", "1星"], [1, -1]),
        (["4 stars", "2 stars", "5/5"], [1, -1, 1]),
        (["1", "-1", "0", "+1"], [1, -1, None, 1]),
        (["10", "8", "5", "3"], [1, 1, None, -1]),
        (["好评", "差评", "中评", "满意", "不滿意"], [1, -1, None, 1, -1]),
        (["good", "Bad", "👍", "👎", "offered"], [1, -1, 1, -1, None]),
        (["98分", "20分"], [1, -1]),
    ],
)
def test_votes_are_read_by_the_scale_of_their_column(column: list[str], votes: list[int | None]) -> None:
    scale = rating_scale(column)
    assert [read_rating(value, scale) for value in column] == votes


def test_a_word_that_is_no_vote_is_refused() -> None:
    with pytest.raises(ValueError, match="很好吃"):
        read_rating("很好吃", 5)


def test_what_cannot_be_written_is_cleaned_away() -> None:
    assert clean(" \ufeff退\u200b货 half \ud83d \r\n") == "退货 half \ufffd"
    assert (clean(None), clean(0), clean(1.5)) == ("", "0", "1.5")
    assert (clean({"a": 1}), clean(["a"])) == ("", "")
    assert first_of({"a": None, "b": 0, "c": "x"}, "a", "b", "c") == "0"
