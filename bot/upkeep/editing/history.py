"""What was saved, by whom, when and why, with both texts: enough to show it and to take it back.

var/history/
  20261127-190500-031415-9c2f/  one save; names sort by time
    entry.json                  who, when, why, which files
    before/articles/zh/a.md     what stood there; no file where there was none
    after/articles/zh/a.md      what was put there; no file where it was taken away
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.errors import ContentError
from retrieval.publish import write_atomically

FOLDER = "history"  # below `var`
_ENTRY, _BEFORE, _AFTER = "entry.json", "before", "after"
_NAME = re.compile(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{4}")


@dataclass(frozen=True)
class Author:
    """Who saves. `id` is that of the account, `name` what colleagues call them."""

    id: str
    name: str


@dataclass(frozen=True)
class Saved:
    """One save."""

    id: str
    at: datetime  # UTC
    author: Author
    why: str
    files: tuple[str, ...]  # within the knowledge base
    undoes: str | None = None  # id of the save that this one took back


@dataclass(frozen=True)
class Sides:
    """A file before and after a save; None where there was none."""

    before: bytes | None
    after: bytes | None


class History:
    """The saves of one knowledge base."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made by the first save."""
        self._folder = folder

    def keep(
        self, files: Mapping[str, Sides], author: Author, why: str, *, undoes: str | None = None
    ) -> Saved:
        """Keep both sides of what is about to be saved.

        Raises:
            ContentError: the disk is full or read-only; nothing is kept.
        """
        at = datetime.now(UTC)
        saved = Saved(f"{at:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}", at, author, why, tuple(files), undoes)
        folder = self._folder / saved.id
        try:
            for name, sides in files.items():
                _put(folder / _BEFORE / name, sides.before)
                _put(folder / _AFTER / name, sides.after)
            write_atomically(folder / _ENTRY, json.dumps(_as_json(saved), ensure_ascii=False).encode())
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ContentError(
                f"The history in {self._folder} cannot be written: {error.strerror or error}. Nothing was saved; make "
                "room or make it writable."
            ) from error
        return saved

    def forget(self, saved: Saved) -> None:
        """Drop a save that did not come to be."""
        shutil.rmtree(self._folder / saved.id, ignore_errors=True)

    def find(self, name: str) -> Saved:
        """One save.

        Raises:
            ContentError: there is none with this id.
        """
        if not _NAME.fullmatch(name) or (found := self._read(self._folder / name)) is None:
            raise ContentError(f"The history has no entry {name!r}.")
        return found

    def latest(self, *, most: int, of: Sequence[str] = ()) -> list[Saved]:
        """The last saves, the latest first; only those of the files in `of`, if any are named."""
        wanted = set(of)
        found: list[Saved] = []
        folders = sorted(self._folder.glob("*-*-*"), reverse=True) if self._folder.is_dir() else []
        for folder in folders:
            saved = self._read(folder)
            if saved is not None and (not wanted or wanted.intersection(saved.files)):
                found.append(saved)
            if len(found) == most:
                break
        return found

    def sides(self, saved: Saved) -> dict[str, Sides]:
        """The files of a save, before and after."""
        folder = self._folder / saved.id
        return {
            name: Sides(_get(folder / _BEFORE / name), _get(folder / _AFTER / name)) for name in saved.files
        }

    def _read(self, folder: Path) -> Saved | None:
        try:
            content = json.loads((folder / _ENTRY).read_text("utf-8"))
            return Saved(
                id=folder.name,
                at=datetime.fromisoformat(content["at"]),
                author=Author(content["staff"], content["name"]),
                why=content["why"],
                files=tuple(content["files"]),
                undoes=content.get("undoes"),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None  # half a save of a process that died: it was never in place


def _as_json(saved: Saved) -> dict[str, Any]:
    return {
        "at": saved.at.isoformat(),
        "staff": saved.author.id,
        "name": saved.author.name,
        "why": saved.why,
        "files": list(saved.files),
        "undoes": saved.undoes,
    }


def _put(path: Path, data: bytes | None) -> None:
    if data is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _get(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
