"""What an organisation of the graph looks like from outside."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from sharing.conflict import Organisation, plain
from sharing.ownership import Edge, Named
from sharing.records.graph import RecordedGraph
from sharing.records.organisations import (
    OrganisationAlias,
    OrganisationEdge,
    RecordedOrganisation,
    named,
    resolve,
    shown,
)
from sharing.records.parties import Partner
from sharing.records.tables import now

View = dict[str, Any]
MOST, HIGHEST = 20, 8  # lines that are shown, and steps that each has at most


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


def whole(session: Session, number: int) -> View:
    """One organisation with its owners, what it owns, the lines of owners above it up to those that
    nobody owns, partners that are the same, and how many interests are declared in it by name."""
    view = shown_all(session, [number])[0]
    graph = RecordedGraph(session, now().date())
    return {
        **view,
        "owns": _owned(session, graph, number),
        "paths": _paths(session, graph, number),
        "partners": _partners(session, number),
    }


def _owned(session: Session, graph: RecordedGraph, number: int) -> list[View]:
    edges = graph.owned([number]).get(number, [])
    known = named(session, {edge.owned for edge in edges[:MOST]})
    return [
        {
            "id": shown(edge.owned),
            "name": known[edge.owned].name,
            "kind": edge.kind,
            "share": edge.share,
        }
        for edge in edges[:MOST]
    ]


def _paths(session: Session, graph: RecordedGraph, number: int) -> list[list[View]]:
    """Lines of owners, each from one that nobody owns, as recorded, down to this one."""
    done: list[list[Edge]] = []
    open_ends: list[list[Edge]] = [[]]
    for _ in range(HIGHEST):
        tops = {line[-1].owner if line else number for line in open_ends}
        above, longer = graph.owners(tops), []
        for line in open_ends:
            top = line[-1].owner if line else number
            seen = {number, *(edge.owner for edge in line)}
            more = [[*line, edge] for edge in above.get(top, []) if edge.owner not in seen]
            longer += more
            if not more and line:
                done.append(line)
        open_ends = longer[: MOST - len(done)]
    lines = [*done, *open_ends][:MOST]
    known = named(session, {n for line in lines for e in line for n in (e.owner, e.owned)})
    return [[_leg(known, edge) for edge in reversed(line)] for line in lines]


def _leg(known: dict[int, Named], edge: Edge) -> View:
    ends = {
        side: {"id": shown(n), "name": known[n].name, "lei": known[n].lei}
        for side, n in (("from", edge.owner), ("to", edge.owned))
    }
    return {**ends, "owns": True, "kind": edge.kind, "share": edge.share}


def _partners(session: Session, number: int) -> list[View]:
    """Partners that are this very organisation."""
    rows = session.exec(select(Partner).order_by(Partner.name)).all()
    same = resolve(session, [Organisation(row.name, row.lei) for row in rows])
    return [
        {"id": row.id, "name": row.name}
        for row, numbers in zip(rows, same, strict=True)
        if number in numbers
    ]
