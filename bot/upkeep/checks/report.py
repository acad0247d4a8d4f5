"""Shows what the checks found: as text in a terminal, as JSON for programs, as one page that a browser opens without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.reports import render_page, write_files
from bot.upkeep.checks.diagnostics import Diagnostic, Location, Severity, by_kind

KIND = "kefu-check"
SCHEMA = 1  # of the JSON
_TEMPLATE = Path(__file__).with_name("report.html.j2")
_PLACES = 8  # of a diagnostic, in a terminal
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.HINT: "cyan"}


@dataclass(frozen=True)
class Report:
    """What was found, the gravest first, and when."""

    diagnostics: tuple[Diagnostic, ...]
    made_at: datetime  # with time zone
    index: str  # generation
    articles: int  # faces
    intents: int
    turns: int | None  # of the log's window; None without a log

    def count(self, severity: Severity) -> int:
        """How many diagnostics of a severity there are."""
        return sum(each.severity is severity for each in self.diagnostics)

    def failed(self, *, strict: bool) -> bool:
        """Whether there is an error; if strict, also whether there is a warning."""
        return bool(self.count(Severity.ERROR) or (strict and self.count(Severity.WARNING)))

    @property
    def summary(self) -> str:
        """The figures in a line."""
        counts = ", ".join(_plural(self.count(severity), severity.value) for severity in Severity)
        log = "no log" if self.turns is None else _plural(self.turns, "turn")
        return (
            f"{counts} in {_plural(self.articles, 'article')}, {_plural(self.intents, 'intent')} and {log}."
        )


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "made_at": report.made_at.isoformat(timespec="seconds"),
        "index": report.index,
        "articles": report.articles,
        "intents": report.intents,
        "turns": report.turns,
        "counts": {severity.value: report.count(severity) for severity in Severity},
        "diagnostics": list(map(_json, report.diagnostics)),
    }


def as_html(report: Report) -> str:
    """The report as one page."""
    return render_page(
        _TEMPLATE,
        report=report,
        groups=by_kind(report.diagnostics),
        severities=list(Severity),
        plural=_plural,
    )


def as_text(report: Report, *, most: int) -> RenderableType:
    """The report for a terminal, by kind, with at most so many diagnostics of a kind."""
    shown: list[RenderableType] = []
    for kind, group in by_kind(report.diagnostics).items():
        shown.append(Text(f"\n{kind.value} ({len(group)})", style="bold"))
        for each in group[:most]:
            shown += _diagnostic(each)
        if len(group) > most:
            shown.append(
                Text(
                    f"  … and {len(group) - most} more: --html FILE and --json FILE hold all of them.",
                    style="dim",
                )
            )
    style = "bold green" if not report.diagnostics else "bold"
    return Group(*shown, Text(f"\n{report.summary}", style=style))


def write_report(report: Report, *, json_path: Path | None, html_path: Path | None) -> None:
    """Write what is asked for; each file is whole or not there.

    Raises:
        ReportError: a file cannot be written.
    """
    files = {}
    if json_path is not None:
        files[json_path] = json.dumps(as_json(report), ensure_ascii=False, indent=1) + "\n"
    if html_path is not None:
        files[html_path] = as_html(report)
    write_files(files)


def _json(each: Diagnostic) -> dict[str, Any]:
    return {
        "kind": each.kind.name.lower().replace("_", "-"),
        "severity": each.severity,
        "message": each.message,
        "locations": [{**vars(place), "note": str(place.note)} for place in each.locations],
        "remedy": each.remedy,
    }


def _diagnostic(each: Diagnostic) -> Iterator[RenderableType]:
    head = Text.assemble((each.severity.value, _STYLES[each.severity]), "  ", each.message)
    yield Padding(head, (0, 0, 0, 2))
    texts = [place for place in each.locations if place.text]
    shown = [_side_by_side(texts)] if len(texts) == 2 else list(map(_line, each.locations[:_PLACES]))
    more = len(each.locations) - _PLACES
    if more > 0:
        shown.append(Text(f"… and {more} more", style="dim"))
    for line in (*shown, Text(f"→ {each.remedy}")):
        yield Padding(line, (0, 0, 0, 4))


def _side_by_side(places: Sequence[Location]) -> RenderableType:
    table = Table(box=SIMPLE, expand=True, show_edge=False, pad_edge=False)
    for place in places:
        table.add_column(Text(_where(place), style="dim"), overflow="fold", ratio=1)
    table.add_row(*map(_seen, places))
    return table


def _line(place: Location) -> RenderableType:
    return Text.assemble((_where(place), "dim"), "  ", _seen(place), overflow="fold")


def _where(place: Location) -> str:
    return f"{place} · {place.owner}"


def _seen(place: Location) -> Text:
    return Text.assemble(place.text, (f"  ({place.note})" if place.note else "", "dim"))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
