"""Shows a calibration: as tables in a terminal, and as one page with its reliability and its coverage against risk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.conversation import Route
from bot.reports import render_page
from bot.upkeep.calibration.fitting import Budgets, LanguageCalibration, RouteCalibration
from bot.upkeep.calibration.risk import fewest_turns

ROUTES = (Route.TEMPLATE, Route.GROUNDED, Route.CLARIFY, Route.NO_ANSWER, Route.HANDOFF)
NAMES = {"zh": "Chinese", "en": "English"}
_TEMPLATE = Path(__file__).with_name("report.html.j2")


@dataclass(frozen=True)
class CalibrationReport:
    """All that is said of a calibration. `left_out` counts questions that were learned letter for letter."""

    at: str  # UTC, ISO 8601
    budgets: Budgets
    golden: int
    logged: int
    left_out: int
    languages: tuple[LanguageCalibration, ...]

    @property
    def judged(self) -> int:
        """The questions that thresholds were learned from."""
        return self.golden + self.logged

    def warnings(self) -> Iterator[str]:
        """Where the data is too thin for a promise, or no threshold keeps it."""
        for each in self.languages:
            for route in (each.template, each.grounded):
                yield from _warnings(NAMES[each.language.value], route)


def as_tables(report: CalibrationReport) -> RenderableType:
    """For a terminal."""
    thresholds = Table(
        *(
            "",
            "Threshold",
            "before",
            "now",
            "Judged turns",
            "Take it",
            "Mistakes",
            "Mistakes of those, at most",
        ),
        title="Thresholds",
    )
    routes = Table("", *(route.value for route in ROUTES), title="Where judged turns go, before → now")
    for each in report.languages:
        name = NAMES[each.language.value]
        for route in (each.template, each.grounded):
            thresholds.add_row(name, *_cells(route))
        routes.add_row(
            name,
            *(f"{each.routes_before.get(route, 0)} → {each.routes_after.get(route, 0)}" for route in ROUTES),
        )
    warnings: Sequence[RenderableType] = [Text(line, style="yellow") for line in report.warnings()]
    return Group(thresholds, routes, *warnings)


def as_html(report: CalibrationReport) -> str:
    """One page that a browser opens without a network."""
    return render_page(
        _TEMPLATE,
        calibrated_at=report.at,
        judged=report.judged,
        golden=report.golden,
        logged=report.logged,
        left_out=report.left_out,
        budgets=report.budgets,
        warnings=list(report.warnings()),
        languages=report.languages,
        routes=ROUTES,
        percent=lambda share: f"{share:.1%}",
    )


def _cells(route: RouteCalibration) -> list[str]:
    found = route.found
    return [
        route.route.value + (" (both languages)" if route.pooled else ""),
        f"{route.before:.3f}",
        f"{route.calibrated:.3f}",
        str(found.turns),
        str(found.taken),
        str(found.wrong),
        f"{found.most_wrong_of_taken:.1%}",
    ]


def _warnings(language: str, route: RouteCalibration) -> Iterator[str]:
    found, fewest = route.found, fewest_turns(route.found.budget)
    if route.too_thin:
        yield (
            f"{language}, {route.route}: {found.turns} judged turns are too few to promise {found.budget:.1%}; {fewest} are "
            "needed. What served before stays. Add golden questions, or have more answers voted on."
        )
    elif found.value is None:
        yield (
            f"{language}, {route.route}: no threshold keeps mistakes within {found.budget:.1%}; only what is certain is "
            "answered this way now. See which questions go wrong, and mend examples or articles; or allow more mistakes."
        )
    elif found.turns < 3 * fewest:
        yield (
            f"{language}, {route.route}: {found.turns} judged turns are few; the budget holds on average, but a single "
            "calibration may miss it. Judge more turns."
        )
    if route.pooled and not route.too_thin:
        yield f"{language}, {route.route}: too few turns of its own; learned on both languages together."
