"""How long a gate waits for people: when they are reminded, when others are told, when it ends.

Pure. The numbers come from the settings, or from the `[time]` table of a policy file:

    [time]
    unit = "working_days"          # or "days"
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    holidays = [2026-12-25, 2027-01-01]
    days = 10                      # for each gate
    remind_after = 0.5             # of the gate's time
    escalate_after = 0.75
    escalate_to = ["admin"]        # roles, or people by id or e-mail address

    [time.conflict_signoff]        # a gate of its own: days, remind_after, escalate_after, ...
    days = 5
    escalate_to = ["admin", "auditor"]
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sharing.calendar import OFFICE, Calendar, add_working_days, day, weekdays
from sharing.stages import GATES, Role, Stage

DAYS_MOST = 36_500.0  # a hundred years
TELLABLE = frozenset(Role) - {Role.PARTNER, Role.SUBJECT}
CLAIM_DAYS = 2.0  # working days that a claim is good for


class Unit(StrEnum):
    """What deadlines are counted in."""

    DAYS = "days"
    WORKING_DAYS = "working_days"


class PatienceError(ValueError):
    """A `[time]` table that cannot be used: `key` names the entry, the text the cure."""

    def __init__(self, key: str, cure: str) -> None:
        super().__init__(f"{key}: {cure}")
        self.key = key


@dataclass(frozen=True, slots=True)
class GatePatience:
    """One gate's: its time, the parts of it after which people are reminded and others are told,
    and who these others are."""

    days: float = 14.0
    remind_after: float = 0.5
    escalate_after: float = 0.75
    escalate_to: tuple[str, ...] = (Role.ADMIN,)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The three moments of one opening of a gate, in order."""

    reminds_at: datetime
    escalates_at: datetime
    until: datetime


# Who signs off conflicts is watched by those who watch everybody.
BOTH = (Role.ADMIN, Role.AUDITOR)
DEFAULTS: Mapping[Stage, GatePatience] = {
    stage: GatePatience(escalate_to=BOTH if stage is Stage.CONFLICT_SIGNOFF else (Role.ADMIN,))
    for stage in GATES
}


@dataclass(frozen=True, slots=True)
class Patience:
    """The patience of all four gates, and what their days are."""

    unit: Unit = Unit.DAYS
    calendar: Calendar = OFFICE
    gates: Mapping[Stage, GatePatience] = field(default_factory=lambda: dict(DEFAULTS))

    def schedule(self, stage: Stage, opened: datetime) -> Schedule:
        """When a gate that opens now reminds, escalates and expires."""
        gate = self.gates[stage]
        return Schedule(
            self._after(opened, gate.days * gate.remind_after),
            self._after(opened, gate.days * gate.escalate_after),
            self._after(opened, gate.days),
        )

    def of_policy(self, stage: Stage, days: float | None) -> "Patience":
        """The same where a policy gives one gate days of its own."""
        if days is None:
            return self
        return replace(self, gates={**self.gates, stage: replace(self.gates[stage], days=days)})

    def claimed_until(self, at: datetime) -> datetime:
        """Until when a claim is good: working days, whatever the deadlines are counted in."""
        return add_working_days(at, CLAIM_DAYS, self.calendar)

    def _after(self, moment: datetime, days: float) -> datetime:
        if self.unit is Unit.WORKING_DAYS:
            return add_working_days(moment, days, self.calendar)
        return moment + timedelta(days=days)


def parsed(table: Mapping[str, Any], otherwise: Patience | None = None) -> Patience:
    """The patience that a `[time]` table describes; what it leaves out is as in `otherwise`. Raises
    PatienceError naming the entry that cannot be used."""
    base = otherwise or Patience()
    _demand_known(table, set(KEYS), "time")
    shared = {stage: _gate(table, base.gates[stage], "time") for stage in GATES}
    return Patience(
        _unit(table, base.unit),
        Calendar(
            _weekdays(table, base.calendar.weekdays), _holidays(table, base.calendar.holidays)
        ),
        {stage: _own(table, stage, shared[stage]) for stage in GATES},
    )


def _own(table: Mapping[str, Any], stage: Stage, shared: GatePatience) -> GatePatience:
    own, where = table.get(stage, {}), f"time.{stage}"
    if not isinstance(own, Mapping):
        raise PatienceError(where, "must be a table.")
    _demand_known(own, set(_GATE_KEYS), where)
    return _gate(own, shared, where)


def _gate(table: Mapping[str, Any], base: GatePatience, where: str) -> GatePatience:
    gate = base
    if "days" in table:
        gate = replace(gate, days=_number(table["days"], DAYS_MOST, f"{where}.days"))
    if "remind_after" in table:
        part = _number(table["remind_after"], 1.0, f"{where}.remind_after")
        gate = replace(gate, remind_after=part)
    if "escalate_after" in table:
        part = _number(table["escalate_after"], 1.0, f"{where}.escalate_after")
        gate = replace(gate, escalate_after=part)
    if "escalate_to" in table:
        gate = replace(gate, escalate_to=_people(table["escalate_to"], f"{where}.escalate_to"))
    if gate.remind_after > gate.escalate_after:
        raise PatienceError(
            f"{where}.remind_after",
            f"must not be above escalate_after ({gate.escalate_after:g}): people are reminded "
            "before others are told.",
        )
    return gate


_GATE_KEYS = ("days", "remind_after", "escalate_after", "escalate_to")
KEYS = ("unit", "weekdays", "holidays", *_GATE_KEYS, *GATES)


def _unit(table: Mapping[str, Any], otherwise: Unit) -> Unit:
    try:
        return Unit(table.get("unit", otherwise))
    except ValueError:
        raise PatienceError("time.unit", f"must be one of {', '.join(Unit)}.") from None


def _weekdays(table: Mapping[str, Any], otherwise: frozenset[int]) -> frozenset[int]:
    if "weekdays" not in table:
        return otherwise
    try:
        return weekdays(_texts(table["weekdays"], "time.weekdays"))
    except PatienceError:
        raise
    except ValueError as wrong:
        raise PatienceError("time.weekdays", str(wrong)) from None


def _holidays(table: Mapping[str, Any], otherwise: frozenset[date]) -> frozenset[date]:
    given = table.get("holidays")
    if given is None:
        return otherwise
    if not isinstance(given, list | tuple):
        raise PatienceError("time.holidays", "must be a list of dates.")
    try:  # TOML has dates of its own; a file in another form has text
        return frozenset(one if type(one) is date else day(str(one)) for one in given)
    except ValueError as wrong:
        raise PatienceError("time.holidays", str(wrong)) from None


def _people(given: Any, where: str) -> tuple[str, ...]:
    named = _texts(given, where)
    for one in named:
        if one not in TELLABLE and not one.startswith("per_") and "@" not in one:
            roles = ", ".join(sorted(TELLABLE))
            raise PatienceError(
                where, f"{one!r} is neither a role ({roles}) nor a person's id or e-mail address."
            )
    if not named:
        raise PatienceError(where, "name somebody: a gate must not run out unheard.")
    return tuple(dict.fromkeys(named))


def _texts(given: Any, where: str) -> list[str]:
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise PatienceError(where, "must be a list of texts.")
    return list(given)


def _number(given: Any, most: float, where: str) -> float:
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not 0 < given <= most:
        raise PatienceError(where, f"must be a number above 0 and at most {most:g}.")
    return float(given)


def _demand_known(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise PatienceError(
                f"{where}.{key}", f"is not known. Known here: {', '.join(sorted(known))}."
            )
