"""Runs every check on the materials."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.upkeep.checks.confusions import check_confusions
from bot.upkeep.checks.contradictions import check_contradictions
from bot.upkeep.checks.diagnostics import Diagnostic, gravest_first
from bot.upkeep.checks.duplicates import check_duplicates
from bot.upkeep.checks.faces import check_faces
from bot.upkeep.checks.materials import Materials
from bot.upkeep.checks.unused import check_unused
from bot.upkeep.checks.unwanted import check_unwanted
from bot.upkeep.checks.validity import check_validity

Check = Callable[[Materials], Iterable[Diagnostic]]
Progress = Callable[[str, int, int], None]  # stage, done, total

CHECKS: tuple[Check, ...] = (
    check_validity,
    check_faces,
    check_contradictions,
    check_unwanted,
    check_duplicates,
    check_confusions,
    check_unused,
)


def examine_knowledge(materials: Materials, progress: Progress) -> list[Diagnostic]:
    """Everything that the checks report, the gravest first.

    Args:
        materials: what is checked.
        progress: called with the stage `check`, how many checks are done, and how many there are.
    """
    found: list[Diagnostic] = []
    for done, check in enumerate(CHECKS):
        progress("check", done, len(CHECKS))
        found += check(materials)
    progress("check", len(CHECKS), len(CHECKS))
    return gravest_first(found)
