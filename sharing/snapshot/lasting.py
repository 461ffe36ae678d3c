"""Which events of a run stand: the latest of each subject, by time and then by position."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sharing.snapshot.columns import Places, Whole

Rows = npt.NDArray[np.intp]


def in_order(rows: Rows | None, at: Whole) -> Rows | None:
    """The rows sorted by time, those of one moment staying in ledger order. None stands for all
    rows. Most events arrive in order: then nothing is sorted."""
    times = at if rows is None else at[rows]
    if np.all(times[1:] >= times[:-1]):
        return rows
    order = np.argsort(times, kind="stable")
    return order if rows is None else rows[order]


def not_overtaken(
    rows: Rows | None, subject: Places, at: Whole, held: Whole, latest: int
) -> Rows | None:
    """Of rows sorted by time, those that are no earlier than what is `held` of their subject: a
    later position wins at one and the same moment. Only those before the `latest` that is held of
    anybody need a look."""
    times = picked(at, rows)
    late = int(np.searchsorted(times, latest))
    if late == 0:
        return rows
    if rows is None:
        rows = np.arange(len(at))
    looked = rows[:late]
    kept = at[looked] >= held[subject[looked]]
    return rows if kept.all() else np.concatenate([looked[kept], rows[late:]])


def latest_of(
    rows: Rows | None, subject: Places, at: Whole, held: Whole, latest: int
) -> tuple[Rows | None, int]:
    """Of some rows those that stand beside what is `held` of their subjects, sorted by time, which
    may be none; and the `latest` moment that is held of anybody once they do."""
    rows = not_overtaken(in_order(rows, at), subject, at, held, latest)
    if rows is not None and not len(rows):
        return rows, latest
    return rows, max(latest, int(at[-1 if rows is None else rows[-1]]))


def rows_where(mask: npt.NDArray[np.bool_]) -> Rows | None:
    """The rows that a mask picks; None where it picks all."""
    return None if mask.all() else np.flatnonzero(mask)


def picked(column: npt.NDArray[Any], rows: Rows | None) -> npt.NDArray[Any]:
    """A column at some rows."""
    return column if rows is None else column[rows]
