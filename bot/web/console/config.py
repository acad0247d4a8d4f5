"""The settings that a team changes, in kefu.toml and here: one source. Thresholds are shown with where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.config_file import ConfigFile, Origin, Problem, SettingRefused, Value
from bot.desk.hours import Hours
from bot.errors import AccessRefused, SettingsError
from bot.settings import Settings
from bot.thresholds import CALIBRATED, LANGUAGES, read_calibrated
from bot.web.console.access import AsAdmin, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.session import Signed
from bot.web.console.text import Text
from bot.web.console.workshop import SentForm, texts_of

router = APIRouter(prefix="/settings")
THRESHOLDS = (
    *("template_score", "template_margin", "grounded_score", "drafted_score"),
    *("clarify_score", "in_scope", "handoff_score"),
)


@dataclass(frozen=True)
class Choice:
    """A setting that can be changed. `kind` is text, number, whole, colour, lines (a list) or one of `options`."""

    name: str
    kind: str = "text"
    options: tuple[str, ...] = ()


GROUPS: Mapping[str, tuple[Choice, ...]] = {
    "shop": (
        Choice("server.name"),
        Choice("widget.colour", "colour"),
        Choice("widget.logo"),
        Choice("server.allowed_sites", "lines"),
        Choice("time_zone"),
    ),
    "desk": (
        Choice("desk.opening_hours"),
        Choice("desk.holidays"),
        Choice("desk.while_waiting", "choice", ("answer", "silent")),
        Choice("desk.idle_minutes", "number"),
        Choice("policy.failures_before_handoff", "whole"),
    ),
    "customers": (
        Choice("safety.shown_contacts", "lines"),
        Choice("safety.max_characters", "whole"),
        Choice("server.messages_per_minute", "whole"),
        Choice("server.visitor_days", "whole"),
    ),
    "words": (
        Choice("safety.person_words", "lines"),
        Choice("safety.unwanted_words", "lines"),
    ),
    "retention": (
        Choice("retention.turns_days", "whole"),
        Choice("retention.uploads_days", "whole"),
        Choice("retention.visits_days", "whole"),
    ),
}


@dataclass(frozen=True)
class Threshold:
    """A threshold as it serves: by content language, and where it comes from."""

    name: str
    values: Mapping[str, float]
    origin: str  # an Origin, or "calibrated"


@router.get("")
def settings(request: Request, console: ConsoleHere, signed: AsAdmin) -> Response:
    """The settings as they are."""
    return _page(console, request, signed)


@router.post("")
def change(request: Request, console: ConsoleHere, signed: AsAdmin, form: SentForm) -> Response:
    """Write what was changed into kefu.toml."""
    typed, file = texts_of(form), console.workshop.config
    try:
        now = file.settings()
        changes = _changes(typed, now, file)
        impossible = _impossible(changes)
        if impossible:
            raise SettingRefused(impossible)
        if changes:
            file.write(changes, version=typed.get("version", ""))
    except SettingRefused as refusal:
        problems = {name: _said(problem, console.text(request)) for name, problem in refusal.problems.items()}
        return _page(console, request, signed, typed=typed, problems=problems)
    except SettingsError as error:
        return _page(console, request, signed, typed=typed, problems={"": str(error)})
    if changes:
        console.note(signed.staff, "change_settings", ", ".join(changes), "")
    return RedirectResponse("/console/settings?done=saved", 303)


def shown(value: object) -> str:
    """A value as the text of its field."""
    if isinstance(value, tuple | list):
        return "\n".join(map(str, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def value_of(settings: Settings, name: str) -> object:
    """The value of a setting by its dotted name."""
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _changes(typed: Mapping[str, str], now: Settings, file: ConfigFile) -> dict[str, Value | None]:
    """What the form has otherwise than the file. An emptied field brings the default back."""
    changes: dict[str, Value | None] = {}
    for choice in (choice for group in GROUPS.values() for choice in group):
        text = typed.get(choice.name)
        if text is None or file.origin(choice.name) is Origin.ENVIRONMENT:
            continue
        plain = text.replace("\r\n", "\n").strip()
        if plain == shown(value_of(now, choice.name)):
            continue
        changes[choice.name] = _value(choice, plain)
    return changes


def _value(choice: Choice, text: str) -> Value | None:
    """What is written; a number that is none stays a text, which is refused with its name."""
    if choice.kind == "lines":
        return [line.strip() for line in text.split("\n") if line.strip()]
    if not text:
        return None
    try:
        if choice.kind == "whole":
            return int(text)
        if choice.kind == "number":
            return float(text)
    except ValueError:
        return text
    return text


def _said(problem: Problem, text: Text) -> str:
    """A problem in the page's language; one that it has no words for in English."""
    wording = text["config"]["wrong"].get(problem.kind)
    return problem.message if wording is None else wording.format(**problem.values)


def _impossible(changes: Mapping[str, Value | None]) -> dict[str, Problem]:
    """What the settings take and the parts that use it would not."""
    problems = {}
    zone = changes.get("time_zone")
    if isinstance(zone, str):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            problems["time_zone"] = Problem(f"{zone!r} is no time zone.", "time_zone", {"seen": zone})
    hours = changes.get("desk.opening_hours")
    if isinstance(hours, str):
        try:
            Hours(hours, time_zone="UTC", country=None)
        except SettingsError as error:
            problems["desk.opening_hours"] = Problem(str(error), "opening_hours", {"seen": hours})
    return problems


def _page(
    console: Console,
    request: Request,
    signed: Signed,
    *,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    file = console.workshop.config
    try:
        next_start = file.settings()
        names = [choice.name for group in GROUPS.values() for choice in group]
        origins = {name: file.origin(name).value for name in names}
    except SettingsError as error:
        raise AccessRefused("config_broken", str(error)) from error
    running = console.settings
    told = {} if typed is None else dict(typed)
    return console.page(
        request,
        signed,
        "config.html.jinja",
        status=409 if problems else 200,
        groups=GROUPS,
        values={name: told.get(name, shown(value_of(next_start, name))) for name in names},
        origins=origins,
        pending=[name for name in names if value_of(next_start, name) != value_of(running, name)],
        problems={} if problems is None else problems,
        version=told.get("version", file.version) if not problems else file.version,
        path=str(file.path),
        thresholds=_thresholds(console, file),
        variable=lambda name: "KEFU_" + name.upper().replace(".", "__"),
    )


def _thresholds(console: Console, file: ConfigFile) -> list[Threshold]:
    policy = console.settings.policy
    calibrated = read_calibrated(console.settings.thresholds_path)
    found = []
    for name in THRESHOLDS:
        origin = file.origin(f"policy.{name}").value
        measured = {
            language.value: calibrated[language][name]
            for language in LANGUAGES
            if origin == Origin.DEFAULT.value and name in CALIBRATED and name in calibrated.get(language, {})
        }
        values = {language.value: getattr(policy, name) for language in LANGUAGES} | measured
        found.append(Threshold(name, values, "calibrated" if measured else origin))
    return found
