"""Publishes a folder of files as a whole or not at all: index generations, unpacked models, training sets.

A root looks like this; readers follow `CURRENT` and see either the old generation or the new one, never half:

    root/
      CURRENT                       name of the generation that is in use
      20261103-091500-3f2a9c/       a generation: files and their manifest.json
      .building-20261104-…/         what a running builder writes, or what a killed one left
      .lock                         held by the builder

The generation before the current one is kept, because a reader may still hold it open; all are, if asked.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from filelock import FileLock, Timeout

from retrieval.errors import FilesDamaged, PublishError

MANIFEST = "manifest.json"
POINTER = "CURRENT"
LOCK = ".lock"
BUILDING = ".building-"
_GENERATION = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")

log = structlog.get_logger(__name__)


def publish(
    root: Path,
    fill: Callable[[Path], Mapping[str, Any]],
    *,
    wait_seconds: float = 60.0,
    keep_all: bool = False,
) -> Path:
    """Build a new generation under `root` and make it the current one.

    Args:
        root: folder of the generations; made if missing.
        fill: writes the files into the folder it is given and returns what the manifest should say about them
            (JSON values; `files`, `generation` and `created` are added here). What it raises passes through
            and leaves the current generation as it was.
        wait_seconds: how long to wait for another builder.
        keep_all: never delete an older generation; else all but the one before this go.

    Returns:
        The new generation's folder.

    Raises:
        PublishError: another builder holds the lock, or the disk is full, read-only or forbidden.
    """
    with _writing(root), _lock(root, wait_seconds):
        _remove_leftovers(root)
        before = current(root)
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        building = root / f"{BUILDING}{name}"
        building.mkdir()
        try:
            facts = fill(building)
            _write_manifest(building, name, facts)
            _sync_tree(building)
            building.rename(root / name)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        _sync_folder(root)
        write_atomically(root / POINTER, name.encode())
        if not keep_all:
            _remove_all_but(root, {name, before.name if before else name})
    log.info("generation_published", root=root.name, generation=name)
    return root / name


def current(root: Path) -> Path | None:
    """The generation in use, or None if nothing has been published. Does not look into it: see `verify`."""
    try:
        name = (root / POINTER).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        name = ""
    if not _GENERATION.fullmatch(name) or not (root / name).is_dir():
        log.warning("pointer_without_generation", root=root.name, length=len(name))
        return None
    return root / name


def read_manifest(generation: Path) -> dict[str, Any]:
    """The manifest of a generation, unchecked against its files.

    Raises:
        FilesDamaged: it is missing or no JSON object.
    """
    path = generation / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FilesDamaged(f"{path} cannot be read: {error}. Build it again.") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise FilesDamaged(f"{path} lists no files. Build it again.")
    return manifest


def verify(generation: Path, *, deep: bool = True) -> dict[str, Any]:
    """Check every file of a generation against its manifest and return the manifest.

    Args:
        generation: its folder.
        deep: compare SHA-256 (about a second for 500 MB); False compares sizes only.

    Raises:
        FilesDamaged: a file is missing, cut short or changed; names it.
    """
    manifest = read_manifest(generation)
    for name, expected in manifest["files"].items():
        path = generation / name
        if not path.is_file():
            raise FilesDamaged(f"{path} is missing. Build it again.")
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise FilesDamaged(f"{path} has {size} bytes instead of {expected['bytes']}. Build it again.")
        if deep and (seen := sha256(path)) != expected["sha256"]:
            raise FilesDamaged(
                f"{path} has changed: SHA-256 {seen[:12]}… instead of {expected['sha256'][:12]}…. Build it again."
            )
    return manifest


def sha256(path: Path) -> str:
    """SHA-256 of a file, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content so that a reader, or a machine that loses power, sees the old or the new one."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def read_record(path: Path) -> dict[str, Any]:
    """A small JSON object that `write_record` wrote; empty if it is not there or is damaged: whoever asks begins anew."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file as `write_atomically` does.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n")


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Turns what a disk says into one error that says what to do."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise PublishError(
            f"Cannot write under {root}: {error.strerror or error}. "
            "Free some space or make the folder writable, then try again; what was there before is still in use."
        ) from error


@contextmanager
def _lock(root: Path, wait_seconds: float) -> Iterator[None]:
    """The builder's lock. The system frees it when its holder dies, however it dies."""
    lock = FileLock(root / LOCK)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise PublishError(
            f"Another process has been building in {root} for more than {wait_seconds:g} s. "
            "Wait until it is done, or end it, then try again."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _write_manifest(folder: Path, generation: str, facts: Mapping[str, Any]) -> None:
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = {
        **facts,
        "generation": generation,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": files,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder; its renames are journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_leftovers(root: Path) -> None:
    """Only while the lock is held: every `.building-…` then belongs to a builder that died."""
    for path in root.glob(f"{BUILDING}*"):
        log.info("leftover_removed", root=root.name, name=path.name)
        shutil.rmtree(path, ignore_errors=True)
    for path in root.glob(f"{POINTER}.*.tmp"):
        path.unlink(missing_ok=True)


def _remove_all_but(root: Path, keep: set[str]) -> None:
    for path in root.iterdir():
        if path.is_dir() and _GENERATION.fullmatch(path.name) and path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
