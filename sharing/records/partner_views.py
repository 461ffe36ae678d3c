"""What partners look like to people inside: a list to search in, and one with its keys, its tokens,
who owns it, and what it asked for."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from sharing.conflict import Organisation
from sharing.records import by_names, lookback, organisation_views, partner_keys
from sharing.records.organisations import resolve
from sharing.records.parties import Partner, PartnerParent, Person, Token
from sharing.records.people_views import tokens

View = dict[str, Any]


def partners(
    session: Session,
    limit: int,
    *,
    search: str = "",
    after: Sequence[str] = (),
    by_name: bool = False,
) -> list[View]:
    """Partners, by id or by name, behind a place in that order. `search`: a part of a name, a LEI
    or an id."""
    order = by_names.order(Partner.name, Partner.id, by_name=by_name)
    statement = select(Partner).order_by(*order).limit(limit)
    if search:
        words = by_names.called(Partner.name, search)
        exact = or_(col(Partner.id) == search, col(Partner.lei) == search.upper())
        statement = statement.where(or_(words, exact))
    if after:
        statement = statement.where(
            by_names.behind(Partner.name, Partner.id, after, by_name=by_name)
        )
    rows = session.exec(statement).all()
    parents = _parents(session, [row.id for row in rows])
    return [view(row, parents.get(row.id, [])) for row in rows]


def _parents(session: Session, ids: Sequence[str]) -> dict[str, list[View]]:
    found: dict[str, list[View]] = {}
    for row in session.exec(
        select(PartnerParent)
        .where(col(PartnerParent.partner_id).in_(ids))
        .order_by(PartnerParent.partner_id, col(PartnerParent.number))
    ):
        told = {"name": row.name, "lei": row.lei, "share": row.share}
        found.setdefault(row.partner_id, []).append(told)
    return found


def view(partner: Partner, parents: Sequence[View]) -> View:
    """One partner in a list."""
    return {
        "id": partner.id,
        "name": partner.name,
        "lei": partner.lei,
        "parents": list(parents),
        "age_recipient": partner.age_recipient,
        "recipient_class": partner.recipient_class,
        "risk": partner.risk,
        "created_at": partner.created_at,
    }


def partner_view(session: Session, partner: Partner) -> View:
    """One partner with signatories' keys, tokens, people of its, its place in the graph of
    organisations, and its requests."""
    numbers = resolve(session, [Organisation(partner.name, partner.lei)])[0]
    people = select(Person.id, Person.name).where(Person.partner_id == partner.id)
    return {
        **view(partner, _parents(session, [partner.id]).get(partner.id, [])),
        "keys": [_key(row) for row in partner_keys.of(session, partner.id)],
        "tokens": tokens(session, Token.partner_id, partner.id),
        "people": [{"id": row[0], "name": row[1]} for row in session.execute(people)],
        "organisations": organisation_views.shown_all(session, sorted(numbers)),
        **lookback.of_partner(session, partner.id),
    }


def _key(row: partner_keys.PartnerKey) -> View:
    return {
        "id": row.id,
        "key": row.key,
        "signatory": row.signatory,
        "added_at": row.added_at,
        "revoked_at": row.revoked_at,
    }
