"""Front matter: the YAML block at the top of a Markdown article, checked key by key with line numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import yaml

LANGUAGES = ("zh", "en")
KEYS = ("id", "title", "language", "updated", "owner", "products", "valid_from", "valid_until", "questions")
_FENCE = re.compile(r"\A---[ \t]*\n(.*?)(?:^---[ \t]*(?:\n|\Z))", re.DOTALL | re.MULTILINE)
_ID = re.compile(r"\w[\w.-]{0,99}")


@dataclass(frozen=True)
class Problem:
    """Something in the content that must be mended before it can be published."""

    path: str
    line: int | None
    what: str
    fix: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.what}. {self.fix}"


class FieldError(ValueError):
    """A value that cannot be used: what is wrong, and the fix."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


@dataclass(frozen=True)
class FrontMatter:
    """The checked values of a front matter, the text below it, and what is wrong."""

    values: Mapping[str, Any]
    body: str
    problems: tuple[Problem, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)  # key → line in the file, from 1


def split_front_matter(text: str, path: str) -> FrontMatter:
    """Read the front matter of a Markdown file. A file without one has no values and no problems.

    Args:
        text: the whole file.
        path: named in problems.
    """
    fence = _FENCE.match(text)
    if fence is None:
        if text.startswith("---\n"):
            fix = "Close the front matter with a line `---`"
            return FrontMatter({}, text, (Problem(path, 1, "the front matter has no end", fix),))
        return FrontMatter({}, text)
    body = text[fence.end() :]
    try:
        node = yaml.compose(fence[1], Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        return FrontMatter({}, body, (_syntax_problem(error, path),))
    if node is None:
        return FrontMatter({}, body)
    if not isinstance(node, yaml.MappingNode):
        fix = "Write one `key: value` a line"
        return FrontMatter({}, body, (Problem(path, 2, "the front matter is no list of keys", fix),))
    return _checked(node, body, path)


def _checked(node: yaml.MappingNode, body: str, path: str) -> FrontMatter:
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    problems = []
    for key_node, value_node in node.value:
        key = str(key_node.value)
        line = key_node.start_mark.line + 2  # marks count from 0, and the fence is line 1
        try:
            _check_key(key, lines)
            lines[key] = line
            values[key] = check_field(key, _construct(value_node))
        except FieldError as error:
            problems.append(Problem(path, line, error.what, error.fix))
    return FrontMatter(values, body, tuple(problems), lines)


def _check_key(key: str, lines: Mapping[str, int]) -> None:
    if key not in KEYS:
        raise FieldError(f"{key!r} is no key of an article", f"Use one of: {', '.join(KEYS)}")
    if key in lines:
        raise FieldError(
            f"{key!r} stands here a second time (first in line {lines[key]})", "Keep one of them"
        )


def _construct(node: yaml.Node) -> object:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2026-13-45 looks like a date to YAML
        raise FieldError(
            f"the value cannot be read ({_first_line(error)})", "Write a plain value, or quote it"
        ) from error
    finally:
        loader.dispose()


def _syntax_problem(error: yaml.YAMLError, path: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None)
    return Problem(
        path,
        None if mark is None else mark.line + 2,
        f"the front matter is no YAML ({what or _first_line(error)})",
        "Quote values that hold a colon, a brace or a leading special character",
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def check_field(key: str, value: object) -> object:
    """The value of one key of an article, in the type that `Article` holds.

    Raises:
        FieldError: it is no value for this key.
    """
    return _CHECKS[key](key, value)


def _check_id(key: str, value: object) -> str:
    text = _check_text(key, value)
    if not _ID.fullmatch(text):
        raise FieldError(
            f"id {text!r} cannot be used", "Use letters, digits, `-`, `_` and `.`, at most 100, no spaces"
        )
    return text


def _check_text(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        raise FieldError(f"{key} is {value!r}", "Write a text (quote it if YAML reads it as something else)")
    return " ".join(str(value).split()) if isinstance(value, str) else str(value)


def _check_owner(key: str, value: object) -> str:
    return "" if value is None else _check_text(key, value)


def _check_language(key: str, value: object) -> str:
    text = _check_text(key, value)
    if text not in LANGUAGES:
        raise FieldError(f"language is {text!r}", f"Use one of: {', '.join(LANGUAGES)}")
    return text


def _check_date(key: str, value: object) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip().replace("/", "-"))
    except ValueError as error:
        raise FieldError(f"{key} is {value!r}, no date", "Write year-month-day, like 2026-11-10") from error


def _check_texts(key: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    return tuple(_check_text(key, item) for item in items)


_CHECKS: Mapping[str, Callable[[str, object], object]] = {
    "id": _check_id,
    "title": _check_text,
    "language": _check_language,
    "updated": _check_date,
    "owner": _check_owner,
    "products": _check_texts,
    "valid_from": _check_date,
    "valid_until": _check_date,
    "questions": _check_texts,
}
