"""What people on record look like to people inside: a list to search in, and one with all that
hangs on them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from sharing.records import by_names, delegations, roles, statements
from sharing.records.accounts import accounts, human
from sharing.records.claims import Claim
from sharing.records.delegations import Delegation
from sharing.records.known_names import names
from sharing.records.parties import TOKEN_ID, Person, RoleGrant, Token, held_at
from sharing.records.tables import now
from sharing.stages import Role

View = dict[str, Any]


def people(
    session: Session,
    limit: int,
    *,
    search: str = "",
    role: Role | None = None,
    after: Sequence[str] = (),
    by_name: bool = False,
) -> list[View]:
    """People with the roles held now, by id or by name, behind a place in that order. `search`: a
    part of a name or address, or an id."""
    order = by_names.order(Person.name, Person.id, by_name=by_name)
    statement = select(Person).where(*_sought(search, role)).order_by(*order).limit(limit)
    if after:
        statement = statement.where(by_names.behind(Person.name, Person.id, after, by_name=by_name))
    rows = session.exec(statement).all()
    held = roles_now(session, [row.id for row in rows])
    return [view(row, held.get(row.id, [])) for row in rows]


def _sought(search: str, role: Role | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(
            or_(
                by_names.called(Person.name, search),
                col(Person.email).contains(search.casefold(), autoescape=True),
                col(Person.id) == search,
            )
        )
    if role is not None:
        held = select(RoleGrant.person_id).where(RoleGrant.role == role, held_at(now()))
        conditions.append(col(Person.id).in_(held))
    return conditions


def roles_now(session: Session, people_ids: Sequence[str]) -> dict[str, list[str]]:
    """The roles that each of these holds now."""
    rows = session.exec(
        select(RoleGrant.person_id, RoleGrant.role)
        .where(col(RoleGrant.person_id).in_(people_ids), held_at(now()))
        .order_by(RoleGrant.role)
        .distinct()
    )
    found: dict[str, list[str]] = {}
    for person_id, role in rows:
        found.setdefault(person_id, []).append(role)
    return found


def view(person: Person, held: Sequence[str]) -> View:
    """One person in a list."""
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "partner": person.partner_id,
        "roles": sorted(held),
        "created_at": person.created_at,
    }


def person_view(session: Session, person: Person) -> View:
    """One person with every role ever held, other accounts, delegations, what is in hand, until
    when their statement of interests is good, and their tokens."""
    others = sorted(accounts(session, person.id) - {person.id})
    made = _delegations(session, person.id)
    about = [*others, *(one[side] for one in made for side in ("person", "to")), person.partner_id]
    held = roles_now(session, [person.id]).get(person.id, [])
    stated = statements.latest(session, person.id)
    return {
        **view(person, held),
        "same_as": human(session, person.id),
        "accounts": others,
        "grants": _grants(session, person.id),
        "delegations": made,
        "claims": _claims(session, person.id),
        "statement_until": stated.valid_until if stated else None,
        "tokens": tokens(session, Token.person_id, person.id),
        "names": names(session, about),
    }


def _grants(session: Session, person_id: str) -> list[View]:
    lent = {(one.role, one.valid_from): one for one in delegations.to(session, [person_id])}
    return [
        {
            "role": grant.role,
            "from": grant.valid_from,
            "until": grant.valid_until,
            "held": grant.valid_from <= now()
            and (grant.valid_until is None or grant.valid_until > now()),
            "delegation": lent[key].id if (key := (grant.role, grant.valid_from)) in lent else None,
        }
        for grant in roles.history(session, person_id)
    ]


def _delegations(session: Session, person_id: str) -> list[View]:
    rows = session.exec(
        select(Delegation)
        .where(
            or_(
                col(Delegation.delegator_id) == person_id,
                col(Delegation.delegate_id) == person_id,
            )
        )
        .order_by(col(Delegation.at).desc())
    ).all()
    ended = delegations.ends(session, rows)
    return [
        {
            "id": row.id,
            "person": row.delegator_id,
            "to": row.delegate_id,
            "role": row.role,
            "from": row.valid_from,
            "until": row.valid_until,
            "reason": row.reason,
            "ended_at": ended.get(row.id),
        }
        for row in rows
    ]


def _claims(session: Session, person_id: str) -> list[View]:
    rows = session.exec(
        select(Claim)
        .where(Claim.person_id == person_id, col(Claim.ended_at).is_(None))
        .where(or_(col(Claim.until).is_(None), col(Claim.until) > now()))
        .order_by(col(Claim.at).desc())
    ).all()
    titles = names(session, [row.request_id for row in rows])
    return [
        {
            "request": row.request_id,
            "title": titles.get(row.request_id, row.request_id),
            "stage": row.stage,
            "until": row.until,
        }
        for row in rows
    ]


def tokens(session: Session, holder: Any, who: str, most: int = 50) -> list[View]:
    """The latest tokens and sessions of somebody: what they were for and until when, never what
    they are."""
    rows = session.exec(
        select(Token).where(holder == who).order_by(col(Token.issued_at).desc()).limit(most)
    )
    return [
        {
            "id": token_id(row),
            "role": row.role,
            "issued_at": row.issued_at,
            "expires_at": row.expires_at,
            "revoked_at": row.revoked_at,
            "good": row.revoked_at is None and (row.expires_at is None or row.expires_at > now()),
        }
        for row in rows
    ]


def token_id(row: Token) -> str:
    """How a token is named without saying it."""
    return f"{TOKEN_ID}{row.hash[:20]}"
