"""Who is at the console and takes talks. Somebody who is away stays signed in, but nobody counts on them."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from bot.desk.desk import Desk, utc_now
from bot.memory.staff import StaffId

_HERE = timedelta(seconds=60)


class Presence:
    """Which open consoles take talks: all, except those that were switched to away."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._away: set[StaffId] = set()
        self._seen: dict[StaffId, datetime] = {}
        self._lock = threading.Lock()

    def available(self, person: StaffId) -> bool:
        """Whether this person takes talks while their console is open."""
        with self._lock:
            return person not in self._away

    def switch(self, person: StaffId, *, available: bool) -> None:
        """Say whether this person takes talks."""
        with self._lock:
            (self._away.discard if available else self._away.add)(person)
        self.beat(person)

    def beat(self, person: StaffId) -> None:
        """Note that this person's console is open now."""
        self._desk.attend(person, available=self.available(person))
        with self._lock:
            self._seen[person] = utc_now()

    def here(self) -> frozenset[StaffId]:
        """Who is at an open console and takes talks."""
        now = utc_now()
        with self._lock:
            return frozenset(
                person
                for person, seen in self._seen.items()
                if now - seen < _HERE and person not in self._away
            )
