"""When people of the team are there.

Opening hours are written as OpenStreetMap does, e.g. `Mo-Fr 09:00-22:00; Sa,Su 10:00-18:00; PH off`
(https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification); PH are the public holidays of the country.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import opening_hours

from bot.errors import SettingsError

# The library's type stubs leave its errors out.
_UNREADABLE: tuple[type[Exception], ...] = (
    getattr(opening_hours, "ParserError", SyntaxError),
    getattr(opening_hours, "UnknownCountryError", ValueError),
)


class Hours:
    """Opening hours in a time zone."""

    def __init__(self, rules: str, *, time_zone: str, country: str | None) -> None:
        """Read the rules.

        Args:
            rules: as the module's docstring says; "24/7" for always.
            time_zone: an IANA name.
            country: whose public holidays count, by its ISO 3166-1 code; None for none.

        Raises:
            SettingsError: the rules or the country cannot be read.
        """
        self.rules = rules
        self._zone = ZoneInfo(time_zone)
        try:
            self._hours = opening_hours.OpeningHours(rules, timezone=self._zone, country=country)
        except _UNREADABLE as error:
            raise SettingsError(
                f"desk.opening_hours is {rules!r} (holidays: {country}), which cannot be read: {error} "
                'Write it like "Mo-Fr 09:00-18:00; Sa 10:00-16:00; PH off", or "24/7".'
            ) from error

    def is_open(self, at: datetime) -> bool:
        """Whether people should be there at this moment (with time zone)."""
        return bool(self._hours.is_open(at.astimezone(self._zone)))

    def opens_next(self, at: datetime) -> datetime | None:
        """When people come next, in the time zone of the hours; None if they are there, or never come."""
        local = at.astimezone(self._zone)
        moment: datetime | None = local
        while moment is not None and not self._hours.is_open(moment):
            moment = self._hours.next_change(moment)
        return None if moment is local else moment
