"""The keys with which a partner's signatories accept agreements: public halves of Ed25519."""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records.tables import new_id, now


class PartnerKey(SQLModel, table=True):
    """A signatory's key, base64 of 32 raw bytes, from when on and until when it signs."""

    __tablename__ = "partner_key"
    id: str = Field(primary_key=True)
    partner_id: str = Field(foreign_key="partner.id", index=True)
    key: str = Field(unique=True)
    signatory: str
    added_by: str
    added_at: datetime
    revoked_at: datetime | None = None


def add(session: Session, partner_id: str, key: str, signatory: str, added_by: str) -> PartnerKey:
    """A new key, which signs from now on."""
    row = PartnerKey(
        id=new_id("key"),
        partner_id=partner_id,
        key=key,
        signatory=signatory,
        added_by=added_by,
        added_at=now(),
    )
    session.add(row)
    return row


def registered(session: Session, key: str) -> PartnerKey | None:
    """A key by its public text, whosever it is."""
    return session.exec(select(PartnerKey).where(PartnerKey.key == key)).first()


def of(session: Session, partner_id: str) -> list[PartnerKey]:
    """Every key of a partner, ended ones too, the oldest first."""
    return list(
        session.exec(
            select(PartnerKey)
            .where(PartnerKey.partner_id == partner_id)
            .order_by(col(PartnerKey.added_at), PartnerKey.id)
        )
    )


def signing(session: Session, partner_id: str) -> dict[str, str]:
    """The keys that sign for a partner now, by id."""
    return {row.id: row.key for row in of(session, partner_id) if row.revoked_at is None}
