"""Which key a partner's pseudonyms are made with: its id, recorded once and for good, so that a
new key in the ring never changes a name that was delivered."""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from sharing.keyring import Keyring
from sharing.records import exports, requests
from sharing.records.exports import Release
from sharing.records.parties import Partner
from sharing.records.requests import Request
from sharing.records.tables import now
from sharing.records.unit import Unit


class PseudonymKey(SQLModel, table=True):
    """The key of one partner's names; never the key itself."""

    __tablename__ = "pseudonym_key"
    partner_id: str = Field(primary_key=True, foreign_key="partner.id")
    key_id: str
    at: datetime


def of(session: Session, partner_id: str) -> str | None:
    """The id of the key that a partner's names are made with; None if nothing was made yet."""
    row = session.get(PseudonymKey, partner_id)
    return row.key_id if row else None


def settle_for(unit: Unit, export_id: str, ring: Keyring) -> bytes:
    """As `settle`, for the partner of an export: asked before a byte of it is written."""
    request = requests.get(unit.session, exports.get(unit.session, export_id).request_id)
    return settle(unit, request.partner_id, ring)


def settle(unit: Unit, partner_id: str, ring: Keyring) -> bytes:
    """The key for a partner's names. A new partner gets the newest, and keeps it; raises Refused
    where the ring has lost the one that is recorded."""
    known = of(unit.session, partner_id)
    if known is not None:
        return ring.key(known)
    unit.session.get_one(Partner, partner_id, with_for_update=True)  # of two at once, one chooses
    known = of(unit.session, partner_id)
    if known is None:
        known = ring.oldest if _has_received(unit.session, partner_id) else ring.newest
        unit.session.add(PseudonymKey(partner_id=partner_id, key_id=known, at=now()))
        unit.audit("system:export", "pseudonym_key.settled", None, partner=partner_id, key=known)
    return ring.key(known)


def _has_received(session: Session, partner_id: str) -> bool:
    """True for a partner to which something went before keys were recorded: there was one then."""
    statement = (
        select(Release.export_id)
        .join(Request, col(Request.id) == col(Release.request_id))
        .where(Request.partner_id == partner_id)
    )
    return session.exec(statement.limit(1)).first() is not None
