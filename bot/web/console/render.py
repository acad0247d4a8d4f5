"""Renders the console's templates: every value is escaped, every text comes from the locale."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from jinja2 import pass_context
from jinja2.runtime import Context

from bot.conversation import Language
from bot.filled import filled
from bot.memory.staff import Role
from bot.web.console.text import LANGUAGES, console_text

_HERE = Path(__file__).parent
TEMPLATES = _HERE / "templates"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """A file that the pages load. Its address carries its digest, so that browsers may keep it for good."""

    name: str
    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """Short and different for every content."""
        return hashlib.sha256(self.content).hexdigest()[:12]

    @property
    def url(self) -> str:
        """Where the browser finds it."""
        return f"/console/assets/{self.name}?v={self.digest}"


class Templates:
    """The console's templates. `html` renders one."""

    def __init__(self, *, time_zone: str) -> None:
        self.assets = {
            path.name: Asset(path.name, path.read_bytes(), _TYPES[path.suffix])
            for path in sorted((_HERE / "assets").iterdir())
            if path.suffix in _TYPES
        }
        self._zone = ZoneInfo(time_zone)
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "ago": _ago,
            "moment": self._moment,
            "day": self._day,
            "iso": datetime.isoformat,
            "filled": filled,
        }
        self._environment.globals |= {
            "asset": lambda name: self.assets[name].url,
            "Role": Role,
            "languages": LANGUAGES,
        }

    def html(self, name: str, language: Language, values: Mapping[str, Any]) -> str:
        """A template as HTML; it sees `t` (the texts), `language` and `values`."""
        template = self._environment.get_template(name)
        return template.render(t=console_text(language), language=language, **values)

    @pass_context
    def _moment(self, context: Context, at: datetime) -> str:
        """A moment where the shop is: the time of today, else the day too."""
        local, now = at.astimezone(self._zone), datetime.now(self._zone)
        times = context["t"]["time"]
        if local.date() == now.date():
            return local.strftime("%H:%M")
        pattern = times["day"] if local.year == now.year else times["day_of_year"]
        return local.strftime(str(pattern))

    @pass_context
    def _day(self, context: Context, at: datetime) -> str:
        """A day where the shop is."""
        return at.astimezone(self._zone).strftime(str(context["t"]["time"]["date"]))


@pass_context
def _ago(context: Context, at: datetime) -> str:
    """How long ago a moment was, in words."""
    times, passed = context["t"]["time"], max(datetime.now(UTC) - at, timedelta())
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return str(times["now"])
    if minutes < 60:
        return str(times["minutes"]).format(n=minutes)
    if minutes < 60 * 24:
        return str(times["hours"]).format(n=minutes // 60)
    return str(times["days"]).format(n=minutes // (60 * 24))
