"""Recall items are opened in the very transaction that records the end of consent.

The ledger's head orders that transaction and every release: one that committed before is seen
here, and one that commits later sees the event."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select as columns
from sqlalchemy import text
from sqlmodel import Session, col, insert, select

from sharing.consent import Action, ConsentEvent
from sharing.questions import Questions, says_no_to_any, verify_all
from sharing.records.datasets import Dataset
from sharing.records.exports import ExportShard, Release
from sharing.records.places import Places, among
from sharing.records.recalls import RecallItem
from sharing.records.requests import Request, RequestRevision
from sharing.records.tables import now
from sharing.records.unit import Unit

RECALLER = "system:recall"
# From the events to the objects, never the other way: a join may read the whole dataset.
_HIT = """SELECT e.subject, (SELECT {list} FROM dataset_object o
    WHERE o.dataset_id = :dataset AND o.index_version = :index AND o.subject = e.subject)
  FROM (SELECT DISTINCT subject FROM consent_event
    WHERE position BETWEEN :first AND :last AND (action <> 'given' OR minor)) e"""
_LIST = {
    "sqlite": "group_concat(o.position)",
    "postgresql": "string_agg(CAST(o.position AS text), ',')",
}
_KNOWN = """SELECT DISTINCT i.subject FROM consent_event e CROSS JOIN recall_item i
  WHERE e.position BETWEEN :first AND :last AND i.export_id = :export AND i.subject = e.subject"""

Ask = Callable[[Session, Mapping[str, Any], Dataset, str], Questions]
Said = Callable[[Session, Sequence[str]], Mapping[str, Sequence[ConsentEvent]]]


@dataclass(frozen=True, slots=True)
class _Gone:
    """A release, what was asked for it, and how many objects of each subject went out by it."""

    export_id: str
    request: Request
    asked: Questions
    objects: Mapping[str, int]


def open_for(unit: Unit, first: int, last: int, ask: Ask, said: Said) -> None:
    """Opens an item for each subject whose consent the ledger's events from `first` to `last`
    ended, and each release that gave its objects away on that consent. One subject has one item a
    release: a later event changes nothing of it."""
    session = unit.session
    for dataset_id, index in released_from(session):
        hit = _hit(session, dataset_id, index, (first, last))
        if not hit:
            continue
        gone = list(_gone(session, dataset_id, index, hit, (first, last), ask))
        subjects = sorted(set().union(*(one.objects for one in gone)))
        spoken = said(session, subjects)
        for one in gone:
            _open(unit, one, spoken, first)


def released_from(session: Session) -> list[tuple[str, int]]:
    """Datasets and versions of their index from which anything was ever released."""
    rows = session.execute(
        columns(RequestRevision.dataset_id, RequestRevision.index_version)  # type: ignore[call-overload]
        .join(Release, col(Release.digest) == RequestRevision.digest)
        .distinct()
    )
    return [(row[0], row[1]) for row in rows]


def _hit(
    session: Session, dataset_id: str, index: int, events: tuple[int, int]
) -> list[tuple[int, str]]:
    """(index position, subject) of the objects of whom the events against something are about, in
    order of position."""
    statement = text(_HIT.format(list=_LIST[session.connection().dialect.name]))
    given = {"first": events[0], "last": events[1], "dataset": dataset_id, "index": index}
    found = session.execute(statement, given).all()
    return sorted(
        (int(place), subject) for subject, places in found if places for place in places.split(",")
    )


def _gone(
    session: Session,
    dataset_id: str,
    index: int,
    hit: Sequence[tuple[int, str]],
    events: tuple[int, int],
    ask: Ask,
) -> Iterator[_Gone]:
    """Each release that holds some of these (index position, subject), in order of position,
    without the subjects that have their item already."""
    dataset = session.get_one(Dataset, dataset_id)
    places = np.array([place for place, _ in hit], dtype=np.int64)
    statement = (
        select(Release.export_id, Request, RequestRevision.body)
        .join(Request, col(Request.id) == Release.request_id)
        .join(RequestRevision, col(RequestRevision.digest) == Release.digest)
        .where(RequestRevision.dataset_id == dataset_id, RequestRevision.index_version == index)
    )
    for export_id, request, body in session.execute(statement).all():
        objects = Counter(hit[i][1] for i in inside(session, export_id, places))
        given = {"first": events[0], "last": events[1], "export": export_id}
        for subject in session.execute(text(_KNOWN), given).scalars() if objects else ():
            del objects[subject]
        if objects:
            asked = ask(session, body, dataset, request.partner_id)
            yield _Gone(export_id, request, asked, objects)


def inside(session: Session, export_id: str, places: Places) -> Iterator[int]:
    """Which of these places, given in order, an export's shards hold."""
    shards = session.execute(
        columns(ExportShard.first, ExportShard.last, ExportShard.places).where(  # type: ignore[call-overload]
            ExportShard.export_id == export_id,
            col(ExportShard.first) <= int(places[-1]),
            col(ExportShard.last) >= int(places[0]),
        )
    )
    for first, last, bits in shards:
        begin, end = np.searchsorted(places, first), np.searchsorted(places, last, "right")
        yield from (begin + np.flatnonzero(among(bits, first, places[begin:end]))).tolist()


def _open(unit: Unit, gone: _Gone, said: Mapping[str, Sequence[ConsentEvent]], first: int) -> None:
    at, rows = now(), list[dict[str, Any]]()
    for subject, objects in gone.objects.items():
        events = said.get(subject, ())
        position = _ended_by(gone.asked, events, first)
        reason = verify_all(gone.asked, events, at).excluded
        if position is None or reason is None:
            continue
        rows.append(
            {
                "export_id": gone.export_id,
                "subject": subject,
                "request_id": gone.request.id,
                "partner_id": gone.request.partner_id,
                "reason": str(reason),
                "position": position,
                "objects": objects,
                "state": "open",
                "opened_at": at,
            }
        )
    if rows:
        unit.session.execute(insert(RecallItem), rows)
        _tell(unit, gone, rows)


def _ended_by(asked: Questions, events: Sequence[ConsentEvent], first: int) -> int | None:
    """The position of the last event from `first` on that says no to what is asked, or that the
    subject is a minor; None if there is no such event."""
    against = [
        (event.at, event.position)
        for event in events
        if event.position >= first
        and (event.minor or (event.action is not Action.GIVEN and says_no_to_any(asked, event)))
    ]
    return max(against)[1] if against else None


def _tell(unit: Unit, gone: _Gone, rows: Sequence[Mapping[str, Any]]) -> None:
    """Counts only: log and events name no subject (I25)."""
    counted = {
        "items": len(rows),
        "objects": sum(row["objects"] for row in rows),
        "reasons": dict(Counter(row["reason"] for row in rows)),
    }
    request = gone.request
    unit.audit(RECALLER, "recall_item.opened", request.id, export=gone.export_id, **counted)
    unit.tell(
        "recall_item.opened",
        gone.export_id,
        partner_id=request.partner_id,
        request_id=request.id,
        **counted,
    )
