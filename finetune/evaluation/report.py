"""Shows an evaluation: as JSON for programs, as one page that a browser opens without a network, as a table in a terminal."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bot.reports import render_page, write_files
from finetune.evaluation.evaluate import Evaluation
from finetune.evaluation.measures import SCOPES, Score
from finetune.evaluation.report_words import Figure, metric_name, words
from finetune.evaluation.statistics import Estimate

KIND = "kefu-evaluation"
SCHEMA = 2  # of the JSON; in 1, the verdict was English only
_TEMPLATE = Path(__file__).with_name("report.html.j2")


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as JSON values."""
    gate = evaluation.gate
    return {
        "kind": KIND,
        "schema": SCHEMA,
        **asdict(evaluation),
        "scores": [
            {**asdict(score), "gained": score.gained, "lost": score.lost} for score in evaluation.scores
        ],
        "exposures": [
            {**asdict(each), "exposure": each.exposure, "came_out": each.came_out}
            for each in evaluation.exposures
        ],
        "gate": {
            "passed": gate.passed,
            "reasons": [reason.told for reason in gate.reasons],
            "gains": [reason.told for reason in gate.gains],
        },
    }


def as_html(evaluation: Evaluation) -> str:
    """The evaluation as one page."""
    scopes = [scope for scope in SCOPES if any(score.scope == scope for score in evaluation.scores)]
    return render_page(
        _TEMPLATE,
        evaluation=evaluation,
        scopes=scopes,
        words={section: words(section) for section in ("page", "sorts", "metrics")},
        figure=lambda metric, value, signed: str(Figure(metric, value, signed)),
    )


def as_table(evaluation: Evaluation) -> RenderableType:
    """The figures and the verdict for a terminal, in English."""
    table = Table(title=f"{escape(evaluation.candidate)} beside {escape(evaluation.current)}")
    for column in ("", "", "candidate", "current", "difference", ""):
        table.add_column(column)
    for scope in SCOPES:
        for score in evaluation.scores:
            if score.scope == scope and (score.candidate.count or score.current.count):
                table.add_row(
                    words("page")[scope]["en"],
                    metric_name(score.metric, "en"),
                    _interval(score.metric, score.candidate),
                    _interval(score.metric, score.current),
                    _interval(score.metric, score.difference, signed=True),
                    _mark(score),
                )
    return Group(table, *_verdict(evaluation))


def write_report(evaluation: Evaluation, *, json_path: Path | None, html_path: Path | None) -> None:
    """Write what is asked for; each file is whole or not there.

    Raises:
        ReportError: a file cannot be written.
    """
    files = {}
    if json_path is not None:
        files[json_path] = json.dumps(as_json(evaluation), ensure_ascii=False, indent=1) + "\n"
    if html_path is not None:
        files[html_path] = as_html(evaluation)
    write_files(files)


def _verdict(evaluation: Evaluation) -> list[RenderableType]:
    gate = evaluation.gate
    lines = [Text(reason.say("en"), style="green") for reason in gate.gains]
    lines += [Text(reason.say("en"), style="red") for reason in gate.reasons]
    last = "May be promoted." if gate.passed else "Not to be promoted."
    return [*lines, Text(last, style="bold green" if gate.passed else "bold red")]


def _interval(metric: str, estimate: Estimate, *, signed: bool = False) -> str:
    if estimate.count == 0:
        return "–"
    mean, low, high = (
        Figure(metric, value, signed) for value in (estimate.mean, estimate.low, estimate.high)
    )
    return f"{mean} ({low} … {high}; {estimate.count})"


def _mark(score: Score) -> str:
    return "[green]better[/]" if score.gained else "[red]worse[/]" if score.lost else ""
