"""A dataset's index by subject number: read from the database once a version, and kept."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlmodel import Session

from sharing.records.ledger import LedgerBroken
from sharing.snapshot.columns import Numbers, Whole
from sharing.snapshot.progress import Step, Tell, untold
from sharing.snapshot.selection import UNKNOWN, Filter, Selection, selected

PAGE = 50_000
KEPT = 4

# No text and no moment is read: numbers only. What SQLite keeps as text it turns into microseconds
# itself, seconds and fraction apart, since its own seconds are rounded.
_SQLITE = """SELECT COALESCE(s.number, -1), COALESCE(
    CAST(strftime('%s', substr(o.taken_at, 1, 19)) AS INTEGER) * 1000000
    + CAST(substr(o.taken_at || '000000', 21, 6) AS INTEGER), :unknown)
  FROM dataset_object o LEFT JOIN subject s ON s.name = o.subject
  WHERE o.dataset_id = :dataset AND o.index_version = :index ORDER BY o.position"""
# One row a page of objects, packed by the server: a row an object would cost far more to take in.
_POSTGRESQL = """SELECT
    string_agg(int8send(COALESCE(s.number, -1)::bigint), ''::bytea ORDER BY o.position),
    string_agg(int8send(COALESCE((EXTRACT(EPOCH FROM o.taken_at) * 1000000)::bigint,
      CAST(:unknown AS bigint))), ''::bytea ORDER BY o.position)
  FROM dataset_object o LEFT JOIN subject s ON s.name = o.subject
  WHERE o.dataset_id = :dataset AND o.index_version = :index
  GROUP BY o.position / 50000 ORDER BY o.position / 50000"""

# Positions have no gaps, so the last one says how many there are.
_COUNT = """SELECT COALESCE(MAX(position) + 1, 0) FROM dataset_object
  WHERE dataset_id = :dataset AND index_version = :index"""


@dataclass(slots=True)
class Scope:
    """All objects of one version of a dataset's index, in index order: the number of each one's
    subject, and when it was taken, in microseconds since 1970, UNKNOWN where nobody knows."""

    subject: Numbers
    taken: Whole
    _selected: dict[Filter, Selection] = field(default_factory=dict)

    def selection(self, wanted: Filter) -> Selection:
        """The objects that a filter matches; the last few selections are kept."""
        if (found := self._selected.pop(wanted, None)) is None:
            found = selected(self.subject, self.taken, wanted)
        self._selected[wanted] = found
        while len(self._selected) > KEPT:
            del self._selected[next(iter(self._selected))]
        return found


def read_scope(session: Session, dataset_id: str, index: int, tell: Tell = untold) -> Scope:
    """Reads a dataset's index. Raises LedgerBroken where a subject of it has no number."""
    given = {"dataset": dataset_id, "index": index, "unknown": UNKNOWN}
    pages = _packed if session.get_bind().dialect.name == "postgresql" else _plain
    subjects, taken = [], []
    done, total = 0, session.execute(text(_COUNT), given).scalar_one()
    for numbers, moments in pages(session, given):
        if len(numbers) and numbers.min() < 0:
            raise LedgerBroken("A subject of the dataset's index has no number in the ledger.")
        subjects.append(numbers.astype(np.uint32))
        taken.append(moments)
        done += len(numbers)
        tell(Step.OBJECTS, done, total)
    if not subjects:
        return Scope(np.empty(0, np.uint32), np.empty(0, np.int64))
    return Scope(np.concatenate(subjects), np.concatenate(taken))


def _plain(session: Session, given: dict[str, Any]) -> Iterator[tuple[Whole, Whole]]:
    statement = text(_SQLITE).execution_options(yield_per=PAGE)
    # The size is said again: of a text it is not taken from the option, and pages were single rows.
    for rows in session.execute(statement, given).partitions(PAGE):
        flat = np.fromiter(chain.from_iterable(rows), np.int64, 2 * len(rows))
        yield flat[0::2], flat[1::2].copy()  # else the numbers are kept twice


def _packed(session: Session, given: dict[str, Any]) -> Iterator[tuple[Whole, Whole]]:
    statement = text(_POSTGRESQL).execution_options(yield_per=16)
    for numbers, moments in session.execute(statement, given):
        yield (
            np.frombuffer(numbers, ">i8").astype(np.int64),
            np.frombuffer(moments, ">i8").astype(np.int64),
        )
