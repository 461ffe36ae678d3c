"""One-time links by which a partner's signatory, who needs no account, accepts an agreement."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field, Session, SQLModel, select

from sharing.errors import Refused
from sharing.records.agreements import AgreementVersion
from sharing.records.parties import hashed
from sharing.records.tables import new_id, now


class AcceptanceLink(SQLModel, table=True):
    """A link as the sha256 of its secret: for one version, and for one person outside."""

    __tablename__ = "acceptance_link"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "agreement_digest"],
            ["agreement.request_id", "agreement.digest"],
            name="fk_acceptance_link_agreement",
        ),
    )
    id: str = Field(primary_key=True)
    hash: str = Field(unique=True)
    request_id: str = Field(index=True)
    digest: str
    agreement_digest: str
    name: str
    email: str
    made_by: str = Field(foreign_key="person.id")
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


def new_secret() -> str:
    """What a link ends in."""
    return secrets.token_urlsafe(32)


def make(
    session: Session,
    version: AgreementVersion,
    secret: str,
    name: str,
    email: str,
    made_by: str,
    lifetime: timedelta,
    until: datetime,
) -> AcceptanceLink:
    """A link for this version, until a moment at most; whoever has the secret has the link."""
    row = AcceptanceLink(
        id=new_id("lnk"),
        hash=hashed(secret),
        request_id=version.request_id,
        digest=version.digest,
        agreement_digest=version.agreement_digest,
        name=name,
        email=email,
        made_by=made_by,
        made_at=now(),
        expires_at=min(now() + lifetime, until),
    )
    session.add(row)
    return row


def opened(session: Session, secret: str) -> AcceptanceLink:
    """The link that ends in this secret; raises Refused where it can no longer be used."""
    row = session.exec(select(AcceptanceLink).where(AcceptanceLink.hash == hashed(secret))).first()
    if row is None:
        raise Refused("not_found", "There is no such link here: copy the whole of it.")
    demand_usable(row)
    return row


def demand_usable(row: AcceptanceLink) -> None:
    """Raises Refused for a link that was used, or that has run out."""
    if row.used_at is not None:
        raise Refused("link_used", "This link was used: each one accepts once.")
    if row.expires_at <= now():
        raise Refused("link_expired", "This link has run out: ask whoever sent it for another.")
