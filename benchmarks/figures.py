"""One shape for what a benchmark measures of each contender: a frozen dataclass whose fields say how they are shown.

    @dataclass(frozen=True)
    class Figures:
        auc: float = figure("AUC")
        milliseconds: float = figure("ms", digits=1)

Table and JSON both follow from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_COLUMN, _DIGITS = "column", "digits"


def figure(column: str, *, digits: int = 3) -> Any:
    """A field of figures: the head of its column, and how many decimals it is shown with."""
    return field(metadata={_COLUMN: column, _DIGITS: digits})


def table_of(title: str, found: Mapping[str, DataclassInstance]) -> Table:
    """A row a contender, a column a figure or a word; – where it is None."""
    table = Table(title=title)
    table.add_column("")
    shown = fields(next(iter(found.values()))) if found else ()
    for one in shown:
        table.add_column(one.metadata[_COLUMN], justify="right")
    for name, figures in found.items():
        table.add_row(name, *(_shown(getattr(figures, one.name), one.metadata[_DIGITS]) for one in shown))
    return table


def _shown(value: float | str | None, digits: int) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.{digits}f}"


def write_json(
    path: Path, benchmark: str, found: Mapping[str, DataclassInstance], **conditions: object
) -> None:
    """The figures of every contender, under the benchmark's name and the conditions it was run in."""
    figures = {name: asdict(one) for name, one in found.items()}
    path.write_text(json.dumps({"benchmark": benchmark, **conditions, "figures": figures}, indent=2), "utf-8")
