"""The command `kefu unanswered`: reads settings, calls, and shows. No rules here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape

from bot.conversation import Language
from bot.factory import load_knowledge
from bot.logs import configure_logs
from bot.memory.gaps import GapId
from bot.memory.store import Store
from bot.models import make_encoder
from bot.progress_bars import Bars
from bot.reports import write_files
from bot.safety.redact import redact
from bot.settings import Settings, load_settings
from bot.upkeep.gaps.accepting import Choice
from bot.upkeep.gaps.drafts import Wording
from bot.upkeep.gaps.report import Way, as_json
from bot.upkeep.gaps.review import Closer, GapReview, dismiss, merge, reopen
from bot.upkeep.gaps.showing import closer_as_text, decision_as_text, list_as_text
from bot.upkeep.moments import moment_of_option
from retrieval.encoder import Encoder
from retrieval.vector_cache import CachedEncoder

VECTORS = "unanswered.safetensors"  # of questions, in the folder for run-time files

unanswered = typer.Typer(
    invoke_without_command=True, help="What could not be answered, by meaning, with a draft for each."
)
_screen = Console(stderr=True)

_Id = Annotated[int, typer.Argument(help="A gap's id, as the list shows it")]
_AsIntent = Annotated[bool, typer.Option("--as-intent", help="A new intent with an approved answer")]
_AsArticle = Annotated[bool, typer.Option("--as-article", help="A new article")]


@unanswered.callback()
def list_gaps(
    context: typer.Context,
    since: Annotated[
        str, typer.Option(help="How far back: '90d', '24h', 'yesterday', or a date like 2026-11-20")
    ] = "90d",
    limit: Annotated[int, typer.Option(help="Most gaps", min=1)] = 20,
    everything: Annotated[
        bool, typer.Option("--all", help="List also what was accepted or dismissed")
    ] = False,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
) -> None:
    """Gather what was not answered, in both languages, and list it: what was asked most and last comes first."""
    if context.invoked_subcommand is not None:
        return
    settings = _settings()
    zone = ZoneInfo(settings.time_zone)
    start, encoder = moment_of_option(since, "--since", settings), _encoder(settings)
    with _review(settings, encoder) as review:
        report = review.report(since=start, limit=limit, everything=everything)
    if encoder.encoded:
        encoder.save()
    if as_json_:
        print(json.dumps(as_json(report), ensure_ascii=False))  # noqa: T201 — the result, for a program
    else:
        Console().print(list_as_text(report, zone))


@unanswered.command()
def show(
    gap: _Id,
    as_intent: _AsIntent = False,
    as_article: _AsArticle = False,
    write: Annotated[
        Path | None, typer.Option(help="Write the draft here, to work on; two articles get `.zh` and `.en`")
    ] = None,
    talks: Annotated[int, typer.Option(help="Most talks", min=0)] = 5,
) -> None:
    """Show one gap: its talks, what comes near, and a draft."""
    settings = _settings()
    with _review(settings, _encoder(settings)) as review:
        closer = review.look(GapId(gap), way=_way(as_intent, as_article, None), talks=talks)
    Console().print(closer_as_text(closer, ZoneInfo(settings.time_zone)))
    if write is not None:
        _write(closer, write)


@unanswered.command()
def accept(
    gap: _Id,
    as_intent: _AsIntent = False,
    as_article: _AsArticle = False,
    into_intent: Annotated[
        str | None, typer.Option(help="Make the questions examples of this intent")
    ] = None,
    answer_zh: Annotated[str | None, typer.Option(help="The answer in Chinese")] = None,
    answer_en: Annotated[str | None, typer.Option(help="The answer in English")] = None,
    question_zh: Annotated[
        list[str] | None, typer.Option(help="How a customer would ask it in Chinese")
    ] = None,
    question_en: Annotated[
        list[str] | None, typer.Option(help="How a customer would ask it in English")
    ] = None,
    name: Annotated[str | None, typer.Option("--id", help="Id of the new intent or article")] = None,
    file: Annotated[
        list[Path] | None, typer.Option(help="A finished draft: .yaml for an intent, .md for an article")
    ] = None,
) -> None:
    """Write it into the knowledge base: as an intent, as an article, or into an intent; default: what is suggested."""
    settings = _settings()
    answers = {Language.ZH: answer_zh, Language.EN: answer_en}
    questions = {
        Language.ZH: [] if question_zh is None else question_zh,
        Language.EN: [] if question_en is None else question_en,
    }
    wording = Wording(
        {language: text for language, text in answers.items() if text is not None}, questions, name
    )
    choice = Choice(
        _way(as_intent, as_article, into_intent), into_intent, wording, () if file is None else tuple(file)
    )
    with _review(settings, _encoder(settings)) as review:
        stored, plan = review.accept(GapId(gap), choice)
    for change in plan.changes:
        _say(f"{'Written' if change.before is None else 'Added to'}: {settings.knowledge_base / change.name}")
    _say(
        f"{decision_as_text(stored)}. A running server answers from it within seconds; else run `kefu index`."
    )


@unanswered.command("dismiss")
def dismiss_gap(
    gap: _Id, reason: Annotated[str, typer.Option(help="Why nothing is to be done, kept")] = ""
) -> None:
    """Put a gap aside for good: later questions like these do not bring it back."""
    _say(decision_as_text(dismiss(_settings().log_path, GapId(gap), reason)))


@unanswered.command("reopen")
def reopen_gap(gap: _Id) -> None:
    """Take back that a gap was dismissed or accepted; content that was written stays."""
    _say(decision_as_text(reopen(_settings().log_path, GapId(gap))))


@unanswered.command("merge")
def merge_two(
    gap: _Id, other: Annotated[int, typer.Argument(help="The gap that goes into the first")]
) -> None:
    """Make two gaps one, under the first one's id."""
    kept = merge(_settings().log_path, GapId(gap), GapId(other))
    _say(f"Gap {other} is part of gap {kept.id} now: {kept.title}")


def _settings() -> Settings:
    settings = load_settings()
    configure_logs(settings.log_level)
    return settings


def _encoder(settings: Settings) -> CachedEncoder:
    with Bars() as bars:
        return CachedEncoder(make_encoder(settings, bars.stage), settings.var / VECTORS)


@contextmanager
def _review(settings: Settings, encoder: Encoder) -> Iterator[GapReview]:
    with Store(settings.log_path) as store:
        yield GapReview(
            knowledge=load_knowledge(settings, encoder, None),
            encoder=encoder,
            store=store,
            knowledge_base=settings.knowledge_base,
            mask=partial(redact, allow=settings.safety.shown_contacts),
            day=datetime.now(ZoneInfo(settings.time_zone)).date(),
        )


def _way(as_intent: bool, as_article: bool, into_intent: str | None) -> Way | None:
    chosen = [
        way
        for way, wanted in (
            (Way.AS_INTENT, as_intent),
            (Way.AS_ARTICLE, as_article),
            (Way.INTO_INTENT, into_intent is not None),
        )
        if wanted
    ]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --as-intent, --as-article and --into-intent.")
    return chosen[0] if chosen else None


def _write(closer: Closer, target: Path) -> None:
    """Put drafts into files to work on.

    Raises:
        ReportError: a file cannot be written.
    """
    files = {}
    for draft in closer.drafts:
        suffix = Path(draft.name).suffix
        between = f".{Path(draft.name).parent.name}" if len(closer.drafts) > 1 else ""
        path = target.with_suffix(f"{between}{suffix}")
        files[path] = draft.text
    write_files(files)
    options = " ".join(f"--file {path}" for path in files)
    _say(f"Fill in what is marked TODO, then: kefu unanswered accept {closer.gap.id} {options}")


def _say(text: str) -> None:
    _screen.print(escape(text), highlight=False)
