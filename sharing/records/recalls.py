"""Recall items: whose objects went out, and must come back since their consent ended."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, func, tuple_
from sqlalchemy import select as columns
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records.tables import Position


class RecallItem(SQLModel, table=True):
    """One subject in one released export whose consent ended afterwards, by the event at
    `position`. It is opened in that event's own transaction, and is never deleted (I10, I11)."""

    __tablename__ = "recall_item"
    __table_args__ = (
        ForeignKeyConstraint(
            ["export_id"], ["release.export_id"], name="fk_recall_item_export_id_release"
        ),
    )
    export_id: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    partner_id: str = Field(foreign_key="partner.id", index=True)
    reason: str
    position: int = Field(sa_type=Position, index=True)
    objects: int
    state: str = "open"
    opened_at: datetime


def page(
    session: Session, after: tuple[int, str], limit: int, export_id: str | None = None
) -> list[RecallItem]:
    """Items behind a (position, export), in that order: one event ends one subject's consent, so
    no two items have both in common."""
    statement = select(RecallItem).where(
        tuple_(RecallItem.position, RecallItem.export_id) > tuple_(*after)
    )
    if export_id is not None:
        statement = statement.where(RecallItem.export_id == export_id)
    order = col(RecallItem.position), col(RecallItem.export_id)
    return list(session.exec(statement.order_by(*order).limit(limit)))


def counted(
    session: Session,
    partner_id: str,
    after: tuple[str, str],
    limit: int,
    export_id: str | None = None,
) -> list[dict[str, Any]]:
    """A partner's items counted by export and reason: here nobody can tell which of its
    pseudonyms are meant, and it never learns a subject's own id."""
    key = RecallItem.export_id, RecallItem.reason
    statement = columns(*key, RecallItem.request_id, func.count(), func.sum(RecallItem.objects))  # type: ignore[call-overload]
    statement = statement.where(RecallItem.partner_id == partner_id, tuple_(*key) > tuple_(*after))
    if export_id is not None:
        statement = statement.where(RecallItem.export_id == export_id)
    statement = statement.group_by(*key, RecallItem.request_id).order_by(*key).limit(limit)
    return [
        {"export": r[0], "request": r[2], "reason": r[1], "items": r[3], "objects": int(r[4])}
        for r in session.execute(statement)
    ]


def counts(session: Session, export_id: str) -> dict[str, int]:
    """How many subjects, and objects of theirs, are to come back from an export."""
    items, objects = session.execute(
        select(func.count(), func.coalesce(func.sum(RecallItem.objects), 0)).where(
            RecallItem.export_id == export_id
        )
    ).one()
    return {"items": int(items), "objects": int(objects)}
