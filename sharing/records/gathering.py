"""How organisations and their edges come into the graph: in batches, and the same twice is once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy
from sqlalchemy import delete, insert, tuple_, update
from sqlmodel import Session, col, select

from sharing.conflict import Organisation, plain
from sharing.ownership import EdgeKind
from sharing.records.heads import take
from sharing.records.organisations import (
    OrganisationAlias,
    OrganisationEdge,
    OrganisationTwin,
    RecordedOrganisation,
    by_name,
    chunks,
    more_than_all,
    resolve,
)

_PAIRS = 300  # keys of several columns in one question
_EDGE: Any = OrganisationEdge
_COLUMNS = (
    *(_EDGE.owner_id, _EDGE.owned_id, _EDGE.kind, _EDGE.source),
    *(_EDGE.share, _EDGE.at_least, _EDGE.since, _EDGE.until),
)
_KEY = tuple_(*_COLUMNS[:4])
_EDGES: Any = sqlalchemy.select(*_COLUMNS)

EdgeKey = tuple[int, int, str, str]


@dataclass(frozen=True, slots=True)
class Entity:
    """An organisation as a source names it: by LEI, else by the source's own `ref`, else by name
    alone. Without a name it is only pointed at."""

    name: str | None = None
    lei: str | None = None
    ref: str | None = None
    aliases: tuple[str, ...] = ()
    person: bool = False

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it the same one when it is told again."""
        if self.lei:
            return "lei", self.lei.upper()
        if self.ref:
            return "ref", self.ref
        return "name", plain(self.name or "")


@dataclass(frozen=True, slots=True)
class Hold:
    """An owner's hold on what it owns, as a source tells it."""

    owner: Entity
    owned: Entity
    kind: EdgeKind
    share: float | None = None
    at_least: float | None = None
    since: date | None = None
    until: date | None = None


@dataclass(slots=True)
class Gathered:
    """What became of a batch: new organisations, edges that are new or told otherwise than before,
    edges that were known, and the names of those of which more than all is owned now. `numbers`
    are those of all entities, by identity."""

    organisations: int = 0
    edges: int = 0
    known: int = 0
    changed: bool = False
    over_all: list[str] = field(default_factory=list)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)


def gather(
    session: Session, entities: Sequence[Entity], holds: Sequence[Hold], source: str
) -> Gathered:
    """Puts entities, and the ends of holds, and the holds, on record."""
    done = Gathered()
    everybody = [*entities, *(end for hold in holds for end in (hold.owner, hold.owned))]
    _entities(session, everybody, source, done)
    done.over_all = more_than_all(session, _edges(session, holds, source, done))
    return done


def number_of(session: Session, identity: tuple[str, str]) -> int:
    """The number of an entity that is on record."""
    return _recorded(session, [identity])[identity][0]


def keep_names(session: Session, names: Sequence[str], source: str) -> None:
    """Puts organisations of whom only the name is known on record, where nobody is known by it."""
    if names:
        known = resolve(session, [Organisation(name) for name in names])
        unknown = [Entity(name) for name, found in zip(names, known, strict=True) if not found]
        gather(session, unknown, [], source)


def _entities(session: Session, told: Iterable[Entity], source: str, done: Gathered) -> None:
    merged: dict[tuple[str, str], Entity] = {}
    for one in told:
        kept = merged.setdefault(one.identity, one)
        if kept is not one:
            merged[one.identity] = _merged(kept, one)
    recorded = _recorded(session, merged)
    new = [identity for identity in merged if identity not in recorded]
    done.numbers = {identity: row[0] for identity, row in recorded.items()}
    if new:
        first = take(session.connection(), "organisation", len(new))
        done.numbers |= {identity: first + i for i, identity in enumerate(new)}
        session.connection().execute(
            insert(RecordedOrganisation),
            [_row(done.numbers[identity], merged[identity], source) for identity in new],
        )
    done.organisations = len(new)
    names = _named_anew(session, merged, recorded)
    aliases = _aliases(session, merged, done.numbers)
    done.changed = bool(new or names or aliases)
    names |= {done.numbers[identity] for identity in new if not merged[identity].person}
    _twins(session, names | aliases)


def _merged(one: Entity, other: Entity) -> Entity:
    names = [name for name in (one.name, other.name) if name]
    extra = tuple(dict.fromkeys((*one.aliases, *other.aliases, *names[1:])))
    return Entity(
        names[0] if names else None,
        one.lei,
        one.ref or other.ref,
        extra,
        one.person or other.person,
    )


def _row(number: int, one: Entity, source: str) -> dict[str, Any]:
    name = one.name or one.lei or one.ref or ""
    return {
        "id": number,
        "name": name,
        "name_key": plain(name),
        "lei": one.lei.upper() if one.lei else None,
        "ref": None if one.lei else one.ref,
        "person": one.person,
        "source": source,
    }


Known = dict[tuple[str, str], tuple[int, str]]


def _recorded(session: Session, told: Iterable[tuple[str, str]]) -> Known:
    """(number, name) of what is there already, by identity."""
    row, found = RecordedOrganisation, Known()
    wanted: dict[str, list[str]] = {"lei": [], "ref": [], "name": []}
    for what, value in told:
        wanted[what].append(value)
    columns = {"lei": col(row.lei), "ref": col(row.ref), "name": col(row.name_key)}
    for what, values in wanted.items():
        for chunk in chunks(values):
            statement = select(columns[what], row.id, row.name).where(columns[what].in_(chunk))
            if what == "name":
                statement = statement.where(
                    col(row.lei).is_(None), col(row.ref).is_(None), col(row.person).is_(False)
                )
            for value, number, name in session.execute(statement):
                found[what, value] = (number, name)
    return found


def _named_anew(session: Session, told: dict[tuple[str, str], Entity], recorded: Known) -> set[int]:
    """Gives a name to whoever was only pointed at so far; returns who that was."""
    anew = {
        number: told[identity].name
        for identity, (number, name) in recorded.items()
        if name == identity[1] and identity[0] != "name" and told[identity].name not in (None, name)
    }
    for number, name in anew.items():
        session.connection().execute(
            update(RecordedOrganisation)
            .where(col(RecordedOrganisation.id) == number)
            .values(name=name, name_key=plain(name or ""))
        )
    return set(anew)


def _aliases(
    session: Session, told: dict[tuple[str, str], Entity], numbers: dict[tuple[str, str], int]
) -> set[int]:
    """Keeps names under which nobody is known yet; returns whose they are."""
    row, alias = RecordedOrganisation, OrganisationAlias
    wanted = {
        (numbers[identity], plain(name)): name
        for identity, one in told.items()
        if not one.person
        for name in (*one.aliases, *([one.name] if one.name else []))
    }
    there: set[tuple[int, str]] = set()
    for chunk in chunks({number for number, _ in wanted}):
        own = select(row.id, row.name_key).where(col(row.id).in_(chunk))
        other = select(alias.organisation_id, alias.name_key).where(
            col(alias.organisation_id).in_(chunk)
        )
        there |= {(n, k) for one in (own, other) for n, k in session.execute(one)}
    rows = [
        {"organisation_id": number, "name_key": key, "name": name}
        for (number, key), name in wanted.items()
        if (number, key) not in there
    ]
    if rows:
        session.connection().execute(insert(OrganisationAlias), rows)
    return {number for number, key in wanted if (number, key) not in there}


def _twins(session: Session, numbers: set[int]) -> None:
    """Notes who else is under a name of theirs, where one of the two has no LEI."""
    row, alias, twin = RecordedOrganisation, OrganisationAlias, OrganisationTwin
    names: list[tuple[int, str | None, str]] = []
    for chunk in chunks(numbers):
        own = select(row.id, row.lei, row.name_key).where(col(row.id).in_(chunk))
        other = (
            select(row.id, row.lei, alias.name_key)
            .join(alias, col(alias.organisation_id) == row.id)
            .where(col(row.id).in_(chunk))
        )
        names += [tuple(found) for one in (own, other) for found in session.execute(one)]
    under = by_name(session, {key for _, _, key in names})
    pairs = {
        pair
        for number, lei, key in names
        for other_number, other_lei in under.get(key, ())
        if number != other_number and not (lei and other_lei)
        for pair in ((number, other_number), (other_number, number))
    }
    there = {
        (left, right)
        for chunk in chunks({left for left, _ in pairs})
        for left, right in session.execute(
            select(twin.left_id, twin.right_id).where(col(twin.left_id).in_(chunk))
        )
    }
    new = [{"left_id": left, "right_id": right} for left, right in sorted(pairs - there)]
    if new:
        session.connection().execute(insert(twin), new)


def _edges(session: Session, holds: Sequence[Hold], source: str, done: Gathered) -> set[int]:
    """Writes what is new or told otherwise than before; returns what is owned by it."""
    told = {}
    for hold in holds:
        owner, owned = done.numbers[hold.owner.identity], done.numbers[hold.owned.identity]
        key = (owner, owned, hold.kind.value, source)
        told[key] = (hold.share, hold.at_least, hold.since, hold.until)
    there = _there(session, told)
    new = {key: said for key, said in told.items() if there.get(key) != said}
    edge, connection = OrganisationEdge, session.connection()
    for chunk in chunks([key for key in new if key in there], _PAIRS):
        connection.execute(delete(edge).where(_KEY.in_(chunk)))
    if new:
        names = [column.name for column in _COLUMNS]
        rows = [dict(zip(names, (*key, *said), strict=True)) for key, said in new.items()]
        connection.execute(insert(edge), rows)
    done.edges, done.known = len(new), len(told) - len(new)
    done.changed = done.changed or bool(new)
    return {key[1] for key in new}


def _there(session: Session, keys: Iterable[EdgeKey]) -> dict[EdgeKey, tuple[Any, ...]]:
    found: dict[EdgeKey, tuple[Any, ...]] = {}
    for chunk in chunks(keys, _PAIRS):
        for row in session.execute(_EDGES.where(_KEY.in_(chunk))):
            found[row[0], row[1], row[2], row[3]] = tuple(row[4:])
    return found
