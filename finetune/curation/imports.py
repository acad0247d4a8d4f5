"""The store of imported conversations: a file of lines, a manifest and a list of problems for each imported file.

    var/imports/
      chats-3f2a9c41d0b7.jsonl            one conversation a line, masked
      chats-3f2a9c41d0b7.problems.jsonl   what could not be read, with place and reason
      chats-3f2a9c41d0b7.manifest.json    what was read from where; written last: without it, there is no import

The digits are the start of the original's SHA-256, so the same file is known again under any name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import structlog

from bot.safety.redact import redact
from finetune.errors import ImportFailed, RecordError
from finetune.importers.reading import Problem, Reading
from finetune.importers.registry import IMPORTERS, ImportFormat, detect
from finetune.importers.talks import Storing, conversation_of
from finetune.lines import json_lines, read_lines
from finetune.masking import Masking
from finetune.pseudonyms import Pseudonyms
from finetune.records import Conversation, from_json, to_json
from retrieval.publish import write_atomically

_SCHEMA = 1
_MANIFEST = ".manifest.json"
_HASH_DIGITS = 12
_LONGEST_NAME = 60

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ImportReport:
    """What was read from one file. `already` says that it had been imported before and nothing was written."""

    file: str
    path: Path  # of the conversations
    format: str
    source: str
    conversations: int
    exchanges: int
    problems: tuple[Problem, ...]
    problems_path: Path
    skipped: Mapping[str, int]  # left out on purpose, by kind
    masked: Mapping[str, int]  # personal data, by kind
    already: bool = False


@dataclass(frozen=True)
class Imported:
    """One import as it lies in the store."""

    name: str
    sha256: str  # of its conversations
    conversations: tuple[Conversation, ...]


def import_file(
    path: Path,
    store: Path,
    *,
    pseudonyms: Pseudonyms,
    form: ImportFormat | None = None,
    source: str | None = None,
    allow: Collection[str] = (),
    zone: tzinfo = UTC,
) -> ImportReport:
    """Read a file of conversations and add them to the store, masked, whole or not at all.

    Args:
        path: the file.
        store: the store's folder; made if missing.
        pseudonyms: names its conversations and customers.
        form: the file's format; detected if None.
        source: what the conversations' source is called; the format's name if None.
        allow: numbers and mailboxes that are not masked, such as the shop's own.
        zone: of times that name none.

    Raises:
        ImportFailed: it cannot be read, holds no conversation, or the store cannot be written.
    """
    reading = Reading(path, zone)
    before = _imported_before(reading, store)
    if before is not None:
        return _known(reading, before, store)
    kind = detect(reading) if form is None else form
    storing = Storing(source if source else kind, pseudonyms, Masking(allow))
    conversations = tuple(_conversations(reading, kind, storing))
    if not conversations:
        raise _nothing(reading, kind)
    return _write(reading, store, kind, storing, conversations)


def imports(store: Path) -> Iterator[Imported]:
    """All imports of the store, by name.

    Raises:
        ImportFailed: one is damaged or was written by a newer Kefu; names it.
    """
    for manifest_path in sorted(store.glob(f"*{_MANIFEST}")):
        manifest = _read_manifest(manifest_path)
        path = store / manifest["conversations_file"]
        try:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != manifest["conversations_sha256"]:
                raise ImportFailed(
                    f"{path} has changed since it was imported. Delete it and import the file again."
                )
            conversations = tuple(from_json(row) for _, row in read_lines(data.decode(), path.name))
        except (OSError, UnicodeDecodeError, RecordError) as error:
            raise ImportFailed(
                f"{path} cannot be read: {error}. Delete {manifest_path.name} and import the file again."
            ) from error
        yield Imported(manifest["name"], manifest["conversations_sha256"], conversations)


def _conversations(reading: Reading, kind: ImportFormat, storing: Storing) -> Iterator[Conversation]:
    """The conversations of the file; two talks that share an id are kept apart."""
    seen: Counter[str] = Counter()
    for talk in IMPORTERS[kind](reading):
        seen[talk.key] += 1
        if seen[talk.key] > 1:
            talk = replace(talk, key=f"{talk.key} again {seen[talk.key]}")  # noqa: PLW2901
        conversation = conversation_of(talk, storing, reading)
        if conversation is not None:
            yield conversation


def _write(
    reading: Reading,
    store: Path,
    kind: ImportFormat,
    storing: Storing,
    conversations: Sequence[Conversation],
) -> ImportReport:
    stem = f"{_slug(reading.path.stem)}-{reading.digest[:_HASH_DIGITS]}"
    lines = json_lines(map(to_json, conversations))
    report = ImportReport(
        file=reading.path.name,
        path=store / f"{stem}.jsonl",
        format=kind,
        source=storing.source,
        conversations=len(conversations),
        exchanges=sum(len(conversation.exchanges) for conversation in conversations),
        problems=tuple(reading.problems),
        problems_path=store / f"{stem}.problems.jsonl",
        skipped=dict(reading.skipped),
        masked=dict(storing.mask.found),
    )
    manifest = _manifest(report, reading, conversations, hashlib.sha256(lines).hexdigest())
    try:
        store.mkdir(parents=True, exist_ok=True)
        write_atomically(report.path, lines)
        write_atomically(report.problems_path, json_lines(map(_problem_row, report.problems)))
        write_atomically(
            store / f"{stem}{_MANIFEST}", json.dumps(manifest, ensure_ascii=False, indent=2).encode()
        )
    except OSError as error:
        raise ImportFailed(
            f"{reading.path} was read, but {store} cannot be written: {error}. Free some space and try again."
        ) from error
    _log.info("imported", format=kind, conversations=report.conversations, problems=len(report.problems))
    return report


def _manifest(
    report: ImportReport, reading: Reading, conversations: Sequence[Conversation], sha256: str
) -> dict[str, Any]:
    return {
        "kind": "kefu-import",
        "schema": _SCHEMA,
        "name": report.path.stem,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "file": redact(report.file).text,
        "file_sha256": reading.digest,
        "file_bytes": len(reading.data),
        "format": report.format,
        "source": report.source,
        "conversations_file": report.path.name,
        "conversations_sha256": sha256,
        "conversations": report.conversations,
        "exchanges": report.exchanges,
        "by_language": dict(Counter(conversation.language.value for conversation in conversations)),
        "problems": len(report.problems),
        "skipped": dict(report.skipped),
        "masked": dict(report.masked),
    }


def _imported_before(reading: Reading, store: Path) -> dict[str, Any] | None:
    for path in sorted(store.glob(f"*-{reading.digest[:_HASH_DIGITS]}{_MANIFEST}")):
        manifest = _read_manifest(path)
        if manifest["file_sha256"] == reading.digest:
            return manifest
    return None


def _known(reading: Reading, manifest: Mapping[str, Any], store: Path) -> ImportReport:
    name = manifest["name"]
    problems_path = store / f"{name}.problems.jsonl"
    return ImportReport(
        file=reading.path.name,
        path=store / manifest["conversations_file"],
        format=manifest["format"],
        source=manifest["source"],
        conversations=manifest["conversations"],
        exchanges=manifest["exchanges"],
        problems=(),
        problems_path=problems_path,
        skipped=manifest["skipped"],
        masked=manifest["masked"],
        already=True,
    )


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        schema, kind = manifest["schema"], manifest["kind"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ImportFailed(
            f"{path} cannot be read ({error!r}). Delete it and import the file again."
        ) from error
    if kind != "kefu-import" or schema > _SCHEMA:
        raise ImportFailed(
            f"{path} is {kind!r} in version {schema}; this Kefu reads 'kefu-import' up to {_SCHEMA}. Update Kefu, or "
            "delete it and import the file again."
        )
    return dict(manifest)


def _problem_row(problem: Problem) -> dict[str, str]:
    return {"place": redact(problem.place).text, "reason": redact(problem.reason).text}


def _nothing(reading: Reading, kind: str) -> ImportFailed:
    shown = "".join(f"\n  {problem.place}: {problem.reason}" for problem in reading.problems[:5])
    return ImportFailed(
        f"{reading.path}, read as {kind}, holds no conversation; {len(reading.problems)} places could not be read."
        f"{shown}\nGive another --format, or mend the file."
    )


def _slug(stem: str) -> str:
    plain = re.sub(r"[^\w.-]+", "-", redact(stem).text).strip("-.")[:_LONGEST_NAME]
    return plain if plain else "import"
