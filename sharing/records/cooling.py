"""Cooling-off: the time that a policy asks for before an approval, or a trigger."""

from datetime import datetime

from sqlmodel import Session

from sharing.errors import CoolingOff
from sharing.records import clearances, policies
from sharing.records.requests import Gate, Request
from sharing.records.tables import now
from sharing.stages import Outcome, Stage


def demand_over_at(session: Session, request: Request, gate: Gate, outcome: str) -> None:
    """Raises CoolingOff while a gate takes no approval yet. To refuse or to return it is never too
    soon: that only withholds."""
    if outcome != Outcome.APPROVED:
        return
    until = gate.opened_at + policies.gate(session, request, Stage(gate.stage)).cooling_off
    _demand_past(until, f"{gate.stage} takes no approval before")


def demand_over_for_export(session: Session, request: Request) -> None:
    """Raises CoolingOff while an export must not be triggered yet: so long after the last approval,
    which sealed the clearance."""
    clearance = clearances.of(session, request.id, request.digest)
    if clearance is not None:
        until = clearance.cleared_at + policies.export(session, request).cooling_off
        _demand_past(until, "The policy lets nobody trigger this export before")


def _demand_past(until: datetime, what: str) -> None:
    if now() < until:
        raise CoolingOff(f"{what} {until:%Y-%m-%d %H:%M} UTC: try again then.", until)
