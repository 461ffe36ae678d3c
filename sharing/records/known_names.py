"""The names behind ids, many at once: the log, events and addresses hold ids only."""

from collections.abc import Iterable
from typing import Any

from sqlmodel import Session, col, select

from sharing.records.datasets import Dataset
from sharing.records.organisations import chunks
from sharing.records.parties import Partner, Person
from sharing.records.requests import Request

_NAMED: dict[str, tuple[Any, str]] = {
    "per": (Person, "name"),
    "ptr": (Partner, "name"),
    "dst": (Dataset, "name"),
    "req": (Request, "title"),
}


def names(session: Session, ids: Iterable[object]) -> dict[str, str]:
    """What people, partners, datasets and requests are called, by id; whatever else is named in
    `ids` is passed over."""
    by_kind: dict[str, set[str]] = {}
    for one in ids:
        if isinstance(one, str) and one[:3] in _NAMED and one[3:4] == "_":
            by_kind.setdefault(one[:3], set()).add(one)
    found: dict[str, str] = {}
    for kind, some in by_kind.items():
        table, field = _NAMED[kind]
        for chunk in chunks(sorted(some)):
            rows = select(table.id, getattr(table, field)).where(col(table.id).in_(chunk))
            found |= {row[0]: row[1] for row in session.execute(rows)}
    return found
