"""The commands `kefu replay` and `kefu diff`: read settings, call, and show what changed. No rules here."""

from __future__ import annotations

import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from bot.logs import configure_logs
from bot.progress_bars import Bars
from bot.safety.redact import redact
from bot.settings import Settings, load_settings
from bot.upkeep.backtest.asking import How
from bot.upkeep.backtest.diff import diff as compare_edit
from bot.upkeep.backtest.edits import edit_of, touched
from bot.upkeep.backtest.questions import read_questions
from bot.upkeep.backtest.replay import replay as replay_log
from bot.upkeep.backtest.reports import ReplayReport
from bot.upkeep.backtest.scratch import Models, edited_knowledge, present_knowledge
from bot.upkeep.backtest.showing import as_text, named, write_report
from bot.upkeep.moments import moment_of_option

_SHOWN = 20  # changes in the terminal
_LOOKED_AT = 5_000  # last questions, among which an edit chooses those that it concerns

_screen = Console(stderr=True)

_SINCE = "'yesterday', 'today', '7d', '24h', or a date or time like 2026-11-20T14:30"
_QUICK = "Write no answers from articles; compare which one is the best, and its text"


def replay(
    since: Annotated[str, typer.Option(help=f"From when on: {_SINCE}")] = "yesterday",
    until: Annotated[str | None, typer.Option(help="Until when, likewise; default: now")] = None,
    limit: Annotated[int | None, typer.Option(help="Most questions, the last ones", min=1)] = None,
    rating: Annotated[int | None, typer.Option(help="Only answers rated +1 or -1")] = None,
    quick: Annotated[bool, typer.Option("--quick", help=_QUICK)] = False,
    html: Annotated[Path | None, typer.Option(help="Write the page here, too")] = None,
    json: Annotated[Path | None, typer.Option(help="Write every change here, too")] = None,
) -> None:
    """Ask what customers asked again, of today's content, index and adapter, and show what is answered differently."""
    settings = load_settings()
    configure_logs(settings.log_level)
    if rating not in (None, 1, -1):
        raise typer.BadParameter(f"a rating is 1 or -1, not {rating}.", param_hint="--rating")
    questions = read_questions(
        settings.log_path,
        since=moment_of_option(since, "--since", settings),
        until=None if until is None else moment_of_option(until, "--until", settings),
        rating=rating,
        limit=limit,
    )
    with Bars() as bars:
        models = Models.load(settings, bars.stage)
        try:
            with present_knowledge(settings, models) as knowledge:
                found = replay_log(questions, knowledge, _how(settings, quick=quick), bars.stage)
        finally:
            models.close()
    _show(found, settings, json, html)


def diff(
    paths: Annotated[
        list[Path], typer.Argument(help="A folder that holds an edited knowledge base, or edited files")
    ],
    place: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            help="What a file is to replace, like articles/zh/returns.md, once for each file; default: what has its id",
        ),
    ] = None,
    since: Annotated[str, typer.Option(help=f"Questions from when on: {_SINCE}")] = "30d",
    limit: Annotated[
        int, typer.Option(help="Most questions; first those that the edit concerns most", min=1)
    ] = 500,
    quick: Annotated[bool, typer.Option("--quick", help=_QUICK)] = False,
    html: Annotated[Path | None, typer.Option(help="Write the page here, too")] = None,
    json: Annotated[Path | None, typer.Option(help="Write every change here, too")] = None,
) -> None:
    """Say which past questions an edit would answer differently, before it is saved, and how those were rated."""
    settings = load_settings()
    configure_logs(settings.log_level)
    with tempfile.TemporaryDirectory(prefix="kefu-edit-") as scratch:
        edit = edit_of(settings.knowledge_base, paths, place or (), Path(scratch))
        for each in edit.placed:
            _say(f"{each.draft} → {each.target}{' (new)' if each.new else ''}")
        changed = touched(settings.knowledge_base, edit)
        if changed.nothing:
            _say("Nothing that answers are made from is different.")
            return
        _say(f"Edited: {named(changed)}")
        questions = read_questions(
            settings.log_path,
            since=moment_of_option(since, "--since", settings),
            limit=max(limit, _LOOKED_AT),
            failures=True,
        )
        with Bars() as bars:
            models = Models.load(settings, bars.stage)
            try:
                with (
                    edited_knowledge(settings, edit.folder, models, bars.stage) as edited,
                    present_knowledge(settings, models) as present,
                ):
                    how = _how(settings, quick=quick)
                    found = compare_edit(
                        questions, present, edited, changed, how, limit=limit, progress=bars.stage
                    )
            finally:
                models.close()
    _show(found, settings, json, html)


def _how(settings: Settings, *, quick: bool) -> How:
    return How(
        day=datetime.now(ZoneInfo(settings.time_zone)).date(),
        top_k=settings.retrieval.top_k,
        redact=partial(redact, allow=settings.safety.shown_contacts),
        quick=quick,
    )


def _show(found: ReplayReport, settings: Settings, json: Path | None, html: Path | None) -> None:
    zone = ZoneInfo(settings.time_zone)
    write_report(found, zone, json_path=json, html_path=html)
    Console().print(as_text(found, zone, most=_SHOWN))


def _say(message: str) -> None:
    _screen.print(message, markup=False, highlight=False)
