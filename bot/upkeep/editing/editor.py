"""Saves edits of the knowledge base: checked as a whole, moved into place, kept in the history, never over a colleague's.

A running server watches the folder and answers from what was saved within seconds.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from bot.errors import ContentError
from bot.upkeep.editing.checking import Files, check_files, check_place
from bot.upkeep.editing.history import Author, History, Saved, Sides
from retrieval.documents import Article
from retrieval.publish import write_atomically

_LOCK = ".lock"
ABSENT = "absent"  # version of a file that is not there


class EditCollides(ContentError):
    """Raised when somebody else has changed a file since it was opened; `files` names them. Nothing has been changed."""

    def __init__(self, files: Iterable[str]) -> None:
        self.files = tuple(files)
        super().__init__(
            f"{', '.join(self.files)} has been changed by somebody else since you opened it. Your text is still in the "
            "form: open the page anew beside it, and put both together."
        )


@dataclass(frozen=True)
class Edit:
    """A file as it shall be, and the version that was edited."""

    name: str  # within the knowledge base
    data: bytes | None  # None: taken away
    version: str  # as `version_of` named what was opened


def version_of(data: bytes | None) -> str:
    """A name for a file's content."""
    return ABSENT if data is None else hashlib.sha256(data).hexdigest()[:16]


class Editor:
    """Edits one knowledge base. Safe to share between threads; other processes are kept out by a lock."""

    def __init__(
        self, knowledge_base: Path, history: Path, articles: Callable[[], Iterable[Article]]
    ) -> None:
        """Nothing is read yet.

        Args:
            knowledge_base: the team's content.
            history: the folder of what was saved.
            articles: those that there are now.
        """
        self.knowledge_base = knowledge_base
        self.history = History(history)
        self._articles = articles
        self._lock = threading.Lock()
        self._file_lock = FileLock(history / _LOCK)

    def read(self, name: str) -> bytes | None:
        """A file as it is now; None if there is none.

        Raises:
            ContentError: the name is no place of content, or the file cannot be read.
        """
        path = self.knowledge_base / check_place(name)
        try:
            return path.read_bytes() if path.is_file() else None
        except OSError as error:
            raise ContentError(f"{path} cannot be read: {error.strerror or error}.") from error

    def check(self, files: Files) -> None:
        """Check the knowledge base as it would be.

        Raises:
            EditRefused: something would be wrong.
        """
        check_files(self.knowledge_base, files, self._articles())

    def save(self, edits: Iterable[Edit], author: Author, why: str) -> Saved | None:
        """Save edits, all or none. None if they change nothing.

        Raises:
            EditCollides: somebody else has changed one of the files meanwhile.
            EditRefused: something would be wrong.
            ContentError: it cannot be written.
        """
        return self._save(tuple(edits), author, why)

    def undo(self, name: str, author: Author, why: str) -> Saved | None:
        """Put back what stood there before a save. None if it stands there already.

        Raises:
            EditCollides: one of its files has been changed since.
            EditRefused: what stood there would be wrong now.
            ContentError: there is no such save, or it cannot be written.
        """
        saved = self.history.find(name)
        edits = tuple(
            Edit(file, sides.before, version_of(sides.after))
            for file, sides in self.history.sides(saved).items()
        )
        return self._save(edits, author, why, undoes=saved.id)

    def _save(
        self, edits: tuple[Edit, ...], author: Author, why: str, *, undoes: str | None = None
    ) -> Saved | None:
        self.history_folder.mkdir(parents=True, exist_ok=True)
        with self._lock, self._file_lock:
            present = {edit.name: self.read(edit.name) for edit in edits}
            collisions = [edit.name for edit in edits if version_of(present[edit.name]) != edit.version]
            if collisions:
                raise EditCollides(collisions)
            files = {edit.name: edit.data for edit in edits if edit.data != present[edit.name]}
            if not files:
                return None
            self.check(files)
            sides = {name: Sides(present[name], data) for name, data in files.items()}
            saved = self.history.keep(sides, author, why, undoes=undoes)
            try:
                self._put(sides)
            except BaseException:
                self.history.forget(saved)
                raise
            return saved

    @property
    def history_folder(self) -> Path:
        """Where what was saved is kept."""
        return Path(self._file_lock.lock_file).parent

    def _put(self, files: Mapping[str, Sides]) -> None:
        """Move all into place; if one cannot be, everything is as it was before."""
        done: list[str] = []
        try:
            for name, sides in files.items():
                _write(self.knowledge_base / name, sides.after)
                done.append(name)
        except OSError as error:
            for name in done:
                _write(self.knowledge_base / name, files[name].before)
            failed = next(name for name in files if name not in done)
            raise ContentError(
                f"{self.knowledge_base / failed} cannot be written: {error.strerror or error}. Nothing was changed; make "
                "room or make it writable."
            ) from error


def _write(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)
