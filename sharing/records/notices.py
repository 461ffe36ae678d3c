"""Notices: what people were told, version by version."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKeyConstraint
from sqlmodel import Field, Session, SQLModel, select

from sharing.purpose import NoticeTerms
from sharing.records.tables import now


class Notice(SQLModel, table=True):
    """One version of a notice; never changed once given."""

    __tablename__ = "notice"
    name: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    text: str
    text_sha256: str
    purposes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    categories: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime


class NoticeText(SQLModel, table=True):
    """The words of a notice in one language, as they were shown."""

    __tablename__ = "notice_text"
    __table_args__ = (
        ForeignKeyConstraint(
            ["name", "version"], ["notice.name", "notice.version"], name="fk_notice_text_notice"
        ),
    )
    name: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    text: str
    text_sha256: str


class NoticeCompatibility(SQLModel, table=True):
    """A person's decision whether consents under an older version of a notice still stand beside a
    newer one. The latest decision on a pair counts."""

    __tablename__ = "notice_compatibility"
    __table_args__ = (
        ForeignKeyConstraint(
            ["name", "older"], ["notice.name", "notice.version"], name="fk_compatibility_older"
        ),
        ForeignKeyConstraint(
            ["name", "newer"], ["notice.name", "notice.version"], name="fk_compatibility_newer"
        ),
    )
    id: str = Field(primary_key=True)
    name: str
    older: str
    newer: str
    compatible: bool
    reason: str
    decided_by: str = Field(foreign_key="person.id")
    decided_at: datetime


def add(
    session: Session,
    name: str,
    version: str,
    text: str,
    purposes: Sequence[str],
    categories: Sequence[str],
) -> Notice:
    """A new version of a notice, its text hashed."""
    notice = Notice(
        name=name,
        version=version,
        text=text,
        purposes=list(purposes),
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        categories=list(categories),
        created_at=now(),
    )
    session.add(notice)
    return notice


def terms(session: Session) -> Mapping[tuple[str, str], NoticeTerms]:
    """Every notice's purposes and categories, by name and version."""
    return {
        (n.name, n.version): NoticeTerms(n.name, n.version, tuple(n.purposes), tuple(n.categories))
        for n in session.exec(select(Notice).order_by(Notice.name, Notice.version))
    }
