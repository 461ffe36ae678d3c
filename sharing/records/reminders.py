"""People who let a gate wait are reminded, and others are told, once for each opening of the gate.

What is due is read from the gate's own row, and by the engine server's clock: who asks too early,
or twice, or behind a decision, changes nothing. A gate at which nobody is left who may decide is
told at once, and waits: it never falls through.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session

from sharing.eligibility import Act, Actor, demand_disinterested
from sharing.errors import NotEligible
from sharing.patience import Schedule
from sharing.records import decisions, parties, requests
from sharing.records.holders import holders
from sharing.records.requests import Gate, Request
from sharing.records.unit import Unit
from sharing.records.waiting import eligible
from sharing.stages import GATE_ROLES, Role, Stage

DEADLINE = "system:deadline"
NOBODY_LEFT, UNDECIDED = "nobody_left", "undecided"


def who_may_decide(session: Session, request: Request, stage: Stage) -> list[str]:
    """Ids of those who may decide at a gate now, in a role that it still needs."""
    case = requests.case(session, request)

    def may(person: Actor, role: Role) -> bool:
        beside = None if role is GATE_ROLES[stage] else role
        return eligible(Act.DECIDE, person, case, stage, beside)

    needs = decisions.lacking(session, request, stage)
    return [p.id for n in needs for p in holders(session, n.role) if may(p, n.role)]


def who_is_told(session: Session, request: Request, named: Iterable[str]) -> list[str]:
    """Ids of the people that roles, ids and e-mail addresses name, but for those who must have no
    hand in this request."""
    case, found = requests.case(session, request), []
    for one in named:
        for person in _named(session, one):
            try:
                demand_disinterested(person, case)
            except NotEligible:
                continue
            found.append(person.id)
    return list(dict.fromkeys(found))


def begin(gate: Gate, schedule: Schedule) -> None:
    """A gate opens: nobody was reminded yet."""
    gate.reminds_at, gate.escalates_at = schedule.reminds_at, schedule.escalates_at
    gate.reminded_at, gate.escalated_at, gate.escalated_to = None, None, []


def nobody_left(unit: Unit, request: Request, gate: Gate, named: Sequence[str]) -> None:
    """A gate opens at which nobody is left who may decide: others are told at once."""
    _escalate(unit, request, gate, gate.opened_at, named, NOBODY_LEFT)


def next_at(gate: Gate) -> datetime | None:
    """When there is something to be told about an open gate; None where all of it was."""
    if gate.outcome is not None:
        return None
    if gate.reminded_at is None and gate.reminds_at is not None:
        return gate.reminds_at
    return gate.escalates_at if gate.escalated_at is None else None


def tell(unit: Unit, request: Request, gate: Gate, at: datetime, named: Sequence[str]) -> None:
    """Tells what is due at a moment: reminds those who may decide, then tells the others named."""
    if gate.outcome is not None or at >= gate.until:
        return
    if gate.reminded_at is None and gate.reminds_at is not None and at >= gate.reminds_at:
        gate.reminded_at = at
        people = who_may_decide(unit.session, request, Stage(gate.stage))
        if people:
            _told(unit, request, "gate.reminded", gate.stage, people)
        elif gate.escalated_at is None:
            _escalate(unit, request, gate, at, named, NOBODY_LEFT)
    if gate.escalated_at is None and gate.escalates_at is not None and at >= gate.escalates_at:
        _escalate(unit, request, gate, at, named, UNDECIDED)


def _escalate(
    unit: Unit, request: Request, gate: Gate, at: datetime, named: Sequence[str], why: str
) -> None:
    people = who_is_told(unit.session, request, named)
    gate.escalated_at, gate.escalated_to = at, people
    _told(unit, request, "gate.escalated", gate.stage, people, why=why)


def _told(
    unit: Unit, request: Request, what: str, stage: str, people: list[str], **more: str
) -> None:
    said = {"stage": stage, "people": people, **more}
    unit.audit(DEADLINE, what, request.id, **said)
    unit.tell(what, request.id, partner_id=request.partner_id, request_id=request.id, **said)


def _named(session: Session, one: str) -> list[Actor]:
    if one in tuple(Role):
        return holders(session, Role(one))
    person = parties.person_named(session, one)
    found = parties.actor(session, person.id) if person else None
    return [found] if found else []
