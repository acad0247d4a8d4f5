"""The command `kefu calibrate`: read settings, call, and show what was found. No rules here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.logs import configure_logs
from bot.models import make_encoder
from bot.progress_bars import Bars
from bot.reports import write_files
from bot.settings import load_settings
from bot.upkeep.calibration.fitting import Budgets
from bot.upkeep.calibration.report import as_html, as_tables
from bot.upkeep.calibration.running import DAYS, run_calibration
from retrieval.vector_cache import RecentTexts

_screen = Console(stderr=True)


def calibrate(
    max_wrong_templates: Annotated[
        str, typer.Option(help="Most turns that may get a wrong template, as 2% or 0.02")
    ] = f"{Budgets.wrong_templates:.0%}",
    max_wrong_answers: Annotated[
        str, typer.Option(help="Most turns that may get a wrong answer from an article")
    ] = f"{Budgets.wrong_answers:.0%}",
    days: Annotated[float, typer.Option(help="So many days of the log", min=0)] = DAYS,
    html: Annotated[Path | None, typer.Option(help="Write the report there as a page, too")] = None,
    dry_run: Annotated[bool, typer.Option(help="Only show what would serve")] = False,
) -> None:
    """Set the thresholds from golden questions and votes, to an error budget. A running server takes them up."""
    budgets = Budgets(_share(max_wrong_templates), _share(max_wrong_answers))
    settings = load_settings()
    configure_logs(settings.log_level)
    with Bars() as bars:
        encoder = RecentTexts(make_encoder(settings, bars.stage))
        report = run_calibration(
            settings, encoder, budgets, days=days, write=not dry_run, progress=bars.stage
        )
    Console().print(as_tables(report))
    if html is not None:
        write_files({html: as_html(report)})
    _screen.print(
        "Nothing was written." if dry_run else f"They serve from now on: {settings.thresholds_path}"
    )


def _share(text: str) -> float:
    """A share of turns, above 0 and below 1, written as "2%" or "0.02"."""
    try:
        value = float(text.strip().removesuffix("%")) / (100.0 if text.strip().endswith("%") else 1.0)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise typer.BadParameter(f"{text!r} is no share of turns: write 2% or 0.02, above 0 and below 100%.")
    return value
