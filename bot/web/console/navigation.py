"""The console's pages, in the order that the navigation lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.memory.staff import Role


@dataclass(frozen=True)
class Place:
    """A page that the navigation leads to. Its name in the locale is `nav.<key>`, its icon `icons.html.jinja` draws."""

    key: str
    path: str
    role: Role = Role.AGENT  # the least that may go there


PLACES = (
    Place("queue", "/console"),
    Place("overview", "/console/overview"),
    Place("review", "/console/review", Role.EDITOR),
    Place("knowledge", "/console/knowledge", Role.EDITOR),
    Place("training", "/console/training", Role.ADMIN),
    Place("settings", "/console/settings", Role.ADMIN),
    Place("audit", "/console/audit", Role.ADMIN),
    Place("staff", "/console/staff", Role.ADMIN),
)


_IN_BAR = 5  # places that fit beside each other on a phone


def in_bar(places: Sequence[Place]) -> int:
    """How many of these a phone's bar shows; the others are in a menu, which takes the place of one."""
    return len(places) if len(places) <= _IN_BAR else _IN_BAR - 1


def places_for(role: Role) -> tuple[Place, ...]:
    """The pages that this role may see."""
    return tuple(place for place in PLACES if role >= place.role)


def current_place(path: str) -> str:
    """The key of the page that an address belongs to; "" for none (one's own account)."""
    matching = [
        place
        for place in PLACES
        if path == place.path or (path.startswith(f"{place.path}/") and place.path != "/console")
    ]
    if matching:
        return max(matching, key=lambda place: len(place.path)).key
    return "queue" if path.startswith("/console/talks/") else ""
