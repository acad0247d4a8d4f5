"""Which adapter serves: the adapters on this machine, and the history of who let which one answer customers.

    var/adapters/
      <id>/             an adapter, as `bot.answering.adapters` describes it
      serving.json      every promotion; of those that were not rolled back, the last one serves
      .serving.lock     held while serving.json is written

Before the first promotion, and after the last one was rolled back, the adapter that comes with Kefu serves if it fits
the model that is set, and else none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog
from filelock import FileLock, Timeout

from bot.answering.adapters import DEFAULT_ADAPTER, MANIFEST, AdapterManifest, check_fits, read_adapter
from bot.errors import AdapterRefused, RegistryError
from retrieval.publish import write_record

NONE = "none"  # no adapter
DEFAULT = "default"  # the one that comes with Kefu
SERVING = "serving.json"
_LOCK = ".serving.lock"
_VERSION = 1  # of serving.json
_WAIT_SECONDS = 10.0
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")  # no dots: `<id>.work` and `<id>.tmp` are a training's

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class BaseModel:
    """The model that adapters are to be loaded onto: its label, and its weights' SHA-256 where that is known."""

    label: str
    sha256: str | None = None


@dataclass(frozen=True)
class Promotion:
    """One decision. `adapter` is an id, "default" or "none"; `report` is where its evaluation lies."""

    adapter: str
    by: str
    at: str  # ISO 8601, UTC
    forced: bool = False  # whether a person overruled the gate; `reason` then is theirs
    reason: str = ""
    report: str | None = None
    undone_by: str | None = None  # who rolled it back
    undone_at: str | None = None


@dataclass(frozen=True)
class Listed:
    """An adapter that is on this machine. `refused` says why it cannot serve; empty if it can."""

    id: str
    folder: Path
    manifest: AdapterManifest | None  # None: it cannot be read
    refused: str
    serves: bool


class AdapterRegistry:
    """Says and decides which adapter serves. Every process on this machine that opens `root` sees the same."""

    def __init__(self, root: Path, base: BaseModel, *, default: Path = DEFAULT_ADAPTER) -> None:
        """Open the registry; nothing is read or made yet.

        Args:
            root: folder of the adapters.
            base: the model that is set.
            default: folder of the adapter that comes with Kefu; need not exist.
        """
        self._root = root
        self.base = base
        self._default = default

    @property
    def path(self) -> Path:
        """The file that changes when another adapter is to serve."""
        return self._root / SERVING

    def current(self) -> str:
        """Id of the adapter that serves, "default" or "none". Whether it can be loaded shows when it is: see `find`.

        Raises:
            RegistryError: serving.json cannot be read.
        """
        return self._current(self.history())

    def history(self) -> tuple[Promotion, ...]:
        """Every promotion, oldest first.

        Raises:
            RegistryError: serving.json cannot be read.
        """
        try:
            content = json.loads(self.path.read_text("utf-8"))
            if content["kind"] != "serving" or content["version"] > _VERSION:
                raise RegistryError(
                    f"{self.path} is a {content['kind']!r} of version {content['version']}; this Kefu reads version "
                    f"{_VERSION}. Update Kefu."
                )
            history = tuple(Promotion(**row) for row in content["history"])
            written = content["serving"]
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RegistryError(
                f"{self.path} cannot be read: {error!r}. Mend or delete it, then promote an adapter again."
            ) from error
        last = _in_force(history)
        if last is not None and written != history[last].adapter:
            raise RegistryError(
                f"{self.path} says that {written!r} serves, but its history ends with {history[last].adapter!r}. "
                "It was edited by hand; write both alike, or delete it, and use `kefu promote` from then on."
            )
        return history

    def find(self, adapter: str) -> Path | None:
        """The folder of an adapter that fits the model; None for "none".

        Raises:
            AdapterRefused: there is no such adapter, it is damaged, or it does not fit.
        """
        if adapter == NONE:
            return None
        folder = self._folder(adapter)
        manifest = read_adapter(folder)
        if adapter not in (DEFAULT, manifest.id):
            raise AdapterRefused(
                f"The adapter in {folder} calls itself {manifest.id!r}. Turns are stored under that name, so call "
                "its folder the same."
            )
        check_fits(manifest, self.base.label, self.base.sha256)
        return folder

    def promote(
        self, adapter: str, *, by: str, reason: str = "", forced: bool = False, report: str | None = None
    ) -> Promotion:
        """Let an adapter serve from now on. Running servers take it up by themselves.

        Args:
            adapter: its id, "default" or "none".
            by: who decided, a person or a job.
            reason: why.
            forced: whether a person overruled what the evaluation says.
            report: where the evaluation lies.

        Raises:
            AdapterRefused: there is no such adapter, it is damaged, or it does not fit.
            RegistryError: serving.json cannot be read or written.
        """
        self.find(adapter)
        promotion = Promotion(adapter, by, _now(), forced, reason, report)
        with self._writing():
            self._write((*self.history(), promotion))
        log.info("adapter_promoted", adapter=adapter, by=by, forced=forced)
        return promotion

    def rollback(self, *, by: str) -> str:
        """Let the adapter serve again that served before the last promotion; once more, the one before that.

        One that was deleted or does not fit any more is passed over. Takes milliseconds.

        Args:
            by: who decided.

        Returns:
            What serves now: an id, "default" or "none".

        Raises:
            RegistryError: no promotion is left to be undone, or serving.json cannot be read or written.
        """
        with self._writing():
            history = self.history()
            last = _in_force(history)
            if last is None:
                raise RegistryError(
                    f"There is nothing to roll back: {self._current(history)!r} serves, as before every promotion. "
                    "`kefu promote none` serves without an adapter."
                )
            while last is not None:
                history = _undone(history, last, by)
                last = _in_force(history)
                if last is None or self._can_serve(history[last].adapter):
                    break
            self._write(history)
            now = self._current(history)
        log.info("adapter_rolled_back", adapter=now, by=by)
        return now

    def listed(self) -> list[Listed]:
        """Every adapter on this machine, the one that comes with Kefu first, then the newest first.

        Raises:
            RegistryError: serving.json cannot be read.
        """
        serving = self.current()
        own = [
            self._listed(path.name, path, serving)
            for path in (self._root.iterdir() if self._root.is_dir() else ())
            if path.is_dir() and _ID.fullmatch(path.name)
        ]
        own.sort(key=lambda each: "" if each.manifest is None else each.manifest.created_at, reverse=True)
        bundled = [self._listed(DEFAULT, self._default, serving)] if self._has_default() else []
        return [*bundled, *own]

    def _listed(self, name: str, folder: Path, serving: str) -> Listed:
        manifest, refused = None, ""
        try:
            manifest = read_adapter(folder)
            self.find(name)
        except AdapterRefused as error:
            refused = str(error)
        return Listed(name, folder, manifest, refused, serves=name == serving)

    def _current(self, history: tuple[Promotion, ...]) -> str:
        last = _in_force(history)
        if last is not None:
            return history[last].adapter
        return DEFAULT if self._has_default() and self._can_serve(DEFAULT) else NONE

    def _has_default(self) -> bool:
        return (self._default / MANIFEST).exists()

    def _can_serve(self, adapter: str) -> bool:
        try:
            self.find(adapter)
        except AdapterRefused as error:
            log.warning("adapter_passed_over", adapter=adapter, reason=str(error))
            return False
        return True

    def _folder(self, adapter: str) -> Path:
        if adapter == DEFAULT:
            return self._default
        folder = self._root / adapter
        if not _ID.fullmatch(adapter) or not folder.is_dir():
            known = ", ".join(each.name for each in sorted(self._root.glob("*")) if _ID.fullmatch(each.name))
            raise AdapterRefused(
                f"There is no adapter {adapter!r} in {self._root}. There are: {known or 'none'}. "
                "`kefu adapters` lists them, `kefu train` makes one."
            )
        return folder

    def _write(self, history: tuple[Promotion, ...]) -> None:
        content = {
            "kind": "serving",
            "version": _VERSION,
            "serving": self._current(history),  # for people; the history decides
            "history": [asdict(promotion) for promotion in history],
        }
        write_record(self.path, content)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the lock; turn what a disk says into one error that says what to do."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with FileLock(self._root / _LOCK, timeout=_WAIT_SECONDS):
                yield
        except Timeout as error:
            raise RegistryError(
                f"Another process has been writing {self.path} for {_WAIT_SECONDS:g} s. Try again when it is done."
            ) from error
        except OSError as error:
            raise RegistryError(
                f"{self.path} cannot be written: {error.strerror or error}. Free some space or make its folder "
                "writable; what served before still does."
            ) from error


def _in_force(history: tuple[Promotion, ...]) -> int | None:
    """Position of the last promotion that was not rolled back."""
    return next((i for i in reversed(range(len(history))) if history[i].undone_at is None), None)


def _undone(history: tuple[Promotion, ...], position: int, by: str) -> tuple[Promotion, ...]:
    undone = replace(history[position], undone_by=by, undone_at=_now())
    return (*history[:position], undone, *history[position + 1 :])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
