"""What was said behind a position of the ledger, and which shards of an export it is about.

From the events to the objects, subject by subject, never the other way: what it costs depends on
what is new, and on nothing else. OFFSET keeps PostgreSQL from turning a look-up into a join, which
without fresh statistics reads the whole dataset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlmodel import Session

from sharing.consent import Action, ConsentEvent
from sharing.questions import Questions, matters_to_any
from sharing.records import heads, lists
from sharing.records.exports import ExportShard
from sharing.records.places import among

_NEW = text("""SELECT position, subject, purpose, category, recipient, action, jurisdiction, minor
  FROM consent_event WHERE position > :after AND position <= :head ORDER BY position""")
_PLACES = {
    "sqlite": """SELECT o.position, o.subject FROM json_each(:subjects) s
      CROSS JOIN dataset_object o WHERE o.dataset_id = :dataset AND o.index_version = :index
      AND o.subject = s.value""",
    "postgresql": """SELECT o.position, s.value
      FROM unnest(CAST(:subjects AS text[])) AS s(value) CROSS JOIN LATERAL (
        SELECT position FROM dataset_object d WHERE d.dataset_id = :dataset
        AND d.index_version = :index AND d.subject = s.value OFFSET 0) o""",
}

_NO_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """The last position at which a subject said something that may matter, and whether any of it
    was against something."""

    position: int
    against: bool


def since(session: Session, asked: Questions, position: int) -> dict[str, Said]:
    """By subject, what was said behind a ledger position that could end a consent that stands:
    an event that has no say in what is asked and tells nothing of its subject is passed over."""
    head = heads.position(session.connection(), "consent")
    found: dict[str, Said] = {}
    known: dict[tuple[Any, ...], bool] = {}
    for place, subject, *said in session.execute(_NEW, {"after": position, "head": head}):
        terms = tuple(said)
        if (counts := known.get(terms)) is None:
            counts = known[terms] = matters_to_any(asked, _event(*terms))
        if counts:
            before = found.get(subject)
            against = terms[3] != Action.GIVEN or (before is not None and before.against)
            found[subject] = Said(place, against)
    return found


def _event(
    purpose: str, category: str, recipient: str, action: str, where: str | None, minor: bool | None
) -> ConsentEvent:
    """Somebody's event, with as much of it as `matters` looks at."""
    said = (purpose, category, recipient, Action(action), False, "", "", _NO_TIME)
    return ConsentEvent(0, "", *said, jurisdiction=where, minor=minor)


def in_shards(
    session: Session,
    scope: tuple[str, int],
    shards: Sequence[ExportShard],
    known: Mapping[int, int],
    said: Mapping[str, Said],
) -> dict[int, list[str]]:
    """By number of a shard, the subjects in it who said something behind the position that is
    `known` of it. `scope` names a dataset and a version of its index."""
    found = sorted(_places(session, scope, list(said)))
    places = np.array([place for place, _ in found], np.int64)
    positions = np.array([said[subject].position for _, subject in found], np.int64)
    inside: dict[int, list[str]] = {}
    for shard in shards:
        part = slice(*np.searchsorted(places, [shard.first, shard.last + 1]).tolist())
        new = positions[part] > known[shard.number]
        if new.any():
            new &= among(shard.places, shard.first, places[part])
            inside[shard.number] = [found[part.start + i][1] for i in np.flatnonzero(new).tolist()]
    return {number: subjects for number, subjects in inside.items() if subjects}


def _places(
    session: Session, scope: tuple[str, int], subjects: Sequence[str]
) -> Iterator[tuple[int, str]]:
    """(index position, subject) of every object of some subjects."""
    connection = session.connection()
    statement = text(_PLACES[connection.dialect.name])
    for start in range(0, len(subjects), lists.AT_ONCE):
        page = lists.bound(connection, subjects[start : start + lists.AT_ONCE])
        given = {"subjects": page, "dataset": scope[0], "index": scope[1]}
        yield from ((row[0], row[1]) for row in session.execute(statement, given))
