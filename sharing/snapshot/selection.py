"""Which objects of a dataset a scope asks for, and whose they are, as arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sharing.snapshot.columns import Numbers, Whole

Mask = npt.NDArray[np.bool_]
UNKNOWN = -(2**63) + 1  # SQL knows no number below


@dataclass(frozen=True, slots=True)
class Selection:
    """Objects in index order. `subjects` are the distinct subject numbers in growing order, and
    `owner` is each object's place among them: each subject is asked once, memory read in order.
    `held` is how many objects each subject has here; None where each has one."""

    subjects: Numbers
    owner: Numbers
    held: Numbers | None

    def __len__(self) -> int:
        return len(self.owner)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a scope asks of its objects: taken within these microseconds since 1970 (from `after`,
    before `before`), and at most `limit` of them, the first in index order; None is no bound."""

    after: int | None
    before: int | None
    limit: int | None


def selected(subject: Numbers, taken: Whole, wanted: Filter) -> Selection:
    """The objects that a filter matches. An object of unknown date (`taken` UNKNOWN) matches no
    filter by date, as in SQL."""
    if wanted.after is not None or wanted.before is not None:
        subject = subject[_matching(taken, wanted)]
    return owned(subject[: wanted.limit])


def _matching(taken: Whole, wanted: Filter) -> Mask:
    mask: Mask = taken != UNKNOWN
    if wanted.after is not None:
        mask &= np.greater_equal(taken, wanted.after)
    if wanted.before is not None:
        mask &= np.less(taken, wanted.before)
    return mask


def owned(subject: Numbers) -> Selection:
    """A selection of objects by their subjects' numbers."""
    if not len(subject):
        return Selection(subject, subject, None)
    there = np.zeros(int(subject.max()) + 1, np.bool_)
    there[subject] = True
    subjects = np.flatnonzero(there).astype(np.uint32)
    place = np.cumsum(there, dtype=np.uint32) - np.uint32(1)
    owner = place[subject]
    if len(subjects) == len(subject):
        return Selection(subjects, owner, None)
    return Selection(subjects, owner, np.bincount(owner).astype(np.uint32))
