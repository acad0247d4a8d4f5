"""An article's file as the fields of a form, and the fields as the file: what nobody touched stays as it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date

from bot.errors import ContentError
from bot.upkeep.editing.yaml_values import KeyPath, Value, with_values
from retrieval.cleaning import decode
from retrieval.front_matter import split_front_matter

_FENCE = re.compile(r"\A---[ \t]*\r?\n(.*?)(?:^---[ \t]*(?:\r?\n|\Z))", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class ArticleFields:
    """One face of an article as it is edited: every value is the text of its field, lists have one entry a line."""

    title: str = ""
    body: str = ""  # Markdown
    questions: str = ""
    products: str = ""
    owner: str = ""
    valid_from: str = ""
    valid_until: str = ""

    @property
    def empty(self) -> bool:
        """Whether nobody has written anything."""
        return not (self.title.strip() or self.body.strip() or self.questions.strip())

    @classmethod
    def of(cls, values: Mapping[str, str]) -> ArticleFields:
        """The fields of a form that was sent; others are ignored."""
        return cls(**{each.name: plain_lines(values.get(each.name, "")) for each in fields(cls)})


def read_fields(data: bytes, name: str) -> ArticleFields:
    """The fields of an article's Markdown file.

    Raises:
        ContentError: its front matter cannot be read.
    """
    text = _text(data, name)
    front = split_front_matter(text, name)
    if front.problems:
        raise ContentError("; ".join(map(str, front.problems)))
    values = front.values
    return ArticleFields(
        title=str(values.get("title", "")),
        body=front.body.strip("\n"),
        questions="\n".join(values.get("questions", ())),
        products="\n".join(values.get("products", ())),
        owner=str(values.get("owner", "")),
        valid_from=_day(values.get("valid_from")),
        valid_until=_day(values.get("valid_until")),
    )


def write_fields(
    before: bytes | None, edited: ArticleFields, *, article: str, language: str, day: date, name: str
) -> bytes:
    """The file with the fields in it; the same bytes if nothing was edited.

    Args:
        before: the file as it is; None for a new one.
        edited: the fields as they shall be.
        article: id of a new file.
        language: of a new file.
        day: becomes `updated`, if anything is edited.
        name: of the file, for messages.

    Raises:
        ContentError: the file is written in a way that cannot be edited by machine.
    """
    if before is not None and read_fields(before, name) == edited:
        return before
    text = "" if before is None else _text(before, name)
    fence = _FENCE.match(text)
    head, body = ("", text) if fence is None else (fence[1], text[fence.end() :])
    values = _values(edited) | {("updated",): day}
    if before is None:
        values = {("id",): article, ("title",): edited.title, ("language",): language} | values
    head = with_values(head, values, name)
    if body.strip("\n") != edited.body:
        body = f"{edited.body}\n"
    return f"---\n{head}---\n{body}".encode()


def plain_lines(text: str) -> str:
    """What a browser sends of a text field, with line ends as files have them and without blanks around."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n ")


def entries(text: str) -> list[str]:
    """The entries of a field that has one a line."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def _values(edited: ArticleFields) -> dict[KeyPath, Value]:
    return {
        ("title",): edited.title,
        ("owner",): edited.owner or None,
        ("products",): entries(edited.products) or None,
        ("valid_from",): _date(edited.valid_from),
        ("valid_until",): _date(edited.valid_until),
        ("questions",): entries(edited.questions) or None,
    }


def _date(text: str) -> date | str | None:
    """A day; what is none stays a text, which is refused where all content is checked."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return text


def _text(data: bytes, name: str) -> str:
    text = decode(data)
    if text is None:
        raise ContentError(f"{name} is no text in UTF-8 or GB18030. Save it as UTF-8.")
    return text.replace("\r\n", "\n")


def _day(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else ""
