"""Shows what changed: side by side in a terminal, as one page that a browser opens without a network, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.reports import render_page, write_files
from bot.upkeep.backtest.edits import Touched
from bot.upkeep.backtest.marking import Part, marked
from bot.upkeep.backtest.outcomes import Kind, Outcome
from bot.upkeep.backtest.reports import Change, ReplayReport, Tally

KIND = "kefu-backtest"
SCHEMA = 1  # of the JSON
NAMES = {
    Kind.ROUTE: "another route",
    Kind.INTENT: "another intent",
    Kind.SOURCES: "other articles",
    Kind.WORDING: "the wording only",
}
_TEMPLATE = Path(__file__).with_name("page.html.j2")


def as_json(report: ReplayReport) -> dict[str, Any]:
    """The report as JSON values: the figures by kind, and every change."""
    return {
        "kind": KIND,
        "schema": SCHEMA,
        **asdict(report),
        "same": report.same,
        "changed": _figures(report.tally()),
        "by_kind": {kind.value: _figures(report.tally(kind)) for kind in Kind},
    }


def as_html(report: ReplayReport, zone: tzinfo) -> str:
    """The report as one page, with times in `zone`."""
    return render_page(
        _TEMPLATE,
        report=report,
        headline=headline(report, zone),
        notes=list(notes(report)),
        kinds=[(NAMES[kind], report.tally(kind)) for kind in Kind if report.tally(kind).changed],
        changes=[(change, rows(change), _title(change, zone)) for change in report.changes],
        rated=rated,
        edited=None if report.touched is None else named(report.touched),
    )


def as_text(report: ReplayReport, zone: tzinfo, *, most: int) -> RenderableType:
    """The report for a terminal: the figures, and the first `most` changes side by side."""
    shown: list[RenderableType] = [_change_table(change, report, zone) for change in report.changes[:most]]
    more = len(report.changes) - most
    if more > 0:
        shown.append(Text(f"… and {more} more: --html FILE and --json FILE hold all of them.", style="dim"))
    shown.append(Text(headline(report, zone), style="bold"))
    if report.changes:
        shown.append(_summary_table(report))
    shown += [Text(note, style="dim") for note in notes(report)]
    return Group(*shown)


def write_report(
    report: ReplayReport, zone: tzinfo, *, json_path: Path | None, html_path: Path | None
) -> None:
    """Write what is asked for; each file is whole or not there.

    Raises:
        ReportError: a file cannot be written.
    """
    files = {}
    if json_path is not None:
        text = json.dumps(as_json(report), ensure_ascii=False, indent=1, default=datetime.isoformat)
        files[json_path] = f"{text}\n"
    if html_path is not None:
        files[html_path] = as_html(report, zone)
    write_files(files)


def headline(report: ReplayReport, zone: tzinfo) -> str:
    """The report in a sentence or two."""
    total = report.tally()
    asked = f"{_count(report.asked, 'question')} {_span(report, zone)}"
    if not total.changed:
        return f"{asked}: no answer changes."
    verb = "is" if total.changed == 1 else "are"
    changed = f"{asked}: {report.same} the same, {total.changed} {verb} answered differently"
    if total.up or total.down:
        return f"{changed}, of which {total.up} rated good and {total.down} rated bad."
    return f"{changed}, none of them rated."


def notes(report: ReplayReport) -> Iterator[str]:
    """What must be known to read the figures."""
    if report.quick:
        yield (
            "No answer was written from articles: there, another wording means that the best article's text is another."
        )
    if report.fragments:
        yield f"{_count(report.fragments, 'message')} read together with the one that took over, as then."
    if report.failures:
        yield f"{_count(report.failures, 'turn')} left out that failed then: an apology is nothing to compare with."
    if report.not_asked:
        yield f"{_count(report.not_asked, 'question')} over the limit, not asked."
    if report.broke:
        yield f"{_count(report.broke, 'question')} could not be asked again; the log above says why."
    if any(change.rating is not None and not change.rates_before for change in report.changes):
        yield "A rating in brackets is of an earlier answer than the one on the left."


def named(touched: Touched) -> str:
    """What an edit changes, in words."""
    return ", ".join(
        [
            *(f"article {name}" for name in touched.articles),
            *(f"intent {name}" for name in touched.intents),
            *(["out-of-scope examples"] if touched.out_of_scope else []),
            *(["messages"] if touched.messages else []),
        ]
    )


def rows(change: Change) -> list[tuple[str, tuple[Part, ...], tuple[Part, ...]]]:
    """What is shown of a change: a name and both sides, with what differs marked. What does not apply is left out."""
    left, right = _lines(change.before), _lines(change.after)
    names = [name for name in left if left[name] or right[name]]
    return [(name, *marked(left[name], right[name])) for name in names]


def rated(change: Change) -> str:
    """How the turn was rated, in brackets if that was another answer than the one on the left."""
    if change.rating is None:
        return ""
    words = "rated good" if change.rating > 0 else "rated bad"
    return words if change.rates_before else f"({words})"


def _lines(outcome: Outcome) -> dict[str, str]:
    asks = "" if outcome.missing_slot is None else f", asks for {outcome.missing_slot}"
    intent = "" if outcome.intent is None else f"{outcome.intent}{asks}"
    left = " … (the customer left)" if outcome.partial else ""
    answer = "(not written)" if outcome.answer is None else f"{outcome.answer}{left}"
    why = outcome.reason if outcome.generation is None else f"{outcome.reason}; {outcome.generation}"
    return {
        "route": f"{outcome.route.value} ({why})",
        "intent": intent,
        "offers": " | ".join(outcome.offers),
        "articles": ", ".join(outcome.articles),
        "answer": answer,
        "score": f"{outcome.score:.2f}",
    }


def _title(change: Change, zone: tzinfo) -> str:
    kinds = ", ".join(kind.value for kind in change.kinds)
    return f"{change.asked_at.astimezone(zone):%Y-%m-%d %H:%M} · {kinds}"


def _change_table(change: Change, report: ReplayReport, zone: tzinfo) -> RenderableType:
    heading = Text.assemble((change.question, "bold"), (f"  {rated(change)}", "dim"))
    if change.read_as.strip() != change.question.strip():
        heading.append(f"\nread as: {change.read_as}", style="dim")
    heading.append(f"\n{_title(change, zone)}", style="dim")
    table = Table("", *report.sides, expand=True, show_lines=False)
    table.columns[1].ratio = table.columns[2].ratio = 1
    for name, left, right in rows(change):
        table.add_row(name, _coloured(left, "red"), _coloured(right, "green"))
    return Group(heading, table, Text(""))


def _coloured(parts: tuple[Part, ...], colour: str) -> Text:
    return Text.assemble(*((part.text, colour if part.other else "") for part in parts))


def _summary_table(report: ReplayReport) -> Table:
    table = Table("Answered differently", "Questions", "Rated good", "Rated bad", "Unrated")
    for kind in Kind:
        if report.tally(kind).changed:
            table.add_row(NAMES[kind], *_cells(report.tally(kind)))
    table.add_section()
    table.add_row("together", *_cells(report.tally()))
    return table


def _cells(tally: Tally) -> tuple[str, ...]:
    return str(tally.changed), str(tally.up), str(tally.down), str(tally.unrated)


def _figures(tally: Tally) -> dict[str, int]:
    return {"changed": tally.changed, "up": tally.up, "down": tally.down, "unrated": tally.unrated}


def _span(report: ReplayReport, zone: tzinfo) -> str:
    since, until = (
        None if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
        for moment in (report.since, report.until)
    )
    if since is None:
        return "of all times" if until is None else f"before {until}"
    return f"since {since}" if until is None else f"from {since} to {until}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
