"""What an organisation of the graph looks like from outside."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from sharing.conflict import plain
from sharing.records.organisations import (
    OrganisationAlias,
    OrganisationEdge,
    RecordedOrganisation,
    named,
    shown,
)

View = dict[str, Any]


def found(session: Session, search: str | None, after: int, limit: int) -> list[int]:
    """Numbers behind `after`, in order, of those with these words in a name, or with this LEI."""
    row, alias = RecordedOrganisation, OrganisationAlias
    statement = select(row.id).where(col(row.id) > after)
    if search and (words := plain(search)):
        called = select(alias.organisation_id).where(
            col(alias.name_key).contains(words, autoescape=True)
        )
        statement = statement.where(
            or_(
                col(row.lei) == search.strip().upper(),
                col(row.name_key).contains(words, autoescape=True),
                col(row.id).in_(called),
            )
        )
    return list(session.exec(statement.order_by(col(row.id)).limit(limit)))


def shown_all(session: Session, numbers: Sequence[int]) -> list[View]:
    """Organisations with their other names and their owners, in the order given."""
    row, alias, edge = RecordedOrganisation, OrganisationAlias, OrganisationEdge
    rows = {one.id: one for one in session.exec(select(row).where(col(row.id).in_(numbers)))}
    names = session.exec(
        select(alias).where(col(alias.organisation_id).in_(numbers)).order_by(col(alias.name_key))
    ).all()
    edges = session.exec(
        select(edge)
        .where(col(edge.owned_id).in_(numbers))
        .order_by(col(edge.owner_id), col(edge.kind), col(edge.source))
    ).all()
    owners = named(session, {one.owner_id for one in edges})
    return [
        {
            "id": shown(number),
            "name": rows[number].name,
            "lei": rows[number].lei,
            "person": rows[number].person,
            "source": rows[number].source,
            "aliases": [one.name for one in names if one.organisation_id == number],
            "parents": [
                {
                    "id": shown(one.owner_id),
                    "name": owners[one.owner_id].name,
                    "lei": owners[one.owner_id].lei,
                    "kind": one.kind,
                    "share": one.share,
                    "at_least": one.at_least,
                    "from": one.since,
                    "until": one.until,
                    "source": one.source,
                }
                for one in edges
                if one.owned_id == number
            ],
        }
        for number in numbers
    ]
