"""Partners, people, their roles over time, and the tokens by which they come in."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ColumnElement, false, or_
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.addresses import folded
from sharing.conflict import Organisation
from sharing.eligibility import Actor
from sharing.ownership import EdgeKind
from sharing.records import delegations, statements
from sharing.records.accounts import accounts
from sharing.records.gathering import Entity, Hold, gather
from sharing.records.tables import new_id, now
from sharing.rulebook import Risk
from sharing.stages import Role

TOKEN_ID = "tok_"  # noqa: S105  (how a token is named, not one)


class Partner(SQLModel, table=True):
    """An organisation that asks for data."""

    __tablename__ = "partner"
    __table_args__ = (CheckConstraint("risk IN ('low', 'standard', 'high')", name="risk"),)
    id: str = Field(primary_key=True)
    name: str
    lei: str | None = None
    age_recipient: str | None = None
    recipient_class: str | None = None
    risk: str = Risk.STANDARD
    created_at: datetime


class PartnerParent(SQLModel, table=True):
    """An organisation that owns a partner or a part of it; `share` is a fraction of 1."""

    __tablename__ = "partner_parent"
    partner_id: str = Field(primary_key=True, foreign_key="partner.id")
    number: int = Field(primary_key=True)
    name: str
    lei: str | None = None
    share: float | None = None


class Person(SQLModel, table=True):
    """A person on record; `partner_id` if they work for a partner."""

    __tablename__ = "person"
    id: str = Field(primary_key=True)
    name: str
    email: str = Field(unique=True)
    partner_id: str | None = Field(default=None, foreign_key="partner.id")
    created_at: datetime


class RoleGrant(SQLModel, table=True):
    """A role held by a person from one moment until another."""

    __tablename__ = "role_grant"
    person_id: str = Field(primary_key=True, foreign_key="person.id")
    role: str = Field(primary_key=True)
    valid_from: datetime = Field(primary_key=True)
    valid_until: datetime | None = None


class Token(SQLModel, table=True):
    """A bearer token or a session, as its sha256. It speaks for one person, partner or subject.
    `by_provider`: the identity provider said who opens it."""

    __tablename__ = "token"
    hash: str = Field(primary_key=True)
    person_id: str | None = Field(default=None, foreign_key="person.id")
    partner_id: str | None = Field(default=None, foreign_key="partner.id")
    subject: str | None = None
    role: str
    issued_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    by_provider: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: a person or a partner's client in one role, or a subject (by name)."""

    id: str
    role: Role
    person_id: str | None
    partner_id: str | None
    subject: str | None = None


def hashed(secret: str) -> str:
    """How tokens and codes are stored: sha256 in hex. They are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_token(
    session: Session,
    role: Role,
    *,
    person_id: str | None = None,
    partner_id: str | None = None,
    subject: str | None = None,
    lifetime: timedelta | None = None,
    secret: str | None = None,
    by_provider: bool = False,
) -> str:
    """Stores a new token and returns its secret, which is never stored or shown again."""
    secret = secret or f"clr_{secrets.token_urlsafe(32)}"
    if session.get(Token, hashed(secret)) is None:
        session.add(
            Token(
                hash=hashed(secret),
                person_id=person_id,
                partner_id=partner_id,
                subject=subject,
                role=role,
                issued_at=now(),
                expires_at=now() + lifetime if lifetime else None,
                by_provider=by_provider,
            )
        )
    return secret


def principal(session: Session, secret: str) -> Principal | None:
    """Who holds this token; None if unknown, revoked, expired, or its role was taken away."""
    token = session.get(Token, hashed(secret))
    if token is None or token.revoked_at or (token.expires_at and token.expires_at <= now()):
        return None
    role = Role(token.role)
    if token.person_id and role not in roles_of(session, token.person_id):
        return None
    if (token.subject is None) == (role is Role.SUBJECT):
        return None
    return Principal(speaks_for(token), role, token.person_id, token.partner_id, token.subject)


def subject_id(subject: str) -> str:
    """How a subject is named as an actor: the log can forget nobody, so it holds no name."""
    return f"sub_{hashed(subject)[:20]}"


def speaks_for(token: Token) -> str:
    """Whom a token speaks for, by id."""
    named = subject_id(token.subject) if token.subject is not None else None
    return token.person_id or token.partner_id or named or ""


def token_by_id(session: Session, shown_id: str) -> Token | None:
    """A token by how it is named without saying it."""
    known = col(Token.hash).startswith(shown_id.removeprefix(TOKEN_ID), autoescape=True)
    right = shown_id.startswith(TOKEN_ID) and len(shown_id) == len(TOKEN_ID) + 20
    return session.exec(select(Token).where(known)).first() if right else None


def revoke_token(session: Session, secret: str) -> str | None:
    """Ends a token; returns whose it was, None if it was unknown or ended already."""
    token = session.get(Token, hashed(secret))
    if token is None or token.revoked_at is not None:
        return None
    token.revoked_at = now()
    return speaks_for(token)


def came_by_provider(session: Session, secret: str) -> bool:
    """True of a session that the identity provider opened, also once it has ended."""
    token = session.get(Token, hashed(secret))
    return token is not None and token.by_provider


def roles_of(session: Session, person_id: str, at: datetime | None = None) -> frozenset[Role]:
    """The roles a person holds at a moment."""
    at = at or now()
    held = select(RoleGrant.role).where(RoleGrant.person_id == person_id, held_at(at))
    return frozenset(Role(role) for role in session.exec(held))


def held_at(at: datetime) -> ColumnElement[bool]:
    """True of the grants of roles that are good at a moment."""
    until = col(RoleGrant.valid_until)
    return (col(RoleGrant.valid_from) <= at) & or_(until.is_(None), until > at)


def actor(session: Session, person_id: str) -> Actor | None:
    """A person as eligibility sees them; None if there is no such person. A role that is another's
    is held for as long as that other holds it; who works for a partner does by each account, and so
    does who they act for."""
    person = session.get(Person, person_id)
    if person is None:
        return None
    made = delegations.holding(session, delegations.to(session, [person_id]), now())
    gone = [one for one in made if one.role not in roles_of(session, one.delegator_id)]
    roles = roles_of(session, person_id) - {Role(one.role) for one in gone}
    acts_for, lapsed = delegations.stands_for(made), statements.lapsed(session, person_id)
    staff = frozenset(who for _, who in acts_for if employer(session, who) is not None)
    return Actor(person.id, roles, employer(session, person_id), acts_for, lapsed, staff)


def employer(session: Session, person_id: str) -> str | None:
    """The partner that a person works for, by whichever account; None if there is none."""
    found = (session.get(Person, one) for one in sorted(accounts(session, person_id)))
    return next((one.partner_id for one in found if one and one.partner_id), None)


def add_person(
    session: Session, name: str, email: str, roles: Sequence[Role], partner_id: str | None = None
) -> Person:
    """A new person with roles from now on."""
    person = Person(
        id=new_id("per"), name=name, email=email.casefold(), partner_id=partner_id, created_at=now()
    )
    session.add(person)
    session.flush()
    grant_roles(session, person.id, roles)
    return person


def grant_roles(session: Session, person_id: str, roles: Sequence[Role]) -> None:
    """Grants each role that the person does not hold already, from now on."""
    held = roles_of(session, person_id)
    session.add_all(
        RoleGrant(person_id=person_id, role=role, valid_from=now())
        for role in dict.fromkeys(roles)
        if role not in held
    )


def add_partner(
    session: Session,
    name: str,
    lei: str | None,
    parents: Sequence[tuple[Organisation, float | None]],
    age_recipient: str | None,
    recipient_class: str | None = None,
    risk: Risk = Risk.STANDARD,
) -> Partner:
    """A new partner with the parents it named, both in the graph of organisations too."""
    partner = Partner(
        id=new_id("ptr"), name=name, lei=lei, age_recipient=age_recipient, created_at=now(),
        recipient_class=recipient_class, risk=risk,
    )  # fmt: skip
    session.add(partner)
    session.flush()
    session.add_all(
        PartnerParent(
            partner_id=partner.id, number=i, name=parent.name, lei=parent.lei, share=share
        )
        for i, (parent, share) in enumerate(parents)
    )
    own = Entity(name, lei)
    holds = [
        Hold(Entity(parent.name, parent.lei), own, EdgeKind.OWNERSHIP, share, share)
        for parent, share in parents
    ]
    gather(session, [own], holds, f"partner:{partner.id}")
    return partner


def person_named(session: Session, name: str) -> Person | None:
    """A person by id or e-mail address."""
    return session.get(Person, name) or person_at(session, name)


def person_at(session: Session, email: str) -> Person | None:
    """A person by e-mail address."""
    address = folded(email)
    if address is None:
        return None
    return session.exec(select(Person).where(Person.email == address)).first()
