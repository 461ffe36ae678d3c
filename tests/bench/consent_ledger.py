"""Ledgers for the bench `consent`, made as numbers: who said what, and when."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from sharing.consent import Question
from sharing.purpose import NoticeTerms
from sharing.records import ledger
from sharing.records.ledger import LAYOUT, NEVER, Checkpoint, micros
from sharing.snapshot.columns import Columns

PURPOSE, CATEGORY, PARTNER = "ai:ModelTraining", "pd:Picture", "ptr_bench"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
BEGIN = datetime(2014, 1, 1, tzinfo=UTC)
BATCH = 10_000
NO_TEXT = "0" * 64  # no text stands behind these events
EVENTS_A_SUBJECT = 1.8
PLACES = ("CA", "CA", "DE", "US-CA", "US-IL", "XX", None)
SILENT = 20  # one in so many subjects never said anything
LATE = 0.01  # so many come up to a month late
_MONTH = timedelta(days=30) // timedelta(microseconds=1)
_SPAN = micros(NOW) - micros(BEGIN)
_YEAR = timedelta(days=365) // timedelta(microseconds=1)


def statements() -> list[list[object]]:
    """What people say, in the order of ledger.TERMS: mostly yes to what is asked."""
    return [
        [purpose, CATEGORY, "*", action, explicit, "privacy", version, None, place, None]
        for purpose, times in ((PURPOSE, 4), ("dpv:Marketing", 1))
        for _ in range(times)
        for action in ("given", "given", "given", "withdrawn", "refused")
        for explicit in (True, True, True, False)
        for version in ("1", "2", "2")
        for place in PLACES
    ]


def question() -> Question:
    """What the bench asks: explicit consent to train models, under the second notice."""
    told = ((PURPOSE,), (CATEGORY,))
    return Question(
        PURPOSE,
        CATEGORY,
        PARTNER,
        True,
        {
            ("privacy", "1"): NoticeTerms("privacy", "1", *told, False),
            ("privacy", "2"): NoticeTerms("privacy", "2", *told),
        },
        special_category=True,
    )


@dataclass(frozen=True, slots=True)
class Made:
    """A ledger of `events` events of `subjects` subjects, made page by page from a seed: almost in
    the order of time, subjects and statements at random."""

    subjects: int
    events: int
    seed: int = 1

    def pages(self, size: int = 50 * BATCH) -> Iterator[Columns]:
        """The events, in pages."""
        chance = np.random.default_rng(self.seed)
        said = _numbers()
        for first in range(0, self.events, size):
            count = min(size, self.events - first)
            speakers = chance.integers(0, self.subjects, count, np.uint32)
            speakers -= speakers % SILENT == 0  # these never speak; the one before them does
            at = micros(BEGIN) + np.arange(first, first + count) * (_SPAN // self.events)
            late = chance.random(count) < LATE
            at[late] -= chance.integers(0, _MONTH, int(late.sum()))
            until = np.where(chance.random(count) < 0.3, at + 4 * _YEAR, NEVER)
            said_here = said[chance.integers(0, len(said), count)]
            speakers %= np.uint32(self.subjects)
            yield Columns(first + 1, speakers.astype(np.intp), said_here, at, until)

    def checkpoints(self) -> Iterator[list[Checkpoint]]:
        """The same as checkpoints of BATCH events, linked; one list a page."""
        position, at_hash = 0, ledger.GENESIS
        for page in self.pages():
            made = []
            for start in range(0, len(page.subject), BATCH):
                part = slice(start, start + BATCH)
                run = Columns(
                    page.first + start,
                    page.subject[part],
                    page.statement[part],
                    page.at[part],
                    page.until[part],
                )
                made.append(chained(run, position, at_hash))
                position, at_hash = made[-1].last, made[-1].hash
            yield made


def chained(run: Columns, position: int, at_hash: str) -> Checkpoint:
    """Events as the checkpoint that follows the one at a position, by its hash."""
    arrays = (run.subject, run.statement, run.at, run.until)
    columns = b"".join(
        array.astype(kind).tobytes() for array, (_, kind) in zip(arrays, LAYOUT, strict=True)
    )
    first, last = position + 1, position + len(run.subject)
    return Checkpoint(
        last=last,
        first=first,
        previous=at_hash,
        hash=ledger.link(at_hash, first, last, NO_TEXT, columns),
        events_sha256=NO_TEXT,
        columns=columns,
        at=NOW,
    )


def distinct() -> list[list[object]]:
    """The distinct statements, by number."""
    return [json.loads(text) for text in dict.fromkeys(json.dumps(one) for one in statements())]


def _numbers() -> npt.NDArray[np.intp]:
    places = {json.dumps(one): number for number, one in enumerate(distinct())}
    return np.array([places[json.dumps(one)] for one in statements()], np.intp)


def name(number: int) -> str:
    """A subject's opaque id: its number, scattered, so that no order helps a join."""
    return f"u{(number * 2_654_435_761) % 2**32:08x}"
