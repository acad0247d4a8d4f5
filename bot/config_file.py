"""Reads and writes kefu.toml for the console: comments and order stay, and nothing is put in place that cannot be used.

The environment wins over the file, so what it sets is shown and cannot be changed here.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, SettingsConfigDict
from tomlkit.exceptions import TOMLKitError

from bot.errors import SettingsError
from bot.settings import CONFIG_FILE, Settings
from retrieval.publish import write_atomically

Value = str | int | float | bool | list[str]


class Origin(StrEnum):
    """Where a setting's value comes from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a setting's value.

    Args:
        message: in English.
        kind: of problem, by pydantic's name for it or one of our own; so that it can be said in other languages.
        values: what the message names: `seen`, and pydantic's bounds (`ge`, `lt` …).
    """

    message: str
    kind: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


class SettingRefused(SettingsError):
    """Raised when kefu.toml would hold something impossible; `problems` has what is wrong by the setting's dotted name."""

    def __init__(self, problems: Mapping[str, Problem]) -> None:
        self.problems = dict(problems)
        listed = "\n".join(f"  {name}: {problem.message}" for name, problem in self.problems.items())
        super().__init__(f"These settings cannot be used:\n{listed}")


class ConfigFile:
    """One kefu.toml. Names are dotted: `server.name`."""

    def __init__(self, path: Path = CONFIG_FILE) -> None:
        """`path` need not exist."""
        self.path = path

    @property
    def version(self) -> str:
        """Changes with the file's content."""
        return hashlib.sha256(self._text().encode()).hexdigest()[:16]

    def settings(self) -> Settings:
        """What a Kefu that starts now would use.

        Raises:
            SettingsError: the file or the environment holds something impossible.
        """
        return _read(self.path)

    def origin(self, name: str) -> Origin:
        """Where the value of a setting comes from.

        Raises:
            SettingsError: the file cannot be read.
        """
        if _has(EnvSettingsSource(Settings)(), name):
            return Origin.ENVIRONMENT
        return Origin.FILE if _has(self._document().unwrap(), name) else Origin.DEFAULT

    def write(self, changes: Mapping[str, Value | None], *, version: str) -> Settings:
        """Put changes into the file, all or none; the settings that a Kefu that starts now would use.

        Args:
            changes: by dotted name; None takes a name out of the file, so that its default counts again.
            version: of the file that was opened.

        Raises:
            SettingRefused: a value is impossible, or the environment sets it; the file stays as it is.
            SettingsError: somebody else has changed the file meanwhile, or it cannot be read or written.
        """
        if version != self.version:
            raise SettingsError(f"{self.path} has been changed by somebody else. Look at it, then try again.")
        fixed = [name for name in changes if self.origin(name) is Origin.ENVIRONMENT]
        if fixed:
            raise SettingRefused(
                dict.fromkeys(
                    fixed, Problem("The environment sets this; it cannot be changed here.", "environment")
                )
            )
        document = self._document()
        for name, value in changes.items():
            _set(document, name, value)
        text = tomlkit.dumps(document)
        settings = _tried(text)
        self._check_written(text, changes)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, text.encode())
        except OSError as error:
            raise SettingsError(
                f"{self.path} cannot be written: {error.strerror or error}. Make it writable; what was there stays."
            ) from error
        return settings

    def _check_written(self, text: str, changes: Mapping[str, Value | None]) -> None:
        read_back = tomlkit.parse(text).unwrap()
        lost = [name for name, value in changes.items() if _at(read_back, name) != value]
        if lost:
            raise SettingsError(
                f"{self.path} is written in a way that {', '.join(lost)} cannot be set here. Edit the file by hand."
            )

    def _text(self) -> str:
        try:
            return self.path.read_text("utf-8") if self.path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{self.path} cannot be read: {error}. Mend it by hand.") from error

    def _document(self) -> tomlkit.TOMLDocument:
        try:
            return tomlkit.parse(self._text())
        except TOMLKitError as error:
            raise SettingsError(f"{self.path} is no TOML: {error}. Mend it by hand.") from error


def _tried(text: str) -> Settings:
    """The settings that a file with this text would give."""
    with tempfile.TemporaryDirectory(prefix="kefu-settings-") as folder:
        path = Path(folder) / CONFIG_FILE.name
        path.write_text(text, "utf-8")
        return _read(path)


def _read(path: Path) -> Settings:
    class FromThere(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        read = FromThere()
    except ValidationError as error:
        raise SettingRefused(
            {
                ".".join(str(part) for part in problem["loc"]): Problem(
                    f"{problem['msg']} ({problem['input']!r})",
                    problem["type"],
                    {**problem.get("ctx", {}), "seen": problem["input"]},
                )
                for problem in error.errors()
            }
        ) from error
    except ValueError as error:
        raise SettingsError(f"{path} cannot be read: {error}. Mend it by hand.") from error
    return Settings.model_construct(_fields_set=read.model_fields_set, **dict(read))


def _set(document: tomlkit.TOMLDocument, name: str, value: Value | None) -> None:
    *sections, key = name.split(".")
    table: Any = document
    for section in sections:
        if section not in table:
            if value is None:
                return
            table[section] = tomlkit.table()
        table = table[section]
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _has(values: Mapping[str, Any], name: str) -> bool:
    return _at(values, name) is not None


def _at(values: Any, name: str) -> Any:
    for key in name.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values
