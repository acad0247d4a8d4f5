"""The command `kefu check`: reads settings, calls, and shows what was found. No rules here."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from bot.logs import configure_logs
from bot.models import make_encoder
from bot.progress_bars import Bars
from bot.settings import load_settings
from bot.upkeep.checks.examination import examine_knowledge
from bot.upkeep.checks.gathering import gather
from bot.upkeep.checks.report import Report, as_text, write_report
from bot.upkeep.moments import moment_of_option

_SHOWN = 20  # diagnostics of a kind in the terminal

_SINCE = "How far back the log is read: '7d', '24h', 'yesterday', or a date like 2026-11-20"


def check(
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 also where there are only warnings")
    ] = False,
    soon: Annotated[
        int, typer.Option(help="Days ahead in which an end of validity is worth a warning", min=0)
    ] = 30,
    since: Annotated[str, typer.Option(help=_SINCE)] = "30d",
    html: Annotated[Path | None, typer.Option(help="Write the page here, too")] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything found here, too")] = None,
) -> None:
    """Look the knowledge base over: expired, twice there, contradictory, unused, confused. Exit code 1 if there is an error."""
    settings = load_settings()
    configure_logs(settings.log_level)
    with Bars() as bars:
        encoder = make_encoder(settings, bars.stage)
        materials = gather(settings, encoder, since=moment_of_option(since, "--since", settings), soon=soon)
        found = examine_knowledge(materials, bars.stage)
    report = Report(
        diagnostics=tuple(found),
        made_at=datetime.now(ZoneInfo(settings.time_zone)),
        index=materials.index,
        articles=len(materials.articles),
        intents=len(materials.content.intents),
        turns=None if materials.log is None else materials.log.total,
    )
    write_report(report, json_path=json, html_path=html)
    Console().print(as_text(report, most=_SHOWN))
    if report.failed(strict=strict):
        raise typer.Exit(1)
