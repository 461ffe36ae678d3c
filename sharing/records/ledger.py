"""The consent ledger in columns: subjects and statements by number, and hash-linked checkpoints.

Each append writes one checkpoint: its events once more, as arrays of numbers that a whole scope can
be judged from without reading a line of text. Its hash covers the text, the arrays and the
checkpoint before it, so neither can be changed alone."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, LargeBinary, text
from sqlmodel import Field, Session, SQLModel, col, insert, select

from sharing.records import heads
from sharing.records.tables import Position

GENESIS = "0" * 64
NEVER = 2**63 - 1  # `until` of what does not run out
LAYOUT = (("subject", "<u4"), ("statement", "<u4"), ("at", "<i8"), ("until", "<i8"))
# What a statement consists of; with subject and times it is all that a verdict depends on.
TERMS = ("purpose", "category", "recipient", "action", "explicit", "notice", "notice_version",
         "method", "jurisdiction", "minor")  # fmt: skip
BESIDES = ("controller", "lawful_basis", "source", "source_id", "evidence")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ASKED_AT_ONCE = 5_000
_UNNUMBERED = """FROM (SELECT subject, MIN(position) AS place FROM dataset_object
  WHERE dataset_id = :dataset AND index_version = :index GROUP BY subject) o
  WHERE NOT EXISTS (SELECT 1 FROM subject s WHERE s.name = o.subject)"""
_NUMBER = f"""INSERT INTO subject (number, name)
  SELECT :first - 1 + ROW_NUMBER() OVER (ORDER BY place), subject {_UNNUMBERED}"""


class Subject(SQLModel, table=True):
    """A dense number for each subject, from 0, given once."""

    __tablename__ = "subject"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(unique=True)


class Statement(SQLModel, table=True):
    """A dense number for each different thing ever said; `terms` is a JSON list of TERMS."""

    __tablename__ = "consent_statement"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    terms: str = Field(unique=True)


class Checkpoint(SQLModel, table=True):
    """The events of one append, from `first` to `last`, in columns, linked to the one before."""

    __tablename__ = "consent_checkpoint"
    last: int = Field(primary_key=True, sa_type=Position, sa_column_kwargs={"autoincrement": False})
    first: int = Field(sa_type=Position)
    previous: str
    events_sha256: str
    columns: bytes = Field(sa_type=LargeBinary)
    hash: str
    at: datetime


class LedgerBroken(Exception):
    """The consent ledger was changed behind our back: says where."""


def micros(moment: datetime | None) -> int:
    """Microseconds since 1970 in UTC; NEVER for none."""
    return NEVER if moment is None else (moment - _EPOCH) // _MICROSECOND


def checkpoint(connection: Connection, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Links events, just appended, to the chain. Each row holds every column, in position order."""
    subjects = numbered(connection, [row["subject"] for row in rows])
    statements = _statements(connection, rows)
    columns = b"".join(
        np.array(values, dtype=kind).tobytes()
        for (_, kind), values in zip(
            LAYOUT,
            (
                [subjects[row["subject"]] for row in rows],
                [statements[_terms(row)] for row in rows],
                [micros(row["at"]) for row in rows],
                [micros(row["valid_until"]) for row in rows],
            ),
            strict=True,
        )
    )
    first, last = rows[0]["position"], rows[-1]["position"]
    previous = head(connection)[1]
    events = events_digest(rows)
    connection.execute(
        insert(Checkpoint),
        {
            "last": last,
            "first": first,
            "previous": previous,
            "events_sha256": events,
            "columns": columns,
            "hash": link(previous, first, last, events, columns),
            "at": at,
        },
    )


def link(previous: str, first: int, last: int, events_sha256: str, columns: bytes) -> str:
    """The hash of a checkpoint, in hex."""
    folded = hashlib.sha256(columns).hexdigest()
    return hashlib.sha256(
        f"{previous}|{first}|{last}|{events_sha256}|{folded}".encode()
    ).hexdigest()


def events_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """sha256, in hex, over the text of events: a JSON list a line."""
    digest, dumps = hashlib.sha256(), json.JSONEncoder(separators=(",", ":")).encode
    for row in rows:
        line = [row["position"], row["subject"], *(row[name] for name in TERMS)]
        line += [micros(row["at"]), micros(row["valid_until"]), *(row[name] for name in BESIDES)]
        digest.update(dumps([*line, micros(row["recorded_at"])]).encode() + b"\n")
    return digest.hexdigest()


def head(connection: Connection) -> tuple[int, str]:
    """The last position that a checkpoint covers, and its hash."""
    found = connection.execute(
        select(Checkpoint.last, Checkpoint.hash).order_by(col(Checkpoint.last).desc()).limit(1)
    ).first()
    return (found[0], found[1]) if found else (0, GENESIS)


def numbered(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The number of each subject; who has none yet gets one."""
    wanted = list(dict.fromkeys(names))
    known: dict[str, int] = {}
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        page = wanted[start : start + _ASKED_AT_ONCE]
        found = connection.execute(
            select(Subject.name, Subject.number).where(col(Subject.name).in_(page))
        )
        known.update((name, number) for name, number in found)
    new = [name for name in wanted if name not in known]
    if new:
        first = heads.take(connection, "subject", len(new)) - 1
        given = {name: first + i for i, name in enumerate(new)}
        connection.execute(
            insert(Subject), [{"number": number, "name": name} for name, number in given.items()]
        )
        known.update(given)
    return known


def number_index(connection: Connection, dataset_id: str, index: int) -> None:
    """Gives a number to every subject of a dataset's index that has none yet."""
    given = {"dataset": dataset_id, "index": index}
    count = connection.execute(text(f"SELECT COUNT(*) {_UNNUMBERED}"), given).scalar_one()
    if count:
        first = heads.take(connection, "subject", count) - 1
        connection.execute(text(_NUMBER), {**given, "first": first})


def _statements(
    connection: Connection, rows: Sequence[Mapping[str, Any]]
) -> dict[tuple[Any, ...], int]:
    """The number of everything that these events say; what was never said before gets one."""
    said = {_terms(row): "" for row in rows}
    for terms in said:
        said[terms] = json.dumps(terms, separators=(",", ":"), ensure_ascii=False)
    known: dict[str, int] = {}
    texts = list(said.values())
    for start in range(0, len(texts), _ASKED_AT_ONCE):
        page = texts[start : start + _ASKED_AT_ONCE]
        found = connection.execute(
            select(Statement.terms, Statement.number).where(col(Statement.terms).in_(page))
        )
        known.update((text, number) for text, number in found)
    new = [text for text in texts if text not in known]
    if new:
        first = heads.take(connection, "statement", len(new)) - 1
        given = {text: first + i for i, text in enumerate(new)}
        connection.execute(
            insert(Statement), [{"number": number, "terms": text} for text, number in given.items()]
        )
        known.update(given)
    return {terms: known[text] for terms, text in said.items()}


def _terms(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in TERMS)


def statements(session: Session, first: int = 0) -> list[list[Any]]:
    """What was ever said, by number from `first` on; each a list of TERMS."""
    rows = session.execute(
        select(Statement.terms)
        .where(col(Statement.number) >= first)
        .order_by(col(Statement.number))
    )
    return [json.loads(row[0]) for row in rows]


def checkpoints(session: Session, after: int = 0, upto: int | None = None) -> Iterator[Checkpoint]:
    """Checkpoints behind a position, in order; each is on its own, and may be let go."""
    statement = select(Checkpoint).where(col(Checkpoint.last) > after)
    if upto is not None:
        statement = statement.where(col(Checkpoint.first) <= upto)
    statement = statement.order_by(col(Checkpoint.last)).execution_options(yield_per=50)
    for found in session.exec(statement):
        session.expunge(found)
        yield found


def columns_of(found: Checkpoint) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a checkpoint, by name of LAYOUT; raises LedgerBroken where it was changed."""
    count = found.last - found.first + 1
    made = link(found.previous, found.first, found.last, found.events_sha256, found.columns)
    if found.hash != made or len(found.columns) != 24 * count:
        raise LedgerBroken(f"The checkpoint at position {found.last} was changed.")
    arrays, start = {}, 0
    for name, kind in LAYOUT:
        arrays[name] = np.frombuffer(found.columns, dtype=kind, count=count, offset=start)
        start += arrays[name].nbytes
    return arrays
