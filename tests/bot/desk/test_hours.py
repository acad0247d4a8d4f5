"""When people of the team are there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.desk.hours import Hours
from bot.errors import SettingsError

# In Shanghai: Friday 27 November 2026, 08:59 and 09:00.
BEFORE, AFTER = datetime(2026, 11, 27, 0, 59, tzinfo=UTC), datetime(2026, 11, 27, 1, 0, tzinfo=UTC)
NATIONAL_DAY = datetime(2026, 10, 1, 4, 0, tzinfo=UTC)


def test_hours_are_those_of_the_time_zone() -> None:
    hours = Hours("Mo-Fr 09:00-18:00", time_zone="Asia/Shanghai", country=None)
    assert not hours.is_open(BEFORE)
    assert hours.is_open(AFTER)
    opens = hours.opens_next(BEFORE)
    assert opens is not None
    assert opens.isoformat() == "2026-11-27T09:00:00+08:00"
    assert hours.opens_next(AFTER) is None


def test_public_holidays_of_a_country_can_have_hours_of_their_own() -> None:
    rules = "Mo-Su 09:00-22:00; PH off"
    assert not Hours(rules, time_zone="Asia/Shanghai", country="CN").is_open(NATIONAL_DAY)
    assert Hours(rules, time_zone="Asia/Shanghai", country=None).is_open(NATIONAL_DAY)


def test_hours_that_never_come_open_never() -> None:
    assert Hours("off", time_zone="Asia/Shanghai", country=None).opens_next(AFTER) is None


@pytest.mark.parametrize(("rules", "country"), [("nine to five", None), ("24/7", "XX")])
def test_rules_that_cannot_be_read_are_refused_with_the_value_and_an_example(
    rules: str, country: str | None
) -> None:
    with pytest.raises(SettingsError, match=r"Mo-Fr 09:00-18:00") as refused:
        Hours(rules, time_zone="Asia/Shanghai", country=country)
    assert rules in str(refused.value)
