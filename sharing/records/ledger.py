"""The consent ledger in columns: subjects and statements by number, and hash-linked checkpoints.

Each append writes one checkpoint: its events once more, as arrays of numbers that a whole scope can
be judged from without reading a line of text. Its hash covers the text, the arrays and the
checkpoint before it, so neither can be changed alone."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from pydantic_core import to_json
from sqlalchemy import Connection, LargeBinary, text
from sqlmodel import Field, Session, SQLModel, col, insert, select

from sharing.records import heads, lists
from sharing.records.lists import AT_ONCE, among, bound
from sharing.records.tables import Position, since_1970

GENESIS = "0" * 64
# The audit log names each checkpoint's hash: whoever rewrites the ledger has to rewrite the log.
ACTOR, LINKED = "system:ledger", "consents.linked"
NEVER = 2**63 - 1  # `until` of what does not run out
LAYOUT = (("subject", "<u4"), ("statement", "<u4"), ("at", "<i8"), ("until", "<i8"))
# What a statement consists of; with subject and times it is all that a verdict depends on.
TERMS = ("purpose", "category", "recipient", "action", "explicit", "notice", "notice_version",
         "method", "jurisdiction", "minor")  # fmt: skip
BESIDES = ("controller", "lawful_basis", "source", "source_id", "evidence")
COLUMNS = ("position", "subject", *TERMS, "at", "valid_until", *BESIDES, "recorded_at")
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
    return NEVER if moment is None else since_1970(moment)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events as a list a column of the ledger, in order of position, and their `at`, `valid_until`
    and `recorded_at` once more in microseconds."""

    columns: Mapping[str, Sequence[Any]]
    at: Sequence[int]
    until: Sequence[int]
    recorded: Sequence[int]

    @property
    def terms(self) -> Iterator[tuple[Any, ...]]:
        """What each event says."""
        return zip(*(self.columns[name] for name in TERMS), strict=True)


def new_batch(events: Sequence[Mapping[str, Any]], first: int, moment: datetime) -> Batch:
    """Events that get the positions from `first` on and are recorded at `moment`."""
    count = len(events)
    columns: dict[str, Sequence[Any]] = {
        name: [event.get(name) for event in events] for name in COLUMNS
    }
    columns |= {"position": range(first, first + count), "recorded_at": [moment] * count}
    return batch_of(columns)


def batch_of(columns: Mapping[str, Sequence[Any]]) -> Batch:
    """A batch from a list a column."""
    recorded: dict[datetime, int] = {}
    for moment in columns["recorded_at"]:
        if moment not in recorded:
            recorded[moment] = micros(moment)
    return Batch(
        columns,
        [micros(moment) for moment in columns["at"]],
        [micros(moment) for moment in columns["valid_until"]],
        [recorded[moment] for moment in columns["recorded_at"]],
    )


def checkpoint(connection: Connection, batch: Batch, at: datetime) -> str:
    """Links events, just appended, to the chain; returns the hash of the new checkpoint."""
    subjects = numbered(connection, batch.columns["subject"])
    columns = folded(batch, subjects, _statements(connection, batch.terms))
    first, last = batch.columns["position"][0], batch.columns["position"][-1]
    previous = head(connection)[1]
    events = events_digest(batch)
    made = link(previous, first, last, events, columns)
    connection.execute(
        insert(Checkpoint),
        {
            "last": last,
            "first": first,
            "previous": previous,
            "events_sha256": events,
            "columns": columns,
            "hash": made,
            "at": at,
        },
    )
    return made


def folded(
    batch: Batch, subjects: Mapping[str, int], statements: Mapping[tuple[Any, ...], int]
) -> bytes:
    """The columns of a checkpoint; raises KeyError for a subject or terms without a number."""
    arrays = (
        [subjects[name] for name in batch.columns["subject"]],
        [statements[terms] for terms in batch.terms],
        batch.at,
        batch.until,
    )
    return b"".join(
        np.array(values, dtype=kind).tobytes()
        for (_, kind), values in zip(LAYOUT, arrays, strict=True)
    )


def link(previous: str, first: int, last: int, events_sha256: str, columns: bytes) -> str:
    """The hash of a checkpoint, in hex."""
    folded = hashlib.sha256(columns).hexdigest()
    return hashlib.sha256(
        f"{previous}|{first}|{last}|{events_sha256}|{folded}".encode()
    ).hexdigest()


def events_digest(batch: Batch) -> str:
    """sha256, in hex, over the text of events: a JSON list a line, in UTF-8, without spaces."""
    columns = batch.columns
    lines = zip(
        *(columns[name] for name in ("position", "subject", *TERMS)),
        batch.at,
        batch.until,
        *(columns[name] for name in BESIDES),
        batch.recorded,
        strict=True,
    )
    return hashlib.sha256(b"".join(to_json(line) + b"\n" for line in lines)).hexdigest()


def head(connection: Connection) -> tuple[int, str]:
    """The last position that a checkpoint covers, and its hash."""
    found = connection.execute(
        select(Checkpoint.last, Checkpoint.hash).order_by(col(Checkpoint.last).desc()).limit(1)
    ).first()
    return (found[0], found[1]) if found else (0, GENESIS)


def numbered(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The number of each subject; who has none yet gets one."""
    return _numbers(connection, "subject", Subject, "name", list(dict.fromkeys(names)))


def number_index(connection: Connection, dataset_id: str, index: int) -> None:
    """Gives a number to every subject of a dataset's index that has none yet."""
    given = {"dataset": dataset_id, "index": index}
    count = connection.execute(text(f"SELECT COUNT(*) {_UNNUMBERED}"), given).scalar_one()
    if count:
        first = heads.take(connection, "subject", count) - 1
        connection.execute(text(_NUMBER), {**given, "first": first})


def _statements(
    connection: Connection, every: Iterable[tuple[Any, ...]]
) -> dict[tuple[Any, ...], int]:
    """The number of everything that events say; what was never said before gets one."""
    written = {terms: in_text(terms) for terms in dict.fromkeys(every)}
    known = _numbers(connection, "statement", Statement, "terms", list(written.values()))
    return {terms: known[text] for terms, text in written.items()}


def in_text(terms: Sequence[Any]) -> str:
    """Terms as the JSON that `consent_statement` keeps."""
    return json.dumps(terms, separators=(",", ":"), ensure_ascii=False)


def _numbers(
    connection: Connection, sequence: str, kind: type[SQLModel], column: str, wanted: list[str]
) -> dict[str, int]:
    """The numbers of different texts; those that have none yet get the next ones, in order."""
    table = kind.__table__  # type: ignore[attr-defined]
    known: dict[str, int] = {}
    ask = text(
        f"SELECT {column}, number FROM {table.name} WHERE {column} {among(connection, 'wanted')}"
    )
    for start in range(0, len(wanted), AT_ONCE):
        page = bound(connection, wanted[start : start + AT_ONCE])
        known.update((name, number) for name, number in connection.execute(ask, {"wanted": page}))
    new = [name for name in wanted if name not in known]
    if new:
        first = heads.take(connection, sequence, len(new)) - 1
        numbers = range(first, first + len(new))
        lists.insert(connection, table, {"number": list(numbers), column: new})
        known.update(zip(new, numbers, strict=True))
    return known


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
