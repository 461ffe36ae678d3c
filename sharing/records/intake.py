"""The way in for consent events from outside: what a source has sent before is not taken twice.

A source names each of its events by a `source_id` of its own. The same event again is known; the
same id for something else is refused. Whoever writes at the same time waits at the ledger's head,
so of two imports at once the second sees what the first has left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlmodel import select

from sharing.records import consents, heads
from sharing.records.consents import TABLE
from sharing.records.lists import AT_ONCE, among, bound
from sharing.records.tables import now
from sharing.records.unit import Unit

Event = Mapping[str, Any]
Key = tuple[str, str | None]  # source, source_id
Before = tuple[int, datetime, Event]  # position, when it was recorded, and the event
_CONTENT = tuple(
    column.name for column in TABLE.columns if column.name not in ("position", "recorded_at", "at")
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of events: `refused` holds (place in the list from 0, reason), in order."""

    accepted: int
    known: int
    refused: tuple[tuple[int, str], ...]
    position: int


def take_in(unit: Unit, events: Sequence[Event]) -> Taken:
    """Appends what is new, in the order given. An event whose clock ran ahead happened at the
    latest when it was recorded: a yes must not outlive a no that is said a moment later."""
    connection = unit.session.connection()
    head, moment = heads.position(connection, "consent", hold=True), now()
    said = _said_before(connection, events)
    fresh: list[Event] = []
    refused: list[tuple[int, str]] = []
    for place, event in enumerate(events):
        key = (event["source"], event.get("source_id"))
        before = said.get(key)
        if before is None:
            fresh.append(event if event["at"] <= moment else {**event, "at": moment})
            if key[1] is not None:
                said[key] = (head + len(fresh), moment, fresh[-1])
        elif not _same(event, before):
            reason = "source_id: was used before for something else, at position"
            refused.append((place, f"{reason} {before[0]}."))
    known = len(events) - len(fresh) - len(refused)
    position = consents.append(unit, fresh, moment)
    return Taken(len(fresh), known, tuple(refused), position)


def _same(event: Event, before: Before) -> bool:
    _, recorded, said = before
    return said["at"] == min(event["at"], recorded) and all(
        event.get(name) == said.get(name) for name in _CONTENT
    )


def _said_before(connection: Connection, events: Iterable[Event]) -> dict[Key, Before]:
    """What the ledger holds under the names that these events' sources gave them."""
    named: dict[str, list[str]] = {}
    for event in events:
        if event.get("source_id") is not None:
            named.setdefault(event["source"], []).append(event["source_id"])
    found: dict[Key, Before] = {}
    statement = select(*TABLE.columns).where(
        text(f"source = :source AND source_id {among(connection, 'ids')}")
    )
    for source, ids in named.items():
        for start in range(0, len(ids), AT_ONCE):
            page = bound(connection, ids[start : start + AT_ONCE])
            rows = connection.execute(statement, {"source": source, "ids": page}).mappings()
            for row in rows:
                event = dict(row)
                key = (event["source"], event["source_id"])
                found[key] = (event["position"], event["recorded_at"], event)
    return found
