"""A run of consent events in columns: what the checkpoints of the ledger carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sharing.records.ledger import Checkpoint, LedgerBroken, columns_of

Whole = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint32]
Places = npt.NDArray[np.intp]
LONG_AGO = -(2**63)


@dataclass(frozen=True, slots=True)
class Columns:
    """Events in ledger order, the first at position `first`; times in microseconds since 1970.

    Subjects and statements are as wide as numpy's indices: it would widen them at each use."""

    first: int
    subject: Places
    statement: Places
    at: Whole
    until: Whole

    @property
    def last(self) -> int:
        """The position of the last event."""
        return self.first + len(self.subject) - 1

    def upto(self, position: int) -> "Columns":
        """The events up to a position."""
        count = position - self.first + 1
        if count >= len(self.subject):
            return self
        return Columns(
            self.first,
            self.subject[:count],
            self.statement[:count],
            self.at[:count],
            self.until[:count],
        )


def linked(found: Sequence[Checkpoint], position: int, at_hash: str) -> Columns:
    """Checkpoints as one run of events. Raises LedgerBroken unless each is as it was written, and
    follows, by position and by hash, the one before it; the first the one named."""
    runs = []
    for checkpoint in found:
        if checkpoint.first != position + 1 or checkpoint.previous != at_hash:
            raise LedgerBroken(f"The checkpoint at {checkpoint.last} does not follow {position}.")
        runs.append(columns_of(checkpoint))
        position, at_hash = checkpoint.last, checkpoint.hash
    columns = {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}
    for name in ("subject", "statement"):
        columns[name] = columns[name].astype(np.intp)
    return Columns(found[0].first, **columns)


def grown(array: npt.NDArray[Any], size: int, fill: int) -> npt.NDArray[Any]:
    """The array with room for at least `size`, what is new holding `fill`. Grows by an eighth at
    least, so that subjects who come one by one stay cheap."""
    if size <= len(array):
        return array
    wider = np.full(max(size, len(array) + len(array) // 8), fill, array.dtype)
    wider[: len(array)] = array
    return wider
