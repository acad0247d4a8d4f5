"""Question–answer pairs from Excel and CSV: each row is an article."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from retrieval.cleaning import decode, strip_markdown
from retrieval.front_matter import FieldError, Problem, check_field

SUFFIXES = (".xlsx", ".csv")
_COLUMNS = {
    "question": "title", "问题": "title", "问": "title", "標題": "title", "标题": "title", "title": "title",
    "answer": "body", "答案": "body", "回答": "body", "答": "body",
    "id": "id", "编号": "id",
    "language": "language", "语言": "language",
    "questions": "questions", "其他问法": "questions", "相似问法": "questions",
    "updated": "updated", "更新日期": "updated",
    "valid_from": "valid_from", "生效日期": "valid_from",
    "valid_until": "valid_until", "失效日期": "valid_until",
    "owner": "owner", "负责人": "owner",
    "products": "products", "产品": "products",
}  # fmt: skip
_LISTS = ("questions", "products")  # several values in one cell: a line each, or separated by | or ；

_NO_ID = re.compile(r"[^\w.-]+")

Row = tuple[int, Mapping[str, Any]]  # line in the file, checked values of one article


def read_pairs(path: Path, name: str) -> tuple[list[Row], list[Problem]]:
    """Rows of a spreadsheet as values of articles (keys of the front matter, and `body`).

    Args:
        path: an .xlsx file (its first sheet) or a .csv file whose first row names the columns.
        name: how problems name the file.
    """
    try:
        table = list(_rows(path))
    except (OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile, InvalidFileException) as error:
        return [], [
            Problem(
                name, None, f"the table cannot be read ({error})", "Save it again as .xlsx or as CSV in UTF-8"
            )
        ]
    lines = [(number, cells) for number, cells in enumerate(table, start=1) if any(cells)]
    if not lines:
        return [], [Problem(name, None, "the table is empty", "Add rows, or remove the file")]
    columns, problems = _columns(lines[0][1], name)
    if problems:
        return [], problems
    return _checked_rows(columns, lines[1:], path.stem, name)


def _rows(path: Path) -> Iterator[Sequence[str]]:
    if path.suffix.lower() == ".csv":
        text = decode(path.read_bytes())
        if text is None:
            raise ValueError("neither UTF-8 nor GB18030")
        yield from csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text), strict=True)
        return
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # openpyxl warns about styles that it does not know; only text matters
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            for cells in book.worksheets[0].iter_rows(values_only=True):
                yield tuple("" if cell is None else _cell(cell) for cell in cells)
        finally:
            book.close()


def _cell(value: object) -> str:
    """A cell as text; a date keeps its day only."""
    return str(value).removesuffix(" 00:00:00").strip()


def _dialect(text: str) -> type[csv.Dialect]:
    """Comma, semicolon or tab, whichever the first line holds most."""
    first = text.partition("\n")[0]

    class Dialect(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Dialect


def _columns(header: Iterable[str], name: str) -> tuple[list[str | None], list[Problem]]:
    columns: list[str | None] = []
    for cell in header:
        label = strip_markdown(cell).strip().lower()
        if label and label not in _COLUMNS:
            return [], [Problem(name, 1, f"column {label!r} is unknown", f"Use: {', '.join(_COLUMNS)}")]
        columns.append(_COLUMNS.get(label))
    for needed, label in (("title", "question"), ("body", "answer")):
        if needed not in columns:
            return [], [
                Problem(name, 1, f"there is no column {label!r}", "Name the columns in the first row")
            ]
    return columns, []


def _checked_rows(
    columns: Sequence[str | None], lines: Iterable[tuple[int, Sequence[str]]], stem: str, name: str
) -> tuple[list[Row], list[Problem]]:
    rows: list[Row] = []
    problems = []
    for number, cells in lines:
        try:
            rows.append((number, _checked_row(columns, cells, stem)))
        except FieldError as error:
            problems.append(Problem(name, number, error.what, error.fix))
    return rows, problems


def _checked_row(columns: Sequence[str | None], cells: Sequence[str], stem: str) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for key, cell in zip(columns, cells, strict=False):
        text = strip_markdown(cell).strip()
        if key and text:
            values[key] = text if key == "body" else check_field(key, _value(key, text))
    for key, label in (("title", "question"), ("body", "answer")):
        if key not in values:
            raise FieldError(f"the row has no {label}", "Fill the cell, or remove the row")
    # The position of a row changes when one is inserted above it, its question hardly ever does.
    digest = hashlib.sha256(values["title"].encode()).hexdigest()[:8]
    return {"id": f"{_NO_ID.sub('-', stem)}-{digest}", **values}


def _value(key: str, text: str) -> object:
    if key not in _LISTS:
        return text
    for separator in ("|", "；"):
        text = text.replace(separator, "\n")
    return [part.strip() for part in text.split("\n") if part.strip()]
