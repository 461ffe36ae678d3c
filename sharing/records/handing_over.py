"""Handing a gate's role to somebody else for a while, and taking it back."""

from datetime import datetime

from sqlmodel import Session

from sharing.errors import NotFound, Refused, bad_field
from sharing.records import delegations, parties
from sharing.records.accounts import accounts
from sharing.records.delegations import ANY, Delegation, DelegationEnd
from sharing.records.parties import Person, RoleGrant
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.stages import GATE_ROLES, Role

DELEGABLE = frozenset(GATE_ROLES.values())
CHAIN = "delegation_chain"


def hand_over(
    unit: Unit,
    delegator: Person,
    delegate: Person,
    role: Role,
    since: datetime,
    until: datetime,
    reason: str,
    by: str,
) -> Delegation:
    """Delegates a role. The delegate holds it, with the same dates, as any role is held. Raises
    Refused where that would make a chain, or one person of two, or where there is nothing to do."""
    session, at = unit.session, now()
    since = max(since, at)
    if role not in DELEGABLE:
        raise bad_field("role", f"must be a gate's role: {', '.join(sorted(DELEGABLE))}.")
    if until <= since:
        raise bad_field("until", "must be after `from`, and not be over yet.")
    _demand_two_people(session, delegator, delegate)
    _demand_one_step(session, delegator, delegate, role, since, until)
    if role not in parties.roles_of(session, delegator.id):
        raise bad_field("role", f"{delegator.id} does not hold the role {role}.")
    if role in parties.roles_of(session, delegate.id):
        raise bad_field("to", f"{delegate.id} holds the role {role} already: nothing to delegate.")
    row = Delegation(
        id=new_id("dlg"),
        delegator_id=delegator.id,
        delegate_id=delegate.id,
        role=role,
        valid_from=since,
        valid_until=until,
        reason=reason,
        made_by=by,
        at=at,
    )
    session.add(row)
    session.info.pop(ANY, None)
    session.flush()
    _grant(session, row)
    told = {"delegator": delegator.id, "delegate": delegate.id, "role": str(role)}
    unit.audit(by, "delegation.made", delegation=row.id, **told)
    unit.tell("delegation.made", row.id, **told)
    return row


def take_back(unit: Unit, row: Delegation, by: str) -> bool:
    """Ends a delegation from now on; False where it was over already."""
    session, at = unit.session, now()
    if row.valid_until <= at or session.get(DelegationEnd, row.id) is not None:
        return False
    session.add(DelegationEnd(delegation_id=row.id, ended_by=by, at=at))
    grant = session.get(RoleGrant, (row.delegate_id, row.role, row.valid_from))
    if grant is not None:
        grant.valid_until = max(at, row.valid_from)
        session.add(grant)
    unit.audit(by, "delegation.ended", delegation=row.id)
    unit.tell("delegation.ended", row.id, role=row.role)
    return True


def get(session: Session, delegation_id: str) -> Delegation:
    """A delegation by id, or NotFound."""
    row = session.get(Delegation, delegation_id)
    if row is None:
        raise NotFound("delegation", delegation_id)
    return row


def _grant(session: Session, row: Delegation) -> None:
    key = (row.delegate_id, row.role, row.valid_from)
    grant = session.get(RoleGrant, key)  # there already where an earlier one was taken back
    if grant is None:
        grant = RoleGrant(person_id=key[0], role=key[1], valid_from=key[2])
    grant.valid_until = row.valid_until
    session.add(grant)


def _demand_two_people(session: Session, delegator: Person, delegate: Person) -> None:
    if delegate.id in accounts(session, delegator.id):
        raise bad_field("to", "is the same person: name somebody else.")
    for field, person in (("to", delegate), ("person", delegator)):
        if person.partner_id is not None:
            raise bad_field(field, f"{person.id} works for a partner: such people never decide.")


def _demand_one_step(
    session: Session,
    delegator: Person,
    delegate: Person,
    role: Role,
    since: datetime,
    until: datetime,
) -> None:
    made = delegations.of_role(session, role)
    ended = delegations.ends(session, made)
    mine, theirs = accounts(session, delegator.id), accounts(session, delegate.id)
    for one in made:
        if one.id in ended or one.valid_from >= until or one.valid_until <= since:
            continue
        if one.delegate_id in mine:
            chain = f"{one.delegator_id} > {delegator.id} > {delegate.id}"
            circle = "a circle" if one.delegator_id in theirs else "a chain"
            raise Refused(
                CHAIN, f"{chain} would be {circle}: who acts for another hands on nothing."
            )
        if one.delegator_id in theirs:
            chain = f"{delegator.id} > {delegate.id} > {one.delegate_id}"
            raise Refused(CHAIN, f"{chain} would be a chain: {delegate.id} has handed {role} on.")
        if one.delegate_id in theirs:
            raise Refused(
                CHAIN, f"{delegate.id} acts for {one.delegator_id} in the role {role} already."
            )
