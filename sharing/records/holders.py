"""Everybody who holds a role now."""

from dataclasses import replace

from sqlmodel import Session, select

from sharing.eligibility import Actor
from sharing.records.parties import RoleGrant, actor, held_at
from sharing.records.tables import now
from sharing.stages import Role


def holders(session: Session, role: Role) -> list[Actor]:
    """Everybody who holds a role now, in that role, in a stable order."""
    found = (actor(session, one) for one in people_with(session, role))
    return [replace(one, roles=frozenset({role})) for one in found if one and role in one.roles]


def people_with(session: Session, role: Role) -> list[str]:
    """Ids of everyone who holds a role now, in a stable order."""
    held = select(RoleGrant.person_id).where(RoleGrant.role == role, held_at(now()))
    return list(session.exec(held.distinct().order_by(RoleGrant.person_id)))
