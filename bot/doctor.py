"""Looks over everything that Kefu needs and says what to do: disk, models, content, index, log, port."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from bot.answering.adapters import read_adapter
from bot.answering.bundled_model import NAME as BUNDLED_MODEL
from bot.content import load_content
from bot.errors import BotError
from bot.memory.store import Store
from bot.models import adapter_folder, runs_here
from bot.settings import Settings
from retrieval.bundled_encoder import NAME as BUNDLED_ENCODER
from retrieval.errors import RetrievalError
from retrieval.publish import current, verify
from retrieval.readers import read_articles

_DISK_NEEDED = 3 * 1024**3  # bytes: both models unpacked, an index twice, and room for the log


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` is empty when it is fine."""

    what: str
    fine: bool
    seen: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; one part's failure does not hide another's."""
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("disk", _disk),
        ("folder for run-time files", _folder),
        ("wording and intents", _content),
        ("articles", _articles),
        ("encoder", _models("encoder", BUNDLED_ENCODER)),
        ("language model", _models("language model", BUNDLED_MODEL)),
        ("adapter", _adapter),
        ("index", _index),
        ("log", _log),
        ("port", _port),
    )
    return [_guarded(name, check, settings) for name, check in checks]


def _guarded(name: str, check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except (BotError, RetrievalError, OSError, sqlite3.Error) as error:
        return Finding(name, fine=False, seen=type(error).__name__, remedy=str(error))


def _disk(settings: Settings) -> Finding:
    place = next(folder for folder in (settings.var, *settings.var.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    seen = f"{free / 1024**3:.1f} GB free"
    if free < _DISK_NEEDED and current(settings.index_path) is None:
        return Finding(
            "disk",
            fine=False,
            seen=seen,
            remedy=f"Free {_DISK_NEEDED / 1024**3:.0f} GB, or set `var` elsewhere.",
        )
    return Finding("disk", fine=True, seen=seen)


def _folder(settings: Settings) -> Finding:
    what = "folder for run-time files"
    settings.var.mkdir(parents=True, exist_ok=True)
    if not os.access(settings.var, os.W_OK):
        return Finding(
            what,
            fine=False,
            seen=f"{settings.var} is read-only",
            remedy="Make it writable, or set `var` elsewhere.",
        )
    return Finding(what, fine=True, seen=str(settings.var))


def _content(settings: Settings) -> Finding:
    content = load_content(settings.knowledge_base)
    return Finding("wording and intents", fine=True, seen=f"{len(content.intents)} intents")


def _articles(settings: Settings) -> Finding:
    articles, problems = read_articles(settings.knowledge_base)
    if problems:
        return Finding(
            "articles", fine=False, seen=f"{len(problems)} problems", remedy="\n".join(map(str, problems))
        )
    return Finding("articles", fine=True, seen=f"{len(articles)} articles")


def _models(what: str, name: str) -> Callable[[Settings], Finding]:
    """A check of one bundled model; one that is set by name or path is loaded, and checked, by `kefu serve`."""

    def check(settings: Settings) -> Finding:
        chosen = settings.encoder.model if what == "encoder" else settings.model.model
        if chosen != "bundled":
            return Finding(what, fine=True, seen=chosen)
        folder = current(settings.models_path / name)
        if folder is None:
            return Finding(
                what, fine=True, seen=f"{name}, not unpacked yet", remedy="`kefu serve` unpacks it."
            )
        manifest = verify(folder)
        return Finding(what, fine=True, seen=f"{name}, {len(manifest['files'])} files as in the manifest")

    return check


def _adapter(settings: Settings) -> Finding:
    """What the model's drafts rest on. A refused adapter stops nothing: answers are composed until it is mended."""
    if not runs_here(settings):
        return Finding("adapter", fine=True, seen="none: the language model does not run here")
    try:
        folder = adapter_folder(settings)
        if folder is None:
            return Finding("adapter", fine=True, seen="none: answers are composed unless the model was tuned")
        manifest = read_adapter(folder)
    except BotError as error:
        return Finding("adapter", fine=False, seen="refused; answers are composed", remedy=str(error))
    return Finding("adapter", fine=True, seen=f"{manifest.id}, {manifest.method}, {manifest.created_at[:10]}")


def _index(settings: Settings) -> Finding:
    folder = current(settings.index_path)
    if folder is None:
        return Finding("index", fine=True, seen="none yet", remedy="`kefu serve` or `kefu index` builds it.")
    manifest = verify(folder)
    counts = manifest["counts"]
    return Finding(
        "index",
        fine=True,
        seen=f"{manifest['generation']}: {counts['articles']} articles, {counts['passages']} passages",
    )


def _log(settings: Settings) -> Finding:
    with Store(settings.log_path) as store:
        report = store.check()
    seen = f"{report.counts.get('turns', 0)} turns, {report.bytes / 1024**2:.1f} MB, {report.journal_mode}, schema {report.schema}"
    if report.integrity != "ok":
        return Finding(
            "log",
            fine=False,
            seen=seen,
            remedy=f"Damaged: {report.integrity}. Restore a backup of {report.path}.",
        )
    if not report.writable or report.trouble is not None:
        return Finding(
            "log",
            fine=False,
            seen=seen,
            remedy=f"Cannot be written: {report.trouble}. Free the disk or mend its rights.",
        )
    if report.spilled:
        return Finding(
            "log",
            fine=False,
            seen=seen,
            remedy="Turns wait in spill files; restart Kefu to write them into the log.",
        )
    return Finding("log", fine=True, seen=seen)


def _port(settings: Settings) -> Finding:
    host, port = settings.server.host, settings.server.port
    seen = f"{host}:{port}"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding(
                "port",
                fine=False,
                seen=f"{seen}: {error.strerror}",
                remedy="Kefu may be running already; else set server.port.",
            )
    return Finding("port", fine=True, seen=f"{seen} is free")
