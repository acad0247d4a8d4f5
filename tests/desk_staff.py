"""Two people of the team, written into a log."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.desk.desk import Desk
from bot.memory.staff import Role, Staff, StaffId, add_staff

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
LI = Staff(StaffId("staff-li"), "li", "小李", Role.AGENT, SINCE, None)
MARY = Staff(StaffId("staff-mary"), "mary", "Mary", Role.AGENT, SINCE, None)


def employ(desk: Desk, *people: Staff) -> None:
    """Give people an account; nobody knows its password."""
    with desk.log.writing() as log:
        for staff in people:
            add_staff(log, staff, "no hash")
