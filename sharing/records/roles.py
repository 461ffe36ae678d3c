"""Giving a role to somebody who is on record, and taking it away. Nobody does either to themselves:
it takes another admin, by which there is always one left."""

from sqlmodel import Session, col, select

from sharing.errors import Refused, bad_field
from sharing.records import delegations, parties
from sharing.records.accounts import accounts
from sharing.records.parties import Person, RoleGrant, held_at
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Role


def give(unit: Unit, person: Person, role: Role, by: str) -> None:
    """A role from now on; raises Refused where it is held already, or is nobody's to hold."""
    demand_another(unit.session, person.id, by)
    if role is Role.SUBJECT:
        raise bad_field("role", "is for the people in the data, who are not on record as people.")
    if role is Role.PARTNER and person.partner_id is None:
        raise bad_field("role", "is for people who work for a partner, and this person does not.")
    if role in parties.roles_of(unit.session, person.id):
        raise Refused("exists", "This person holds the role already.")
    parties.grant_roles(unit.session, person.id, [role])
    _told(unit, "role.given", person, role, by)


def take(unit: Unit, person: Person, role: Role, by: str) -> None:
    """Ends a role now, and with it every token for it; raises Refused where it is not held, or only
    in somebody else's place."""
    demand_another(unit.session, person.id, by)
    held = select(RoleGrant).where(
        RoleGrant.person_id == person.id, RoleGrant.role == role, held_at(now())
    )
    grants = unit.session.exec(held).all()
    if not grants:
        raise Refused("wrong_state", "This person does not hold the role now.")
    lent = _lent(unit.session, person.id, role)
    if any(grant.valid_from in lent for grant in grants):
        raise Refused(
            "wrong_state", "The role is held in somebody else's place: take the delegation back."
        )
    for grant in grants:
        grant.valid_until = now()
        unit.session.add(grant)
    _told(unit, "role.taken", person, role, by)


def demand_another(session: Session, person_id: str, by: str) -> None:
    """Raises Refused where somebody would give or take a role of their own, by any account."""
    if person_id in accounts(session, by):
        raise Refused("four_eyes", "Nobody gives or takes a role of their own: ask another admin.")


def history(session: Session, person_id: str) -> list[RoleGrant]:
    """Every role that a person ever held, the latest first."""
    rows = select(RoleGrant).where(RoleGrant.person_id == person_id)
    return list(session.exec(rows.order_by(col(RoleGrant.valid_from).desc(), RoleGrant.role)))


def _lent(session: Session, person_id: str, role: Role) -> set[object]:
    """When roles began that are another's."""
    return {one.valid_from for one in delegations.to(session, [person_id]) if one.role == role}


def _told(unit: Unit, what: str, person: Person, role: Role, by: str) -> None:
    unit.audit(by, what, person=person.id, role=str(role))
    unit.tell(what, person.id, role=str(role))
