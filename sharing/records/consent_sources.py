"""Consent sources that the ledger follows: where we are in each feed, and how fresh that is.

The ledger is the cache: what a feed says is appended to it, page by page, each page with its place
in the feed in one transaction. So a page is there wholly and once, or not at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Field, Session, SQLModel, select

from sharing.consent_source import Asked, Demanded, Page, Unbelieved
from sharing.errors import NotYet
from sharing.records import heads, intake
from sharing.records.tables import Position, now
from sharing.records.unit import Unit

FOLLOWER = "system:consent-source"
STALE = "consent_source_stale"


class SourceState(SQLModel, table=True):
    """Up to `cursor` the feed's events are in the ledger, the last of them at `position`;
    `pulled_at` is when nothing lay behind it. `trouble` says why no more could be had."""

    __tablename__ = "consent_source"
    name: str = Field(primary_key=True)
    cursor: int = Field(default=0, sa_type=Position)
    pulled_at: datetime | None = None
    position: int = Field(default=0, sa_type=Position)
    trouble: str | None = None


def followed(unit: Unit, name: str | None) -> None:
    """From now on this source is followed, and no other; none where `name` is None."""
    for row in unit.session.exec(select(SourceState)).all():
        if row.name != name:
            unit.session.delete(row)
            unit.audit(FOLLOWER, "consent_source.left", source=row.name, cursor=row.cursor)
    if name is not None:
        _held(unit, name)


def cursor(session: Session, name: str) -> int:
    """How far the feed's events are in the ledger."""
    row = session.get(SourceState, name)
    return row.cursor if row else 0


def is_fresh(session: Session, name: str, age: timedelta) -> bool:
    """True where the ledger was up to date with the source at most that long ago."""
    row = session.get(SourceState, name)
    return row is not None and _fresh(row, age, now())


def trouble(session: Session) -> str | None:
    """What is wrong with a source that is followed, in a sentence; None where nothing is."""
    return session.exec(
        select(SourceState.trouble).where(SourceState.trouble != None)  # noqa: E711
    ).first()


def demand_fresh(session: Session, demanded: Demanded) -> None:
    """Raises NotYet unless the ledger is up to date with every source that is followed: with the
    one that is named, and with one that only another process is told of."""
    rows, at = session.exec(select(SourceState)).all(), now()
    stale = [row.name for row in rows if not _fresh(row, demanded.age, at)]
    if demanded.name is not None and demanded.name not in {row.name for row in rows}:
        stale.append(demanded.name)
    if stale:
        raise behind(stale[0], "its last complete answer is too old")


def behind(name: str, why: str) -> NotYet:
    """The ledger cannot be asked: it is not up to date with a source. Nothing leaves meanwhile."""
    return NotYet(
        STALE,
        f"The consent source {name} gives no answer that can be used: {why}. Nobody's consent is "
        "judged, and nothing leaves, until it does.",
    )


def pulled(
    unit: Unit, name: str, asked: Asked, page: Page, events: Sequence[Mapping[str, Any]]
) -> bool:
    """Appends a page, whose rows are `events`; False where another pull was quicker, and nothing
    was appended. Raises Unbelieved where an id of the feed names something else already."""
    row = _held(unit, name)
    if row.cursor != asked.after:
        return False
    row.cursor = page.next
    taken = intake.take_in(unit, events)
    if taken.refused:
        place, _ = taken.refused[0]
        raise Unbelieved(f"event {place + 1} of its answer has the source_id of another event")
    row.position = taken.position
    if taken.accepted:
        what = "consents.appended"
        told: Mapping[str, Any] = {"accepted": taken.accepted, "position": taken.position}
        unit.audit(FOLLOWER, what, None, source=name, cursor=page.next, **told)
        unit.tell(what, "consents", partner_id=None, request_id=None, **told)
    if page.complete:
        row.pulled_at = min(asked.at, page.at)
        if row.trouble is not None:
            row.trouble = None
            unit.audit(FOLLOWER, "consent_source.back", source=name, cursor=page.next)
    return True


def failed(unit: Unit, name: str, why: str) -> None:
    """Remembers why a source gave no usable answer; the log has the first of each trouble."""
    row = _held(unit, name)
    if row.trouble is None:
        unit.audit(FOLLOWER, "consent_source.lost", source=name, cursor=row.cursor)
    row.trouble = behind(name, why).detail


def _held(unit: Unit, name: str) -> SourceState:
    """The source's row, held until this transaction ends; made where it is not there."""
    heads.position(unit.session.connection(), "consent", hold=True)
    row = unit.session.get(SourceState, name, populate_existing=True)
    if row is None:
        row = SourceState(name=name)
        unit.session.add(row)
        unit.session.flush()
    return row


def _fresh(row: SourceState, age: timedelta, at: datetime) -> bool:
    return row.pulled_at is not None and abs(at - row.pulled_at) <= age
