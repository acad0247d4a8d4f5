"""Excel workbooks of talks: every sheet that names its columns, with merged cells and formulas as a reader sees them."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from finetune.errors import ImportFailed
from finetune.importers.reading import Reading, Talk
from finetune.importers.tables import Row, table_talks

_MAX_UNPACKED = 128 * 1024 * 1024  # bytes of XML; its shared texts are held in memory
_MAX_MEMBERS = 2000
_MAX_COLUMNS = 200  # a stray cell at the far right must not make every row of a merged range long
_ZIP = b"PK\x03\x04"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")


@dataclass(frozen=True)
class _Area:
    """A merged range; rows and columns count from 1."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


def read_workbook(reading: Reading) -> Iterator[Talk]:
    """The talks of all sheets.

    Raises:
        ImportFailed: it is no .xlsx, damaged, too large once unpacked, or no sheet names its columns.
    """
    _check_zip(reading)
    formulas, values = _open(reading, values=False), _open(reading, values=True)
    refusals: list[str] = []
    read = 0
    for sheet, stored in zip(formulas.worksheets, values.worksheets, strict=True):
        rows = _table(reading, sheet, stored)
        if not rows:
            reading.skip("empty sheets")
            continue
        try:
            yield from table_talks(reading, rows, f"{reading.path.name} {sheet.title}")
            read += 1
        except ImportFailed as error:
            refusals.append(str(error))
            reading.problem(reading.place(sheet.title), str(error))
    if not read:
        raise ImportFailed(
            refusals[0] if refusals else f"{reading.path} has only empty sheets. Export it again."
        )


def _check_zip(reading: Reading) -> None:
    """Before anything is unpacked: a few kilobytes can hold gigabytes."""
    if not reading.data.startswith(_ZIP):
        raise ImportFailed(f"{reading.path} is no .xlsx workbook. Save it as .xlsx or CSV.")
    try:
        with zipfile.ZipFile(io.BytesIO(reading.data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ImportFailed(f"{reading.path} is damaged ({error}). Save it again.") from error
    unpacked = sum(member.file_size for member in members)
    if unpacked > _MAX_UNPACKED or len(members) > _MAX_MEMBERS:
        raise ImportFailed(
            f"{reading.path} unpacks to {unpacked / 1e6:.0f} MB in {len(members)} parts; "
            f"{_MAX_UNPACKED / 1e6:.0f} MB are read at most. Split it, or save it as CSV."
        )


def _open(reading: Reading, *, values: bool) -> Workbook:
    """The workbook with formulas, or with the values that were stored when it was last calculated."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions unknown to it; only text matters
            return load_workbook(io.BytesIO(reading.data), read_only=True, data_only=values)
    except Exception as error:  # other people's XML: what the parser raises has no common root
        raise _unreadable(reading, error) from error


def _unreadable(reading: Reading, error: Exception) -> ImportFailed:
    reason = " ".join(str(error).split())[:120]
    return ImportFailed(
        f"{reading.path} cannot be read ({reason if reason else type(error).__name__}). Save it again as .xlsx."
    )


def _table(reading: Reading, sheet: ReadOnlyWorksheet, stored: ReadOnlyWorksheet) -> list[Row]:
    try:
        with zipfile.ZipFile(io.BytesIO(reading.data)) as archive:
            xml = archive.read(sheet._worksheet_path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = list(_values(stored))
            formulas = list(_formulas(sheet)) if _FORMULA.search(xml) else []
    except Exception as error:  # as above: sheets are parsed only now
        raise _unreadable(reading, error) from error
    _note_uncalculated(reading, sheet.title, rows, formulas)
    filled = _with_merged(rows, _areas(xml))
    return [
        (reading.place(f"{sheet.title}!{number}"), cells)
        for number, cells in enumerate(filled, start=1)
        if any(cell is not None for cell in cells)
    ]


def _values(sheet: ReadOnlyWorksheet) -> Iterator[list[Any]]:
    sheet.reset_dimensions()  # some programs write wrong ones, and rows would be cut
    for cells in sheet.iter_rows(values_only=True):
        yield list(cells[:_MAX_COLUMNS])


def _formulas(sheet: ReadOnlyWorksheet) -> Iterator[list[bool]]:
    sheet.reset_dimensions()
    for cells in sheet.iter_rows():
        yield [cell.data_type == "f" for cell in cells[:_MAX_COLUMNS]]


def _note_uncalculated(
    reading: Reading, title: str, rows: Sequence[Sequence[Any]], formulas: Sequence[Sequence[bool]]
) -> None:
    for number, (cells, calculated) in enumerate(zip(rows, formulas, strict=False), start=1):
        for cell, is_formula in zip(cells, calculated, strict=False):
            if is_formula and cell is None:
                reading.problem(reading.place(f"{title}!{number}"), "a formula that was never calculated")


def _areas(xml: bytes) -> list[_Area]:
    return [
        _Area(int(top), int(bottom), _column(left), _column(right))
        for left, top, right, bottom in _MERGED.findall(xml)
    ]


def _column(letters: bytes) -> int:
    try:
        return min(int(column_index_from_string(letters.decode())), _MAX_COLUMNS)
    except ValueError:  # beyond XFD
        return _MAX_COLUMNS


def _with_merged(rows: Sequence[list[Any]], areas: Sequence[_Area]) -> Iterator[list[Any]]:
    """The rows, each cell of a merged range with the value of the range's first cell."""
    opening: dict[int, list[_Area]] = defaultdict(list)
    for area in areas:
        opening[area.first_row].append(area)
    active: list[tuple[_Area, Any]] = []
    for number, cells in enumerate(rows, start=1):
        active = [(area, value) for area, value in active if area.last_row >= number]
        for area in opening[number]:
            first = area.first_column - 1
            active.append((area, cells[first] if first < len(cells) else None))
        for area, value in active:
            cells.extend([None] * (area.last_column - len(cells)))
            cells[area.first_column - 1 : area.last_column] = [value] * (
                area.last_column - area.first_column + 1
            )
        yield cells
