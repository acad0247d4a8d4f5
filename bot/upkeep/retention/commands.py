"""The command `kefu forget`: says how much of what customers said would go, asks, and deletes it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.conversation import ConversationId
from bot.logs import configure_logs
from bot.memory.blanking import out_of_reach
from bot.memory.forgetting import Counts, OfConversation, OfCustomer, Older, What
from bot.memory.shared_log import SharedLog
from bot.memory.spill import Spill
from bot.settings import Settings, load_settings
from bot.upkeep.moments import moment_of_option
from bot.upkeep.retention.erasing import Erased, erase, preview

_screen = Console(stderr=True)
_NAMES = {
    "conversations": "Conversations",
    "turns": "Turns",
    "ratings": "Ratings",
    "corrections": "Corrections",
    "calls": "Calls for a person",
    "messages": "Messages said to and by a person",
    "visits": "Visited pages",
    "files": "Pictures and files",
    "bytes": "Their bytes",
    "customers": "Customers known by a site",
    "waiting": "Waiting beside the log to be written",
}
_OUT_OF_REACH = (
    "Out of reach, because they are copies: exports and training sets (kefu export, kefu curate) and what was trained on "
    "them, questions that intents were learned from or that were put into the knowledge base, backups, and what webhooks and "
    "messengers were told. Recall those yourself; what the search learned from customers' questions it learns anew, without these, "
    "with the next `kefu cycle`. What somebody wrote in a widget before they signed in, and left for a new chat, is not known to "
    "be theirs: retention.turns_days deletes it in time, or --conversation now."
)


def forget(
    before: Annotated[
        str | None, typer.Option(help="What customers said before it: '90d', 'yesterday', or a date")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="A site's own id of its user: all of theirs")] = None,
    conversation: Annotated[str | None, typer.Option(help="A conversation's id: all of it")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Delete what customers said from the log, with their files, for ever. Works while a server runs."""
    settings = load_settings()
    configure_logs(settings.log_level)
    what, why = _chosen(before, customer, conversation, settings)
    if not settings.log_path.exists():
        _screen.print("There is no log yet, so there is nothing to forget.")
        return
    log = SharedLog(settings.log_path)
    try:
        counts = preview(log, what)
        _say_unread(settings)
        if counts.nothing:
            _screen.print("The log holds nothing of that.")
            return
        _screen.print(_table(counts))
        _screen.print(_OUT_OF_REACH)
        if not yes and not typer.confirm("Delete this for ever?", err=True):
            raise typer.Exit(1)
        erased = erase(log, settings.uploads_path, what, at=datetime.now(UTC), why=why)
    finally:
        log.close()
    _say_done(erased)


def _chosen(
    before: str | None, customer: str | None, conversation: str | None, settings: Settings
) -> tuple[What, str]:
    """What is to go, and how the audit log calls it: without saying who it was."""
    if sum(each is not None for each in (before, customer, conversation)) != 1:
        raise typer.BadParameter("Give one of --before, --customer and --conversation.")
    if before is not None:
        moment = moment_of_option(before, "--before", settings)
        if moment > datetime.now(UTC):
            raise typer.BadParameter(
                f"{before!r} is not over yet. Give a time in the past.", param_hint="--before"
            )
        return Older(moment, moment, moment), f"before {moment:%Y-%m-%d %H:%M %z}"
    if customer is not None:
        return OfCustomer(customer), "one customer"
    return OfConversation(ConversationId(conversation or "")), "one conversation"


def _table(counts: Counts) -> Table:
    table = Table(show_header=False)
    for name, number in asdict(counts).items():
        if number:
            table.add_row(_NAMES[name], f"{number:,}")
    return table


def _say_unread(settings: Settings) -> None:
    """Name files beside the log in which what customers said may lie, and which cannot be read line by line."""
    files = out_of_reach(Spill(settings.log_path).files())
    if files:
        listed = "\n".join(f"  {file}" for file in files)
        _screen.print(
            f"These files beside the log cannot be read. Look into them and delete what is to be forgotten:\n{listed}",
            style="yellow",
            markup=False,
        )


def _say_done(erased: Erased) -> None:
    _screen.print("Deleted. The audit log says how much, not what.")
    if erased.in_wal:
        _screen.print(
            "The write-ahead log is in use; SQLite empties it by and by, or run this again.", style="yellow"
        )
    if erased.files_left:
        _screen.print(
            f"{erased.files_left} file(s) could not be deleted; see the log. Run this again.", style="red"
        )
        raise typer.Exit(1)
