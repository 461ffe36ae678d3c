"""Cooling-off: the time that a policy asks for before an approval, or a trigger."""

from datetime import datetime

from sqlmodel import Session

from sharing.errors import CoolingOff
from sharing.records import clearances, policies
from sharing.records.requests import Gate, Request
from sharing.records.tables import now
from sharing.stages import Outcome, Stage


def over_at(session: Session, request: Request, gate: Gate) -> datetime:
    """From when on a gate takes approvals."""
    rule = policies.gate(session, request, Stage(gate.stage))
    return gate.opened_at + rule.cooling_off


def over_for_export(session: Session, request: Request) -> datetime | None:
    """From when on an export may be triggered: so long after the last approval, which sealed the
    clearance. None where there is none."""
    clearance = clearances.of(session, request.id, request.digest)
    if clearance is None:
        return None
    return clearance.cleared_at + policies.export(session, request).cooling_off


def demand_over_at(session: Session, request: Request, gate: Gate, outcome: str) -> None:
    """Raises CoolingOff while a gate takes no approval yet. To refuse or to return it is never too
    soon: that only withholds."""
    if outcome == Outcome.APPROVED:
        _demand_past(over_at(session, request, gate), f"{gate.stage} takes no approval before")


def demand_over_for_export(session: Session, request: Request) -> None:
    """Raises CoolingOff while an export must not be triggered yet."""
    until = over_for_export(session, request)
    if until is not None:
        _demand_past(until, "The policy lets nobody trigger this export before")


def shown(until: datetime | None) -> dict[str, datetime]:
    """`not_before`, for as long as that is still to come."""
    return {"not_before": until} if until is not None and now() < until else {}


def _demand_past(until: datetime, what: str) -> None:
    if now() < until:
        raise CoolingOff(f"{what} {until:%Y-%m-%d %H:%M} UTC: try again then.", until)
