"""Where the marks of the overview's plots go, in units of their SVG; colours and words are the template's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.insight.figures import DayFigures

WIDTH, HEIGHT = 720, 160  # of the plot of days
_FOOT = 18  # for the days' names
_SHADES = 5
WEEK, HOURS = 7, 24


@dataclass(frozen=True)
class Bar:
    """One day's bar: all of it are talks; of that the lower part could be called for."""

    day: date
    x: float
    width: float
    y: float
    height: float
    calls_y: float
    calls_height: float
    figures: DayFigures
    named: bool  # whether the day stands below it


@dataclass(frozen=True)
class DayPlot:
    """A bar a day. `top` is the number at the upper edge."""

    bars: tuple[Bar, ...]
    top: int
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - _FOOT


@dataclass(frozen=True)
class Cell:
    """One hour of one weekday. `shade` is 0 (nothing) to 5 (the busiest)."""

    weekday: int
    hour: int
    turns: int
    shade: int


def day_plot(days: Sequence[DayFigures]) -> DayPlot:
    """Bars of the days, oldest left."""
    top = max((max(day.talks, day.calls) for day in days), default=0)
    step, base = WIDTH / max(1, len(days)), HEIGHT - _FOOT
    scale = (base - 8) / max(1, top)
    every = max(1, -(-len(days) // 8))
    bars = tuple(
        Bar(
            day=day.day,
            x=round(number * step + step * 0.12, 2),
            width=round(step * 0.76, 2),
            y=round(base - day.talks * scale, 2),
            height=round(day.talks * scale, 2),
            calls_y=round(base - day.calls * scale, 2),
            calls_height=round(day.calls * scale, 2),
            figures=day,
            named=number % every == 0,
        )
        for number, day in enumerate(days)
    )
    return DayPlot(bars, top)


def heat_map(hours: Mapping[tuple[int, int], int], busiest: int) -> list[list[Cell]]:
    """A row a weekday from Monday, a cell an hour."""
    return [
        [
            Cell(weekday, hour, turns, -(-turns * _SHADES // busiest) if busiest else 0)
            for hour in range(HOURS)
            for turns in [hours.get((weekday, hour), 0)]
        ]
        for weekday in range(WEEK)
    ]
