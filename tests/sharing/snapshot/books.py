"""Random ledgers, as the pure rule takes them and as checkpoints, without a database."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from sharing.consent import Action, ConsentEvent, Question
from sharing.purpose import NoticeTerms
from sharing.records import ledger
from sharing.records.ledger import Checkpoint, micros
from sharing.snapshot.snapshot import Snapshot
from sharing.vocabulary import CATEGORIES, PURPOSES

AT = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SUBJECTS = 12
# Few days and few words, so that ties, changes of mind and near misses are many.
DAYS = (1, 2, 3, 4, 5, 30, 40)
RECIPIENTS = ("*", "*", "ptr_a", "ptr_b", "dpv:AcademicScientificOrganisation",
              "dpv:ForProfitOrganisation")  # fmt: skip
SOME_PURPOSES = ("ai:ModelTraining", "ai:ModelTraining", "ai:AIDevelopment", "dpv:Marketing",
                 "dpv:ResearchAndDevelopment")  # fmt: skip
SOME_CATEGORIES = ("pd:Picture", "pd:Picture", "pd:ProfilePicture", "pd:Biometric")
PLACES = (None, "CA", "CA", "DE", "US-IL", "XX")
METHODS = (None, "form", "written_release")


def random_event(chance: random.Random, position: int) -> ConsentEvent:
    """Any event at all, most of them near to what is asked."""
    given = chance.random() < 0.7
    return ConsentEvent(
        position,
        f"s{chance.randrange(SUBJECTS)}",
        chance.choice(SOME_PURPOSES),
        chance.choice(SOME_CATEGORIES),
        chance.choice(RECIPIENTS),
        Action.GIVEN if given else chance.choice(list(Action)),
        chance.random() < 0.8,
        "privacy",
        chance.choice("112"),
        AT - chance.choice(DAYS) * DAY,
        chance.choice([None, None, None, AT, AT - DAY, AT + DAY]),
        chance.choice(METHODS),
        chance.choice(PLACES),
        chance.choice([None] * 6 + [False, True]),
    )


def random_question(chance: random.Random) -> Question:
    """Any question, under two versions of a notice, of which the first may stand no more."""
    told = (("dpv:ResearchAndDevelopment",), ("pd:Picture", "pd:Biometric"))
    return Question(
        chance.choice([*SOME_PURPOSES, *PURPOSES]),
        chance.choice([*SOME_CATEGORIES, *CATEGORIES]),
        chance.choice(["ptr_a", "ptr_b"]),
        chance.random() < 0.5,
        {
            ("privacy", "1"): NoticeTerms("privacy", "1", *told, chance.random() < 0.7),
            ("privacy", "2"): NoticeTerms("privacy", "2", ("dpv:Marketing",), ("pd:Picture",)),
        },
        chance.choice([None, *[one for one in RECIPIENTS if one.startswith("dpv:")]]),
        chance.random() < 0.3,
    )


@dataclass(slots=True)
class Book:
    """A ledger in memory: its events, and the checkpoints that a database would hold."""

    events: list[ConsentEvent] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    terms: dict[str, int] = field(default_factory=dict)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def append(self, events: Sequence[ConsentEvent]) -> None:
        """Appends events as one checkpoint."""
        self.events.extend(events)
        columns = b"".join(
            np.array(values, kind).tobytes()
            for (_, kind), values in zip(
                ledger.LAYOUT,
                (
                    [self.numbers.setdefault(e.subject, len(self.numbers)) for e in events],
                    [self.terms.setdefault(said(e), len(self.terms)) for e in events],
                    [micros(e.at) for e in events],
                    [micros(e.valid_until) for e in events],
                ),
                strict=True,
            )
        )
        first, last = events[0].position, events[-1].position
        previous = self.checkpoints[-1].hash if self.checkpoints else ledger.GENESIS
        made = ledger.link(previous, first, last, "0" * 64, columns)
        self.checkpoints.append(
            Checkpoint(
                last=last,
                first=first,
                previous=previous,
                events_sha256="0" * 64,
                columns=columns,
                hash=made,
                at=AT,
            )
        )

    def numbered_terms(self) -> list[tuple[int, list[Any]]]:
        """Every statement with its number."""
        return [(number, json.loads(text)) for text, number in self.terms.items()]

    def followed(self, snapshot: Snapshot, upto: int | None = None) -> None:
        """Lets a snapshot follow as far as there is anything."""
        snapshot.follow(self.checkpoints, self.numbered_terms(), len(self.numbers), upto)


def said(event: ConsentEvent) -> str:
    """An event's statement, as the ledger writes it."""
    return json.dumps([getattr(event, name) for name in ledger.TERMS])


def random_book(chance: random.Random, events: int) -> Book:
    """A ledger of random events in random appends."""
    book = Book()
    while len(book.events) < events:
        add_events(chance, book, chance.randrange(1, 12))
    return book


def add_events(chance: random.Random, book: Book, count: int) -> None:
    """Appends some random events."""
    first = len(book.events) + 1
    book.append([random_event(chance, first + i) for i in range(count)])
