"""Patience: reminded, escalated, expired, in that order; a table that cannot be used is refused."""

import tomllib
from datetime import UTC, date, datetime, timedelta

import pytest

from sharing.patience import Patience, PatienceError, Unit, parsed
from sharing.settings import Settings, SettingsError
from sharing.stages import GATES, Role, Stage

FRIDAY = datetime(2026, 12, 18, 12, tzinfo=UTC)
REVIEW, CONFLICT = Stage.PURPOSE_REVIEW, Stage.CONFLICT_SIGNOFF
TABLE = """
[time]
unit = "working_days"
weekdays = ["mon", "tue", "wed", "thu"]
holidays = [2026-12-24]
days = 4
escalate_to = ["admin", "per_0123", "head@example.org"]
[time.conflict_signoff]
days = 8
remind_after = 0.25
"""


def read(text: str) -> Patience:
    """The patience that a policy file's table describes."""
    return parsed(tomllib.loads(text).get("time", {}))


def test_by_default_people_are_reminded_at_half_the_time() -> None:
    """Reminded at half, escalated at three quarters, expired at the end; to admins, and at the
    conflict gate to auditors too."""
    patience = Settings(stage_days=4.0).patience()
    schedule = patience.schedule(REVIEW, FRIDAY)
    after = [schedule.reminds_at, schedule.escalates_at, schedule.until]
    assert after == [FRIDAY + timedelta(days=days) for days in (2, 3, 4)]
    assert patience.gates[REVIEW].escalate_to == (Role.ADMIN,)
    assert patience.gates[CONFLICT].escalate_to == (Role.ADMIN, Role.AUDITOR)


def test_a_table_says_it_gate_by_gate() -> None:
    """A gate's own entries win over those for all gates, and those over the defaults."""
    patience = read(TABLE)
    assert (patience.unit, patience.calendar.holidays) == (
        Unit.WORKING_DAYS,
        frozenset({date(2026, 12, 24)}),
    )
    assert patience.gates[REVIEW].escalate_to == ("admin", "per_0123", "head@example.org")
    own = patience.gates[CONFLICT]
    assert (own.days, own.remind_after, own.escalate_after) == (8.0, 0.25, 0.75)
    # Friday is off here, and Thursday the 24th a holiday: four days are Monday to Wednesday, and
    # then the Monday behind.
    until = patience.schedule(REVIEW, FRIDAY).until
    assert until == datetime(2026, 12, 29, tzinfo=UTC)


def test_a_table_that_says_nothing_changes_nothing() -> None:
    """What a table leaves out is as it was."""
    given = Settings(stage_days=3.0).patience()
    assert parsed({}, given) == given
    assert set(given.gates) == set(GATES)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[time]\nunit = "hours"', "time.unit"),
        ("[time]\ndays = 0", "time.days"),
        ("[time]\ndays = true", "time.days"),
        ("[time]\ndays = nan", "time.days"),
        ("[time]\nday = 3", "time.day"),
        ('[time]\nweekdays = ["funday"]', "time.weekdays"),
        ("[time]\nweekdays = []", "time.weekdays"),
        ("[time]\nweekdays = 5", "time.weekdays"),
        ('[time]\nholidays = ["christmas"]', "time.holidays"),
        ("[time]\nholidays = 2026-12-25", "time.holidays"),
        ("[time]\nholidays = [2026-12-25T10:00:00]", "time.holidays"),
        ("[time]\nremind_after = 0.9", "time.remind_after"),
        ("[time]\nescalate_after = 1.5", "time.escalate_after"),
        ("[time]\nescalate_to = []", "time.escalate_to"),
        ('[time]\nescalate_to = ["partner"]', "time.escalate_to"),
        ("[time.legal_approval]\ndays = -1", "time.legal_approval.days"),
        ("[time.legal_approval]\nunit = 'days'", "time.legal_approval.unit"),
        ("[time]\nlegal_approval = 3", "time.legal_approval"),
        ("[time.export]\ndays = 1", "time.export"),
    ],
)
def test_a_table_that_cannot_be_used_names_the_entry(text: str, key: str) -> None:
    """Each mistake is refused by the name of its entry."""
    with pytest.raises(PatienceError) as refused:
        read(text)
    assert refused.value.key == key
    assert str(refused.value).startswith(f"{key}: ")


def test_settings_can_count_working_days() -> None:
    """By two settings deadlines are counted in working days; a date that is none is refused."""
    given = {"CLEARANCE_DEADLINE_UNIT": "working_days", "CLEARANCE_HOLIDAYS": "2026-12-21"}
    patience = Settings.from_environment({**given, "CLEARANCE_STAGE_DAYS": "1"}).patience()
    assert patience.schedule(REVIEW, FRIDAY).until == datetime(2026, 12, 22, 12, tzinfo=UTC)
    for name, wrong in (("HOLIDAYS", "25.12.2026"), ("DEADLINE_UNIT", "weeks")):
        with pytest.raises(SettingsError, match=f"CLEARANCE_{name}"):
            Settings.from_environment({f"CLEARANCE_{name}": wrong})
