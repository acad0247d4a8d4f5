"""Moments as people type them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.upkeep.moments import moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 27, 2, 30, tzinfo=SHANGHAI)  # still the 26th in UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", datetime(2026, 11, 27, tzinfo=SHANGHAI)),
        (" Yesterday ", datetime(2026, 11, 26, tzinfo=SHANGHAI)),
        ("7d", datetime(2026, 11, 20, 2, 30, tzinfo=SHANGHAI)),
        ("24h", datetime(2026, 11, 26, 2, 30, tzinfo=SHANGHAI)),
        ("0h", NOW),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=SHANGHAI)),
        ("2026-11-20 14:30", datetime(2026, 11, 20, 14, 30, tzinfo=SHANGHAI)),
        ("2026-11-20T14:30Z", datetime(2026, 11, 20, 14, 30, tzinfo=UTC)),
    ],
)
def test_a_day_a_span_and_a_date_are_understood_in_the_teams_time_zone(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "last week", "7", "d", "-3d", "2026-13-01", "昨天", "99999d", "1.5h"])
def test_anything_else_is_refused_with_what_can_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="'yesterday', 'today', '7d'") as refused:
        moment(text, datetime(200, 1, 1, tzinfo=UTC))
    assert repr(text) in str(refused.value)
