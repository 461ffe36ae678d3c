"""Working days: which days count, and what a moment so many of them later is. Pure.

Weekdays and a list of holidays, and nothing that knows the holidays of countries: which days an
office is closed is the office's own to say, and a list can be read, reviewed and pinned.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days on which time passes: some weekdays (Monday is 0), holidays left out. Days are
    those of UTC, as all times here are."""

    weekdays: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = frozenset()

    def counts(self, day: date) -> bool:
        """True for a working day."""
        return day.weekday() in self.weekdays and day not in self.holidays


OFFICE = Calendar()


def add_working_days(moment: datetime, days: float, calendar: Calendar = OFFICE) -> datetime:
    """The moment at which so many working days have passed; fractions are parts of 24 hours. On
    other days time stands still: one working day behind Friday noon is Monday noon."""
    if not calendar.weekdays:
        raise ValueError("a calendar needs at least one weekday on which people work.")
    at, left = moment.astimezone(UTC), timedelta(days=days)
    while True:
        tomorrow = datetime.combine(at.date() + DAY, time(), UTC)
        if calendar.counts(at.date()):
            if at + left <= tomorrow:
                return at + left
            left -= tomorrow - at
        at = tomorrow


def holidays(text: str) -> frozenset[date]:
    """Dates as `2026-12-25, 2027-01-01`; raises ValueError that names the one that is none."""
    return frozenset(map(day, filter(None, (part.strip() for part in text.split(",")))))


def day(text: str) -> date:
    """A date as `2026-12-25`; raises ValueError for anything else."""
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"{text!r} is no date: write it as 2026-12-25.")
    return found


def weekdays(names: Iterable[str]) -> frozenset[int]:
    """Days of the week by their first three letters; raises ValueError for a name that is none."""
    found = []
    for name in names:
        if name not in WEEKDAYS:
            raise ValueError(f"{name!r} is no weekday: use {', '.join(WEEKDAYS)}.")
        found.append(WEEKDAYS.index(name))
    if not found:
        raise ValueError("name at least one weekday on which people work.")
    return frozenset(found)
