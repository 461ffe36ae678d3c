"""Everybody who holds a role now."""

from sqlalchemy import or_
from sqlmodel import Session, col, select

from sharing.eligibility import Actor
from sharing.records.delegations import holding, of_role, stands_for
from sharing.records.parties import Person, RoleGrant
from sharing.records.tables import now
from sharing.stages import Role


def holders(session: Session, role: Role) -> list[Actor]:
    """Everybody who holds a role now, in that role, in a stable order."""
    ids = people_with(session, role)
    people = session.exec(select(Person).where(col(Person.id).in_(ids)).order_by(Person.id))
    made = holding(session, of_role(session, role), now())
    given = {one.delegate_id: [d for d in made if d.delegate_id == one.delegate_id] for one in made}
    return [
        Actor(one.id, frozenset({role}), one.partner_id, stands_for(given.get(one.id, [])))
        for one in people
        if all(d.delegator_id in ids for d in given.get(one.id, []))
    ]


def people_with(session: Session, role: Role) -> list[str]:
    """Ids of everyone who holds a role now, in a stable order."""
    at = now()
    return list(
        session.exec(
            select(RoleGrant.person_id)
            .where(
                RoleGrant.role == role,
                col(RoleGrant.valid_from) <= at,
                or_(col(RoleGrant.valid_until).is_(None), col(RoleGrant.valid_until) > at),
            )
            .distinct()
            .order_by(RoleGrant.person_id)
        )
    )
