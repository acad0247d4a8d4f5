"""What axe-core finds wrong with a page for people who use a keyboard or a screen reader, or see little contrast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_AXE = Path(__file__).parents[1] / "js" / "node_modules" / "axe-core" / "axe.min.js"
_FADE = 300  # ms; an animation's half-transparent text has another contrast


def violations(page: Page) -> list[Any]:
    """Rules that the page breaks, open shadow roots included: name, where, and why."""
    assert _AXE.is_file(), "axe-core is not installed. Run `npm ci --prefix tests/js`."
    page.wait_for_timeout(_FADE)
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        (rule["id"], [node["target"] for node in rule["nodes"]], rule["nodes"][0]["failureSummary"])
        for rule in found["violations"]
    ]
