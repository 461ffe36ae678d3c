"""Organisations and who owns or controls whom: the tables, and how an organisation is found."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import TypeVar

from sqlalchemy import CheckConstraint, Index, func, or_
from sqlmodel import Field, Session, SQLModel, col, select, union_all

from sharing.conflict import Organisation, plain
from sharing.ownership import EdgeKind, Named, over_all
from sharing.records.tables import Position, now

T = TypeVar("T")
CHUNK = 900  # values in one question: SQLite and PostgreSQL take more, and plan them worse
PREFIX = "org_"


class RecordedOrganisation(SQLModel, table=True):
    """A node of the graph: an organisation, or a person of whom a source only knows the name.
    `name_key` is the name as it is compared; `ref` is what a source calls one without LEI."""

    __tablename__ = "organisation"
    __table_args__ = (Index("ix_organisation_name_key", "name_key"),)
    id: int = Field(primary_key=True, sa_type=Position, sa_column_kwargs={"autoincrement": False})
    name: str
    name_key: str
    lei: str | None = Field(default=None, unique=True)
    ref: str | None = Field(default=None, unique=True)
    person: bool = False
    source: str


class OrganisationAlias(SQLModel, table=True):
    """Another name of an organisation."""

    __tablename__ = "organisation_alias"
    organisation_id: int = Field(primary_key=True, sa_type=Position, foreign_key="organisation.id")
    name_key: str = Field(primary_key=True, index=True)
    name: str


class OrganisationTwin(SQLModel, table=True):
    """Two nodes under one name of which at least one has no LEI; kept in both directions."""

    __tablename__ = "organisation_twin"
    left_id: int = Field(primary_key=True, sa_type=Position, foreign_key="organisation.id")
    right_id: int = Field(primary_key=True, sa_type=Position, foreign_key="organisation.id")


class OrganisationEdge(SQLModel, table=True):
    """One organisation's hold on another, as one source tells it. `share` is the most it may be,
    `at_least` the least, as fractions of 1. The key is in the order in which one looks down; the
    index holds all that is needed to look up."""

    __tablename__ = "organisation_edge"
    __table_args__ = (
        Index("ix_organisation_edge_up", "owned_id", "until", "share"),
        CheckConstraint("share IS NULL OR (share > 0 AND share <= 1)", name="share"),
        CheckConstraint("since IS NULL OR until IS NULL OR since <= until", name="dates"),
        {"sqlite_with_rowid": False},
    )
    owner_id: int = Field(primary_key=True, sa_type=Position, foreign_key="organisation.id")
    owned_id: int = Field(primary_key=True, sa_type=Position, foreign_key="organisation.id")
    kind: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    share: float | None = None
    at_least: float | None = None
    since: date | None = None
    until: date | None = None


def shown(number: int) -> str:
    """A node's id as it is told outside."""
    return f"{PREFIX}{number:020x}"


def number_of(shown_id: str) -> int | None:
    """The node that an id names; None for what is no such id."""
    digits = shown_id.removeprefix(PREFIX)
    try:
        number = int(digits, 16)
    except ValueError:
        return None
    return number if 0 < number < 1 << 63 and shown(number) == shown_id else None


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def named(session: Session, numbers: Iterable[int]) -> dict[int, Named]:
    """Names and LEIs by number."""
    found: dict[int, Named] = {}
    row = RecordedOrganisation
    for chunk in chunks(sorted(numbers)):
        statement = select(row.id, row.name, row.lei).where(col(row.id).in_(chunk))
        found |= {one[0]: Named(*one) for one in session.execute(statement)}
    return found


def called(session: Session, numbers: Iterable[int]) -> Iterator[tuple[int, str | None, str]]:
    """(number, LEI, name as it is compared) of each name and alias of these; no persons."""
    row, alias = RecordedOrganisation, OrganisationAlias
    for chunk in chunks(sorted(numbers)):
        these = col(row.id).in_(chunk) & col(row.person).is_(False)
        own = select(row.id, row.lei, row.name_key).where(these)
        other = (
            select(row.id, row.lei, alias.name_key)
            .join(alias, col(alias.organisation_id) == row.id)
            .where(these)
        )
        yield from ((n, lei, key) for one in (own, other) for n, lei, key in session.execute(one))


def resolve(session: Session, organisations: Sequence[Organisation]) -> list[set[int]]:
    """For each organisation the nodes that are the same: by LEI where both have one, else by name
    or alias. A person of whom only the name is known is never the same as anything."""
    known = set(organisations)
    leis = {one.lei.upper() for one in known if one.lei}
    by_lei = _by_lei(session, leis)
    by_key = by_name(session, {plain(one.name) for one in known})
    return [_same(one, by_lei, by_key) for one in organisations]


def by_name(session: Session, keys: Iterable[str]) -> dict[str, list[tuple[int, str | None]]]:
    """The nodes under each name or alias, with their LEIs; no persons."""
    found: dict[str, list[tuple[int, str | None]]] = {}
    row, alias = RecordedOrganisation, OrganisationAlias
    for chunk in chunks(sorted(keys)):
        own = select(row.name_key, row.id, row.lei).where(
            col(row.name_key).in_(chunk), col(row.person).is_(False)
        )
        other = (
            select(alias.name_key, row.id, row.lei)
            .join(row, col(row.id) == alias.organisation_id)
            .where(col(alias.name_key).in_(chunk), col(row.person).is_(False))
        )
        for key, number, lei in session.execute(union_all(own, other)):
            found.setdefault(key, []).append((number, lei))
    return found


def _by_lei(session: Session, leis: Iterable[str]) -> dict[str, int]:
    row = RecordedOrganisation
    return {
        lei: number
        for chunk in chunks(sorted(leis))
        for lei, number in session.execute(select(row.lei, row.id).where(col(row.lei).in_(chunk)))
    }


def _same(
    one: Organisation, by_lei: dict[str, int], by_key: dict[str, list[tuple[int, str | None]]]
) -> set[int]:
    lei = one.lei.upper() if one.lei else None
    found = {
        number
        for number, their_lei in by_key.get(plain(one.name), ())
        if not (lei and their_lei) or lei == their_lei
    }
    return found | ({by_lei[lei]} if lei in by_lei else set())


def more_than_all(session: Session, numbers: Iterable[int]) -> list[str]:
    """Names of those of which more than all is owned today, each owner's largest share counted."""
    edge, found = OrganisationEdge, []
    for chunk in chunks(numbers):
        largest = (
            select(edge.owned_id, edge.owner_id, func.max(edge.at_least).label("share"))
            .where(
                col(edge.owned_id).in_(chunk),
                edge.kind == EdgeKind.OWNERSHIP.value,
                or_(col(edge.until).is_(None), col(edge.until) >= now().date()),
                or_(col(edge.since).is_(None), col(edge.since) <= now().date()),
            )
            .group_by(col(edge.owned_id), col(edge.owner_id))
            .subquery()
        )
        sums = select(largest.c.owned_id, func.sum(largest.c.share)).group_by(largest.c.owned_id)
        found += [number for number, total in session.execute(sums) if over_all(total or 0.0)]
    return sorted(one.name for one in named(session, found).values())
