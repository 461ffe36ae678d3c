"""Working days: time stands still when nobody works, and passes otherwise."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.calendar import OFFICE, Calendar, add_working_days, holidays, weekdays

FRIDAY = datetime(2026, 12, 18, 12, tzinfo=UTC)
moments = st.integers(0, 10 * 365 * 86_400).map(lambda s: FRIDAY + timedelta(seconds=s))
calendars = st.builds(
    Calendar,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2037, 1, 1)), max_size=20),
)
lengths = st.floats(min_value=0, max_value=60)


@pytest.mark.parametrize(
    ("days", "closed", "expected"),
    [
        (1, "", datetime(2026, 12, 21, 12, tzinfo=UTC)),
        (0.25, "", datetime(2026, 12, 18, 18, tzinfo=UTC)),
        (5, "", datetime(2026, 12, 25, 12, tzinfo=UTC)),
        (5, "2026-12-24, 2026-12-25", datetime(2026, 12, 29, 12, tzinfo=UTC)),
        (1 / 86_400, "", datetime(2026, 12, 18, 12, 0, 1, tzinfo=UTC)),
    ],
)
def test_working_days_skip_weekends_and_holidays(
    days: float, closed: str, expected: datetime
) -> None:
    """From a Friday noon on, weekends and holidays do not count, and parts of days do."""
    assert add_working_days(FRIDAY, days, Calendar(holidays=holidays(closed))) == expected


@given(moment=moments, days=lengths, calendar=calendars)
def test_exactly_that_much_working_time_passes(
    moment: datetime, days: float, calendar: Calendar
) -> None:
    """Between the two moments lies exactly so much time on working days."""
    end, at, worked = add_working_days(moment, days, calendar), moment, timedelta()
    while at < end:
        tomorrow = datetime.combine(at.date() + timedelta(days=1), datetime.min.time(), UTC)
        if calendar.counts(at.date()):
            worked += min(tomorrow, end) - at
        at = tomorrow
    assert worked == timedelta(days=days)


@given(moment=moments, days=lengths, more=lengths, calendar=calendars)
def test_more_days_end_later(
    moment: datetime, days: float, more: float, calendar: Calendar
) -> None:
    """More patience never ends earlier."""
    longer = add_working_days(moment, days + more, calendar)
    assert add_working_days(moment, days, calendar) <= longer


def test_a_calendar_without_a_working_day_is_refused() -> None:
    """Where nobody ever works no deadline could be reached, so that is refused and not tried."""
    with pytest.raises(ValueError, match="at least one weekday"):
        weekdays([])
    with pytest.raises(ValueError, match="at least one weekday"):
        add_working_days(FRIDAY, 1, Calendar(frozenset()))
    with pytest.raises(ValueError, match="'funday' is no weekday"):
        weekdays(["mon", "funday"])


def test_a_hundred_years_can_be_reckoned_with() -> None:
    """The longest deadline that a setting takes makes a date."""
    assert add_working_days(FRIDAY, 36_500, OFFICE).year == 2166
