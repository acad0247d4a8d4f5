"""Writes the log, or a side of a training set, as training data: masked, with a manifest beside it that says what it is."""

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
from finetune.curation.dataset import Dataset, Side
from finetune.curation.formats import Format, file_parts, opening
from finetune.curation.log_records import logged_conversations
from finetune.errors import ExportError, NothingToExport
from finetune.masking import Masking
from finetune.records import Conversation

_log = structlog.get_logger(__name__)

_EXPORT_VERSION = 1  # of the files' shape; a reader refuses one it does not know
_JUDGED: tuple[Format, ...] = ("dpo", "kto")  # which also learn from what was voted down


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
        format: messages and sharegpt write a line a conversation, the others one a turn; dpo one a pair of answers.
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
    chosen = list(logged_conversations(store.logged(since=since, until=until), rating=rating, mask=mask))
    if not chosen:
        raise _nothing(store, filters)
    origin = {"log_schema": ALL_STEPS[-1], "filters": filters}
    report = _publish(target, format, chosen, mask, origin)
    if mask.found:
        _log.warning("export_masked_again", kinds=dict(mask.found), turns=len(mask.turns))
    return report


def export_dataset(
    dataset: Dataset,
    target: Path,
    *,
    side: Side = "train",
    format: Format = "messages",  # noqa: A002 - the word of the command line
) -> ExportReport:
    """Write one side of a training set to `target` and `<name>.manifest.json`, both whole or not at all.

    Args:
        dataset: the set.
        target: the file; its folder is made, an older file is replaced.
        side: which side; for dpo and kto, train comes with the answers that were voted down.
        format: as in `export`.

    Raises:
        NothingToExport: the side holds nothing for this format.
        ExportError: the format is unknown, or the target cannot be written.
    """
    _check(format, None)
    chosen = list(dataset.side(side))
    if side == "train" and format in _JUDGED:
        chosen += dataset.disliked
    if not chosen:
        raise NothingToExport(f"{dataset.folder} has no conversation for {side}. Choose another side.")
    return _publish(target, format, chosen, Masking(), {"dataset": dataset.id, "side": side})


def _publish(
    target: Path, kind: Format, chosen: Sequence[Conversation], mask: Masking, origin: Mapping[str, Any]
) -> ExportReport:
    parts = list(file_parts(kind, chosen))
    if parts == [opening(kind)]:
        raise NothingToExport(
            f"{len(chosen)} conversations hold nothing for {kind}: it needs answers that people voted on or corrected."
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sha256 = _write(target, parts)
        manifest = target.with_name(f"{target.stem}.manifest.json")
        content = {
            **_manifest(chosen, mask),
            **origin,
            "format": kind,
            "file": target.name,
            "sha256": sha256,
        }
        _write(manifest, [json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True), "\n"])
    except OSError as error:
        raise ExportError(
            f"The export cannot be written to {target}: {error}. Choose a place with room for it."
        ) from error
    selected = [exchange for conversation in chosen for exchange in conversation.selected]
    corrected = sum(exchange.corrected for exchange in selected)
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


def _manifest(chosen: Sequence[Conversation], mask: Masking) -> dict[str, Any]:
    exchanges = [exchange for conversation in chosen for exchange in conversation.exchanges]
    selected = [exchange for exchange in exchanges if exchange.selected]
    dated = [(exchange.at, exchange.id) for exchange in selected if exchange.at is not None]
    last = max(dated, default=None)
    return {
        "kind": "kefu-export",
        "version": _EXPORT_VERSION,
        "created_at": datetime.now(UTC).isoformat(),
        "prompt_versions": _distinct([exchange.metadata for exchange in selected], "prompt_version"),
        "models": _distinct([exchange.metadata for exchange in selected], "model"),
        "adapters": _distinct([exchange.metadata for exchange in selected], "adapter"),
        "counts": {
            "conversations": len(chosen),
            "turns": len(selected),
            "context_turns": len(exchanges) - len(selected),
            "corrected": sum(exchange.corrected for exchange in selected),
            "by_language": dict(Counter(exchange.language.value for exchange in selected)),
            "by_rating": dict(
                Counter("none" if exchange.rating is None else str(exchange.rating) for exchange in selected)
            ),
            "by_route": dict(
                Counter("none" if exchange.route is None else exchange.route for exchange in selected)
            ),
        },
        "last_turn": None if last is None else {"id": last[1], "asked_at": last[0].isoformat()},
        "masked_again": {"kinds": dict(mask.found), "turns": sorted(mask.turns)},
    }


def _distinct(metadata: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    """The values of one field, None left out, in a stable order."""
    return sorted({entry.get(name) for entry in metadata} - {None}, key=str)


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
