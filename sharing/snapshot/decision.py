"""A scope decided: a reason for each object, counted and hashed."""

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sharing.consent import Coverage
from sharing.snapshot.decide import PAGE, Codes
from sharing.snapshot.fold import Fold
from sharing.snapshot.selection import Selection
from sharing.snapshot.statements import COVERED, REASONS
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
        subjects = np.bincount(self.codes, minlength=len(REASONS) + 1)
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
    covered = wanted.subjects[codes == COVERED]
    chosen = random.Random(seed).sample(range(len(covered)), min(size, len(covered)))  # noqa: S311
    numbers = [int(covered[place]) for place in sorted(chosen)]
    return tuple(Evidence(number, int(fold.position[number])) for number in numbers)
