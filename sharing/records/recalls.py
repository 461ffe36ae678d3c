"""Recall items: whose objects went out, and must come back since their consent ended."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field, SQLModel

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
    position: int = Field(sa_type=Position)
    objects: int
    state: str = "open"
    opened_at: datetime
