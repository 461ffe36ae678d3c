"""A scope decided: a reason for each object, counted and hashed."""

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sharing.consent import Coverage
from sharing.snapshot.columns import Whole
from sharing.snapshot.decide import PAGE, Codes
from sharing.snapshot.fold import Fold
from sharing.snapshot.selection import Mask, Selection
from sharing.snapshot.statements import COVERED, REASONS
from sharing.snapshot.tally import of_each
from sharing.stages import Exclusion

COVERED_WORD = "covered"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One covered subject of a sample, by number, and the ledger position of its consent."""

    subject: int
    position: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a whole scope came to at a ledger position and a moment (microseconds since 1970).

    `about` says what was asked, for the decision file; `until` is the moment at which the first of
    the consents that count runs out; `breakdown` counts covered objects."""

    position: int
    moment: int
    until: int
    about: Mapping[str, Any]
    breakdown: Mapping[str, Mapping[str, int]]
    sample: tuple[Evidence, ...]
    seed: str
    wanted: Selection = field(repr=False)
    codes: Codes = field(repr=False)
    """One reason a subject of `wanted`: 0 is covered, else a place in REASONS plus one."""

    def by_object(self) -> Iterator[Codes]:
        """A reason for each object in index order, in pages."""
        for begin in range(0, len(self.wanted), PAGE):
            yield self.codes.take(self.wanted.owner[begin : begin + PAGE])

    def reasons(self) -> Iterator[Exclusion | None]:
        """The same as words; None where the object is covered."""
        words = (None, *REASONS)
        for page in self.by_object():
            yield from (words[number] for number in page.tolist())

    def coverage(self) -> Coverage:
        """The scope counted: objects and subjects covered, objects excluded by reason."""
        pages = range(0, len(self.codes), PAGE)
        kinds = len(REASONS) + 1
        subjects = sum(
            (of_each(self.codes[begin : begin + PAGE], kinds) for begin in pages),
            np.zeros(kinds, np.int64),
        )
        held = self.wanted.held
        objects = subjects if held is None else np.bincount(self.codes, held, len(subjects))
        counts = {word: int(count) for word, count in zip(REASONS, objects[1:], strict=True)}
        return Coverage(
            objects=len(self.wanted),
            subjects=len(self.codes),
            covered_objects=int(objects[COVERED]),
            covered_subjects=int(subjects[COVERED]),
            excluded={word.value: count for word, count in counts.items() if count},
            position=self.position,
            breakdown=self.breakdown,
            sample=[evidence.position for evidence in self.sample],
            seed=self.seed,
            terms_sha256=str(self.about.get("terms", "")),
            decisions_sha256=self.sha256(),
        )

    def header(self) -> bytes:
        """The first line of the decision file: what was asked, when, and what a byte means."""
        told = {
            **self.about,
            "position": self.position,
            "moment": self.moment,
            "objects": len(self.wanted),
            "reasons": [COVERED_WORD, *REASONS],
        }
        return json.dumps(told, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    def sha256(self) -> str:
        """sha256, in hex, of the decision file: the header, a byte an object in index order."""
        digest = hashlib.sha256(self.header())
        for page in self.by_object():
            digest.update(page.data)
        return digest.hexdigest()


def drawn(
    fold: Fold, wanted: Selection, codes: Codes, seed: str, size: int
) -> tuple[Evidence, ...]:
    """A random sample of a selection's covered subjects, the same for the same seed."""
    covered = [codes[begin : begin + PAGE] == COVERED for begin in range(0, len(codes), PAGE)]
    ends = np.cumsum([np.count_nonzero(page) for page in covered], dtype=np.int64)
    count = int(ends[-1]) if len(ends) else 0
    chosen = random.Random(seed).sample(range(count), min(size, count))  # noqa: S311
    places = [_place(covered, ends, rank) for rank in sorted(chosen)]
    numbers = [int(wanted.subjects[place]) for place in places]
    return tuple(Evidence(number, int(fold.position[number])) for number in numbers)


def _place(covered: Sequence[Mask], ends: Whole, rank: int) -> int:
    """Where the covered subject is that has so many before it; `ends` adds the pages up."""
    page = int(np.searchsorted(ends, rank, "right"))
    before = int(ends[page - 1]) if page else 0
    return page * PAGE + int(np.flatnonzero(covered[page])[rank - before])
