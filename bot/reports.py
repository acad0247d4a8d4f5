"""What every command does with a report: renders it as one page that a browser opens without a network, and writes its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from bot.errors import ReportError
from retrieval.publish import write_atomically


def render_page(template: Path, **values: Any) -> str:
    """A page from a template that extends `report_base.html.j2`; whatever stands in `values` is escaped."""
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FileSystemLoader([template.parent, Path(__file__).parent]),
    )
    return environment.get_template(template.name).render(values)


def write_files(files: Mapping[Path, str]) -> None:
    """Write each text to its path; each file is whole or not there.

    Raises:
        ReportError: one cannot be written; names it.
    """
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text.encode())
        except OSError as error:
            raise ReportError(
                f"{path} cannot be written: {error.strerror or error}. Choose another place."
            ) from error
