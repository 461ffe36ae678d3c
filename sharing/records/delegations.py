"""Who acts for whom: a gate's role handed to somebody else from one moment until another.

A delegation is never changed; one that was taken back has a row beside it. The delegate's role
itself is a grant with the same dates, as all roles are: nothing asks anywhere else who may act.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.stages import GATE_ROLES, Role

ANY = "any_delegation"


class Delegation(SQLModel, table=True):
    """The role of one person, held by another for a while, in the first one's place."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("valid_until > valid_from", name="validity"),
        CheckConstraint("delegate_id <> delegator_id", name="two_people"),
        CheckConstraint(
            f"role IN ({', '.join(repr(str(role)) for role in sorted(GATE_ROLES.values()))})",
            name="role",
        ),
    )
    id: str = Field(primary_key=True)
    delegator_id: str = Field(foreign_key="person.id", index=True)
    delegate_id: str = Field(foreign_key="person.id", index=True)
    role: str
    valid_from: datetime
    valid_until: datetime
    reason: str
    made_by: str
    at: datetime


class DelegationEnd(SQLModel, table=True):
    """A delegation that was taken back before its time, and since when."""

    __tablename__ = "delegation_end"
    delegation_id: str = Field(primary_key=True, foreign_key="delegation.id")
    ended_by: str
    at: datetime


def to(session: Session, people: Collection[str]) -> list[Delegation]:
    """Every delegation ever made to any of these people."""
    if not people or not _any(session):
        return []
    statement = select(Delegation).where(col(Delegation.delegate_id).in_(people))
    return list(session.exec(statement.order_by(col(Delegation.at))))


def by(session: Session, people: Collection[str]) -> list[Delegation]:
    """Every delegation ever made by any of these people."""
    if not people or not _any(session):
        return []
    return list(session.exec(select(Delegation).where(col(Delegation.delegator_id).in_(people))))


def _any(session: Session) -> bool:
    """False where nobody ever acted for somebody else, which a session asks once."""
    if ANY not in session.info:
        found = session.connection().exec_driver_sql("SELECT id FROM delegation LIMIT 1")
        session.info[ANY] = found.first() is not None
    return bool(session.info[ANY])


def of_role(session: Session, role: Role) -> list[Delegation]:
    """Every delegation ever made of a role."""
    return list(session.exec(select(Delegation).where(Delegation.role == role)))


def ends(session: Session, made: Iterable[Delegation]) -> dict[str, datetime]:
    """Since when delegations no longer hold that were taken back."""
    ids = [one.id for one in made]
    if not ids:
        return {}
    rows = session.exec(select(DelegationEnd).where(col(DelegationEnd.delegation_id).in_(ids)))
    return {row.delegation_id: row.at for row in rows}


def holding(session: Session, made: Iterable[Delegation], at: datetime) -> list[Delegation]:
    """Those that hold at a moment."""
    begun = [one for one in made if one.valid_from <= at < one.valid_until]
    ended = ends(session, begun)
    return [one for one in begun if one.id not in ended or ended[one.id] > at]


def stands_for(made: Iterable[Delegation]) -> frozenset[tuple[Role, str]]:
    """The roles that are somebody else's, and whose."""
    return frozenset((Role(one.role), one.delegator_id) for one in made)


def delegators(
    session: Session, acts: Iterable[tuple[str, Role, datetime]]
) -> dict[tuple[str, Role, datetime], str]:
    """For whom acts were done, each named by its actor, role and moment; nothing where somebody
    acted for nobody else."""
    known = list(acts)
    made = to(session, {who for who, _, _ in known})
    ended = ends(session, made)
    return {
        (who, role, at): one.delegator_id
        for who, role, at in known
        for one in made
        if (one.delegate_id, one.role) == (who, role)
        and one.valid_from <= at < one.valid_until
        and (one.id not in ended or ended[one.id] > at)
    }
