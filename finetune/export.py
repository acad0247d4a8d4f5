"""Writes the log as training data: masked, with a manifest beside it that says what it is."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, get_args

import structlog

from bot.memory.migrations import ALL_STEPS
from bot.memory.store import Store
from finetune.errors import ExportError, NothingToExport
from finetune.formats import Format, lines_of, opening
from finetune.records import Dialogue, Masking, dialogues

_log = structlog.get_logger(__name__)

_EXPORT_VERSION = 1  # of the files' shape; a reader refuses one it does not know


@dataclass(frozen=True)
class ExportReport:
    """What was written. `masked_again` counts personal data that was found only now, by kind."""

    path: Path
    manifest: Path
    conversations: int
    turns: int  # selected ones
    corrected: int
    masked_again: Mapping[str, int]
    sha256: str


def export(
    store: Store,
    target: Path,
    *,
    format: Format = "messages",  # noqa: A002 - the word of the command line
    since: datetime | None = None,
    until: datetime | None = None,
    rating: int | None = None,
    allow: Collection[str] = (),
) -> ExportReport:
    """Write the log's conversations to `target` and `<name>.manifest.json`, both whole or not at all.

    Args:
        store: the log.
        target: the file; its folder is made, an older file is replaced.
        format: messages and sharegpt write a line a conversation, alpaca and csv one a turn.
        since: only turns asked at or after this moment (with time zone).
        until: only turns asked before this moment.
        rating: only turns whose last vote is +1 or -1; the turns before one stay as its context.
        allow: numbers and mailboxes that are not masked, such as the shop's own.

    Raises:
        NothingToExport: no turn fits.
        ExportError: the format or rating is unknown, or the target cannot be written.
        StoreError: the log cannot be read.
    """
    _check(format, rating)
    filters = {"since": since and since.isoformat(), "until": until and until.isoformat(), "rating": rating}
    mask = Masking(allow)
    chosen = list(dialogues(store.logged(since=since, until=until), rating=rating, mask=mask))
    if not chosen:
        raise _nothing(store, filters)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sha256 = _write(target, _text(format, chosen))
        manifest = target.with_name(f"{target.stem}.manifest.json")
        content = {
            **_manifest(chosen, mask),
            "format": format,
            "filters": filters,
            "file": target.name,
            "sha256": sha256,
        }
        _write(manifest, [json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True), "\n"])
    except OSError as error:
        raise ExportError(
            f"The export cannot be written to {target}: {error}. Choose a place with room for it."
        ) from error
    if mask.found:
        _log.warning("export_masked_again", kinds=dict(mask.found), turns=len(mask.turns))
    selected = [exchange for dialogue in chosen for exchange in dialogue.selected]
    corrected = sum(bool(exchange.metadata["corrected"]) for exchange in selected)
    return ExportReport(target, manifest, len(chosen), len(selected), corrected, dict(mask.found), sha256)


def _check(kind: str, rating: int | None) -> None:
    if kind not in get_args(Format):
        raise ExportError(f"There is no export format {kind!r}. Use one of {', '.join(get_args(Format))}.")
    if rating not in (None, 1, -1):
        raise ExportError(f"A rating is +1 or -1, but the filter says {rating!r}.")


def _nothing(store: Store, filters: Mapping[str, object]) -> NothingToExport:
    counts = store.check().counts
    asked = (
        ", ".join(f"{name} {value}" for name, value in filters.items() if value is not None) or "no filter"
    )
    return NothingToExport(
        f"No turn of the log fits ({asked}); it holds {counts['turns']} turns and {counts['ratings']} ratings. "
        "Widen the filters, or chat first."
    )


def _text(kind: Format, chosen: Iterable[Dialogue]) -> Iterator[str]:
    yield opening(kind)
    for dialogue in chosen:
        yield from lines_of(kind, dialogue)


def _manifest(chosen: Sequence[Dialogue], mask: Masking) -> dict[str, Any]:
    exchanges = [exchange for dialogue in chosen for exchange in dialogue.exchanges]
    selected = [exchange for exchange in exchanges if exchange.selected]
    last = max(selected, key=lambda exchange: exchange.asked_at)
    metadata = [exchange.metadata for exchange in selected]
    return {
        "kind": "kefu-export",
        "version": _EXPORT_VERSION,
        "created_at": datetime.now(UTC).isoformat(),
        "log_schema": ALL_STEPS[-1],
        "prompt_versions": _distinct(metadata, "prompt_version"),
        "models": _distinct(metadata, "model"),
        "adapters": _distinct(metadata, "adapter"),
        "counts": {
            "conversations": len(chosen),
            "turns": len(selected),
            "context_turns": len(exchanges) - len(selected),
            "corrected": sum(bool(entry["corrected"]) for entry in metadata),
            "by_language": dict(Counter(entry["language"] for entry in metadata)),
            "by_rating": dict(
                Counter("none" if entry["rating"] is None else str(entry["rating"]) for entry in metadata)
            ),
            "by_route": dict(Counter(entry["route"] for entry in metadata)),
        },
        "last_turn": {"id": last.turn_id, "asked_at": last.asked_at.isoformat()},
        "masked_again": {"kinds": dict(mask.found), "turns": sorted(mask.turns)},
    }


def _distinct(metadata: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    """The values of one field, None left out, in a stable order."""
    return sorted({entry[name] for entry in metadata} - {None}, key=str)


def _write(target: Path, parts: Iterable[str]) -> str:
    """Write beside, then move into place; returns the sha256 of what was written."""
    digest = hashlib.sha256()
    with _beside(target) as file:
        for part in parts:
            data = part.encode()
            digest.update(data)
            file.write(data)
    return digest.hexdigest()


@contextmanager
def _beside(target: Path) -> Iterator[IO[bytes]]:
    beside = target.with_name(f"{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
