"""Moments as people type them: "yesterday", "7d", "24h", "2026-11-20", "2026-11-20 14:30"."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import typer

from bot.settings import Settings

_AGO = re.compile(r"(\d{1,5}) ?([dh])")  # so many days or hours before now
_DAYS = {"today": 0, "yesterday": 1}  # as many days back; the moment is the day's beginning


def moment(text: str, now: datetime) -> datetime:
    """The moment that `text` means.

    Args:
        text: "today" or "yesterday" (when that day began), "7d" or "24h" (so long ago), or a date or time in ISO 8601;
            one that names no time zone is in that of `now`.
        now: with the team's time zone.

    Raises:
        ValueError: it means none of these; says what does.
    """
    plain = text.strip().lower()
    if plain in _DAYS:
        return _midnight(now - timedelta(days=_DAYS[plain]), now.tzinfo)
    ago = _AGO.fullmatch(plain)
    try:
        if ago is not None:
            return now - timedelta(**{"days" if ago[2] == "d" else "hours": int(ago[1])})
        found = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text!r} is no time. Write 'yesterday', 'today', '7d', '24h', '2026-11-20' or '2026-11-20T14:30'."
        ) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=now.tzinfo)


def moment_of_option(text: str, option: str, settings: Settings) -> datetime:
    """The moment that was typed as an option of a command, in the team's time zone.

    Raises:
        typer.BadParameter: it means none; names the option.
    """
    try:
        return moment(text, datetime.now(ZoneInfo(settings.time_zone)))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _midnight(day: datetime, zone: tzinfo | None) -> datetime:
    return datetime.combine(day.date(), time.min, tzinfo=zone)
