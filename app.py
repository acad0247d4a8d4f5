"""The `kefu` command: serve the chat, build the index, ask one question, export the log, look everything over."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import sys
import threading
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

# Before any library reads them: no telemetry, and no tokenizer threads beside our own.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Threads that wait by spinning bring every other one on the same cores to a crawl.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Small matrices are multiplied faster by one thread than shared by two; what is large, torch computes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What torch prepared for a number and length of texts it keeps for the last thousand of them, so that memory grows for
# thousands of turns. A few dozen hold what one batch needs; `benchmarks/load.py --soak` shows both.
os.environ.setdefault("LRU_CACHE_CAPACITY", "32")
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")

import typer
import uvicorn
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.conversation import Reply, VisitorId
from bot.doctor import Finding, examine
from bot.errors import BotError, GenerationError, SettingsError
from bot.factory import Kefu, build_kefu, rebuild
from bot.logs import configure_logs
from bot.memory.store import Store
from bot.models import make_encoder
from bot.progress_bars import Bars
from bot.promotions import follow_learning, follow_promotions
from bot.settings import load_settings
from bot.upkeep.backtest.commands import diff, replay
from bot.upkeep.calibration.commands import calibrate
from bot.upkeep.checks.commands import check
from bot.upkeep.gaps.commands import unanswered
from bot.upkeep.retention.commands import forget
from bot.upkeep.retention.daily import follow_retention
from bot.web.console.commands import say_how_to_begin, staff
from bot.web.listener import open_listener
from bot.web.server import KEEP_ALIVE_SECONDS, build_app
from finetune.adapter_commands import adapters, compress, cycle, evaluate, promote, rollback, train
from finetune.commands import curate_set, import_files, learn_intents, learn_search
from finetune.curation.dataset import Side, load_dataset_folder
from finetune.curation.export import export as export_log
from finetune.curation.export import export_dataset
from finetune.curation.formats import Format
from finetune.errors import FinetuneError
from retrieval.errors import RetrievalError

cli = typer.Typer(
    add_completion=False, invoke_without_command=True, help="Kefu: a self-hosted customer-service chatbot."
)
cli.command("import")(import_files)
cli.command("curate")(curate_set)
cli.command("intents")(learn_intents)
cli.command("teach-search")(learn_search)
for _command in (
    train,
    evaluate,
    promote,
    compress,
    rollback,
    adapters,
    cycle,
    calibrate,
    replay,
    diff,
    check,
    forget,
):
    cli.command()(_command)
cli.add_typer(unanswered, name="unanswered")
cli.add_typer(staff, name="staff")
_screen = Console(stderr=True)
_SHUTDOWN_SECONDS = 3  # then open streams (a console that listens) are cut


@cli.callback()
def default(context: typer.Context) -> None:
    """`kefu` alone serves."""
    if context.invoked_subcommand is None:
        context.invoke(serve, host=None, port=None, browser=sys.stdout.isatty())


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: server.host")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: server.port")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser")] = sys.stdout.isatty(),
) -> None:
    """Serve the chat page and the API; builds first what is missing."""
    settings = load_settings()
    configure_logs(settings.log_level)
    where = (settings.server.host if host is None else host, settings.server.port if port is None else port)
    listener = _listen(*where)
    with Bars() as bars:
        kefu = build_kefu(settings, bars.stage)
    stop = threading.Event()
    kefu.follow_edits(stop)
    follow_promotions(kefu, stop)
    follow_learning(kefu, stop)
    follow_retention(settings, stop)
    kefu.webhooks.start()
    kefu.warm_up()
    address = f"http://{where[0]}:{listener.getsockname()[1]}"
    _screen.print(f"\n[bold green]Kefu is ready:[/] [link={address}]{address}[/]   (Ctrl+C stops it)")
    _screen.print("/demo shows it on a shop's page; /console is for the team.")
    say_how_to_begin(kefu.desk.log, settings)
    if browser:
        webbrowser.open(address)
    try:
        asyncio.run(_serve(kefu, listener))
    finally:
        stop.set()
        kefu.close()


@cli.command()
def index() -> None:
    """Check the knowledge base and build the index; a running server picks it up by itself."""
    settings = load_settings()
    configure_logs(settings.log_level)
    with Bars() as bars:
        built = rebuild(settings, make_encoder(settings, bars.stage), bars.stage)
    _screen.print(
        f"{built.articles} articles, {built.passages} passages; {built.embedded} texts embedded, "
        f"{built.reused} unchanged; {built.seconds:.1f} s. Index {built.generation}."
    )


@cli.command()
def ask(
    question: Annotated[str, typer.Argument(help="What a customer would ask")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
) -> None:
    """Ask one question and print the answer. The turn is logged like any other."""
    settings = load_settings()
    configure_logs("error")
    with Bars() as bars:
        kefu = build_kefu(settings, bars.stage)
    try:
        reply = _ask(kefu, question)
    finally:
        kefu.close()
    if as_json:
        print(json.dumps(_as_json(reply), ensure_ascii=False))  # noqa: T201 — the result, for a program
        return
    Console().print(reply.text)
    for source in reply.sources:
        Console().print(f"[dim][{source.number}] {source.title} ({source.score:.0%})[/]")
    Console().print(
        f"[dim]{reply.route} · {reply.intent} · {reply.score:.2f} · {reply.timings_ms['total']:.0f} ms[/]"
    )


@cli.command()
def export(
    target: Annotated[Path, typer.Argument(help="File to write; a manifest is written beside it")],
    form: Annotated[Format, typer.Option("--format", help="Shape of the rows")] = "messages",
    since: Annotated[datetime | None, typer.Option(help="Only turns from this moment on (UTC)")] = None,
    until: Annotated[datetime | None, typer.Option(help="Only turns before this moment (UTC)")] = None,
    rating: Annotated[int | None, typer.Option(help="Only turns rated +1 or -1", min=-1, max=1)] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="A folder of `kefu curate`, instead of the log")
    ] = None,
    side: Annotated[Side, typer.Option(help="Which side of the dataset")] = "train",
) -> None:
    """Write the log, or a side of a training set, masked, as training data."""
    settings = load_settings()
    configure_logs(settings.log_level)
    if dataset is not None:
        done = export_dataset(load_dataset_folder(dataset), target, side=side, format=form)
    else:
        allowed = settings.safety.shown_contacts
        with Store(settings.log_path) as store:
            done = export_log(
                store, target, format=form, since=_utc(since), until=_utc(until), rating=rating, allow=allowed
            )
    _screen.print(
        f"{done.turns} turns of {done.conversations} conversations, {done.corrected} corrected → {done.path} "
        f"(manifest: {done.manifest.name})"
    )
    if done.masked_again:
        _screen.print(f"[yellow]Masked only now: {dict(done.masked_again)}. See the manifest.[/]")


@cli.command()
def doctor() -> None:
    """Look over disk, models, index, log and port, and say what to do. Exit code 1 if something is wrong."""
    settings = load_settings()
    configure_logs("error")
    findings = examine(settings)
    Console().print(_findings_table(findings))
    if any(not finding.fine for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """Run the command; a mistake of the user's or the machine's is one clear message, not a traceback."""
    try:
        cli()
    except (BotError, RetrievalError, FinetuneError) as error:
        _screen.print(f"[bold red]kefu:[/] {escape(str(error))}", highlight=False)
        raise SystemExit(1) from None


async def _serve(kefu: Kefu, listener: socket.socket) -> None:
    """Serve until stopped. Built inside the loop: outside, Gradio opens a loop for each of its locks."""
    web = build_app(kefu.manager, kefu.settings, kefu)
    config = uvicorn.Config(
        web,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    await uvicorn.Server(config).serve(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before the long work begins.

    Raises:
        SettingsError: it is taken, or may not be used.
    """
    try:
        return open_listener(host, port)
    except OSError as error:
        raise SettingsError(
            f"Port {port} on {host} cannot be used: {error.strerror}. Stop what uses it, or choose another: "
            f"`kefu serve --port {port + 1}`, or server.port in kefu.toml."
        ) from error


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _ask(kefu: Kefu, question: str) -> Reply:
    visitor = VisitorId(secrets.token_urlsafe(32))
    conversation = kefu.manager.open_conversation(visitor, channel="cli")
    *_, reply = kefu.manager.answer(conversation, question, visitor=visitor)
    if not isinstance(reply, Reply):
        raise GenerationError(
            "The answer ended without a reply. This is a mistake in Kefu; please report it."
        )
    return reply


def _as_json(reply: Reply) -> dict[str, object]:
    return {
        "answer": reply.text,
        "route": reply.route,
        "language": reply.language,
        "intent": reply.intent,
        "score": round(reply.score, 4),
        "margin": round(reply.margin, 4),
        "sources": [
            {"id": source.article_id, "title": source.title, "score": round(source.score, 4)}
            for source in reply.sources
        ],
        "actions": list(reply.actions),
        "turn_id": reply.turn_id,
        "timings_ms": dict(reply.timings_ms),
    }


def _findings_table(findings: list[Finding]) -> Table:
    table = Table(show_lines=False)
    for column in ("", "What", "Seen", "What to do"):
        table.add_column(column)
    for finding in findings:
        table.add_row(
            "[green]✓[/]" if finding.fine else "[red]✗[/]", finding.what, finding.seen, finding.remedy
        )
    return table


if __name__ == "__main__":
    main()
