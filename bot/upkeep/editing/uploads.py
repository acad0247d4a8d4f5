"""A file that somebody uploads becomes the draft of an article: what the readers see in it, as Markdown to work on."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath

from bot.errors import ContentError
from bot.upkeep.editing.articles import ArticleFields
from retrieval.readers import ARTICLES, READABLE, read_file
from retrieval.spreadsheets import SUFFIXES as TABLES

_OUTSIDE_ID = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Upload:
    """What a file holds. A table stays the file that it is, with a question in each row; anything else is a draft."""

    name: str  # a place for the file, or the id of the article
    language: str
    fields: ArticleFields
    table: bool = False
    rows: int = 1


def read_upload(name: str, data: bytes) -> Upload:
    """Read an uploaded file.

    Raises:
        ContentError: it cannot be read; says what to do.
    """
    plain = PurePath(name.replace("\\", "/")).name
    suffix = PurePath(plain).suffix.lower()
    if suffix not in READABLE:
        raise ContentError(f"{plain!r} cannot be read. Use one of: {', '.join(READABLE)}.")
    with tempfile.TemporaryDirectory(prefix="kefu-upload-") as scratch:
        folder = Path(scratch) / ARTICLES
        folder.mkdir()
        path = folder / f"{PurePath(plain).stem or 'article'}{suffix}"
        path.write_bytes(data)
        articles, problems = read_file(path, Path(scratch))
    if not articles:
        reasons = "; ".join(f"{problem.what}. {problem.fix}" for problem in problems)
        raise ContentError(f"{plain} cannot be used: {reasons or 'it holds no text'}.")
    first = articles[0]
    if suffix in TABLES:
        place = f"{ARTICLES}/{slug(PurePath(plain).stem) or 'table'}{suffix}"
        return Upload(place, first.language, ArticleFields(title=plain), table=True, rows=len(articles))
    fields = ArticleFields(
        title=first.title,
        body=first.body.strip("\n"),
        questions="\n".join(first.questions),
        products="\n".join(first.products),
        owner=first.owner,
        valid_from="" if first.valid_from is None else first.valid_from.isoformat(),
        valid_until="" if first.valid_until is None else first.valid_until.isoformat(),
    )
    return Upload(slug(first.id), first.language, fields)


def slug(text: str) -> str:
    """An id made of a text: small letters, digits and hyphens; "" if nothing is left, as of Chinese."""
    return _OUTSIDE_ID.sub("-", text.lower()).strip("-")[:80].strip("-")
