"""Domain events, past tense, in order: what webhooks and integrations feed on (CloudEvents 1.0)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records.tables import Position, rfc3339


class Event(SQLModel, table=True):
    """One thing that happened; opaque ids only. `position` has no gaps."""

    __tablename__ = "event"
    position: int = Field(
        primary_key=True, sa_type=Position, sa_column_kwargs={"autoincrement": False}
    )
    at: datetime
    type: str
    subject: str
    partner_id: str | None = Field(default=None, index=True)
    request_id: str | None = Field(default=None, index=True)
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


@dataclass(frozen=True, slots=True)
class Happened:
    """What is to be told: a past-tense type such as `request.submitted` and whom it is about."""

    type: str
    subject: str
    partner_id: str | None = None
    request_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


# What a partner never learns of its own request: who inside acted, or stepped aside.
INSIDE_ONLY = frozenset(
    {
        "person.recused",
        "comment.added",
        "previews.made",
        "gate.reminded",
        "gate.escalated",
        "gate.claimed",
        "gate.assigned",
        "gate.claim_released",
        "delegation.made",
        "delegation.ended",
        "gate.nobody_left",
        "interest.found_late",
        "interest.looked_at",
        "waiver.asked",
        "waiver.granted",
    }
)
SHOWN_TO_PARTNERS = frozenset(
    {
        "stage",
        "outcome",
        "digest",
        "revision",
        "state",
        "until",
        "code",
        "waited_at",
        "clearance",
        "objects",
        "bytes",
        "excluded",
        "items",
        "reasons",
        "agreement",
        "version",
        "method",
        "kind",
    }
)


def data_for(event: Event, *, inside: bool) -> dict[str, Any]:
    """An event's data as those inside see it, or as the partner may."""
    if inside:
        return event.data
    return {name: value for name, value in event.data.items() if name in SHOWN_TO_PARTNERS}


def cloud_event(event: Event, *, inside: bool = True) -> dict[str, Any]:
    """The event as a CloudEvents 1.0 JSON object; its id is its position."""
    return {
        "specversion": "1.0",
        "id": str(event.position),
        "source": "/clearance",
        "type": f"clearance.{event.type}",
        "subject": event.subject,
        "time": rfc3339(event.at),
        "datacontenttype": "application/json",
        "data": {
            **data_for(event, inside=inside),
            **({"request": event.request_id} if event.request_id else {}),
        },
    }


def page(session: Session, after: int, limit: int, partner_id: str | None = None) -> list[Event]:
    """Events behind a position, in order; only one partner's where that is given (I24)."""
    statement = select(Event).where(col(Event.position) > after)
    if partner_id is not None:
        statement = statement.where(
            Event.partner_id == partner_id, col(Event.type).not_in(INSIDE_ONLY)
        )
    return list(session.exec(statement.order_by(col(Event.position)).limit(limit)))


def of_request(session: Session, request_id: str) -> Iterable[Event]:
    """Everything that happened to one request, in order."""
    return session.exec(
        select(Event).where(Event.request_id == request_id).order_by(col(Event.position))
    )
