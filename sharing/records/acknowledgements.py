"""What a partner says it received: its own digest of the manifest, once and for good."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import BigInteger
from sqlmodel import Field, Session, SQLModel, UniqueConstraint, col, select

from sharing.errors import Refused
from sharing.records import exports
from sharing.records.exports import Export, Release
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.stages import ExportState

CONTEXT = "clearance-acknowledgement-v1"
SHOWN = 20


class Outcome(StrEnum):
    """Whether what the partner received is what was released."""

    ACKNOWLEDGED = "acknowledged"
    DISPUTED = "disputed"


class Acknowledgement(SQLModel, table=True):
    """One statement of a partner. `said`: the sha256 of what it says, so that the same said twice
    is recorded once. `key_id`: the registered key that signed it, where it was signed."""

    __tablename__ = "acknowledgement"
    __table_args__ = (UniqueConstraint("export_id", "said"),)
    id: str = Field(primary_key=True)
    export_id: str = Field(foreign_key="release.export_id")
    partner_id: str = Field(foreign_key="partner.id")
    outcome: str
    said: str
    manifest_sha256: str
    objects: int | None = Field(default=None, sa_type=BigInteger)
    bytes: int | None = Field(default=None, sa_type=BigInteger)
    key_id: str | None = Field(default=None, foreign_key="partner_key.id")
    signature: str | None = None
    at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """What a partner counts: sha256 of manifest.parquet, and its rows and bytes if it says them."""

    manifest_sha256: str
    objects: int | None = None
    bytes: int | None = None

    def agrees(self, release: Release) -> bool:
        """True if this is what was released."""
        return (
            self.manifest_sha256 == release.manifest_sha256
            and self.objects in (None, release.objects)
            and self.bytes in (None, release.bytes)
        )


def to_sign(export_id: str, manifest_sha256: str) -> str:
    """What a signatory signs to acknowledge a package."""
    return f"{CONTEXT}\n{export_id}\n{manifest_sha256}\n"


def record(
    unit: Unit, export: Export, partner_id: str, received: Received, signed: tuple[str, str] | None
) -> Acknowledgement:
    """Keeps what a partner received, and tells whether it is what was released; the same said again
    changes nothing. `signed`: the id of a key of the partner's, and its signature."""
    release = delivered(unit.session, export)
    said = _digest(received, signed)
    known = unit.session.exec(
        select(Acknowledgement).where(
            Acknowledgement.export_id == export.id, Acknowledgement.said == said
        )
    ).first()
    if known is not None:
        return known
    outcome = Outcome.ACKNOWLEDGED if received.agrees(release) else Outcome.DISPUTED
    key, signature = signed or (None, None)
    row = Acknowledgement(
        id=new_id("ack"),
        export_id=export.id,
        partner_id=partner_id,
        outcome=outcome,
        said=said,
        manifest_sha256=received.manifest_sha256,
        objects=received.objects,
        bytes=received.bytes,
        key_id=key,
        signature=signature,
        at=now(),
    )
    unit.session.add(row)
    _tell(unit, row, release)
    return row


def delivered(session: Session, export: Export) -> Release:
    """The release of an export that was handed over; raises Refused before that."""
    release = exports.released(session, export.id)
    if release is None or export.state != ExportState.DELIVERED:
        raise Refused("not_released", f"The export is {export.state}: there is no package yet.")
    return release


def of(session: Session, export_id: str) -> list[Acknowledgement]:
    """What was said of an export, the newest first."""
    return list(
        session.exec(
            select(Acknowledgement)
            .where(Acknowledgement.export_id == export_id)
            .order_by(col(Acknowledgement.at).desc(), col(Acknowledgement.id))
            .limit(SHOWN)
        )
    )


def _digest(received: Received, signed: tuple[str, str] | None) -> str:
    said = [received.manifest_sha256, received.objects, received.bytes, signed and signed[0]]
    return sha256(json.dumps(said).encode()).hexdigest()


def _tell(unit: Unit, row: Acknowledgement, release: Release) -> None:
    told = {"acknowledgement": row.id, "manifest": row.manifest_sha256}
    if row.outcome == Outcome.ACKNOWLEDGED:
        unit.audit(
            row.partner_id,
            "export.acknowledged",
            release.request_id,
            export=row.export_id,
            **told,
        )
        unit.tell(
            "export.acknowledged",
            row.export_id,
            partner_id=row.partner_id,
            request_id=release.request_id,
            **told,
        )
        return
    told |= {"released": release.manifest_sha256}
    unit.audit(
        row.partner_id,
        "export.disputed",
        release.request_id,
        export=row.export_id,
        **told,
    )
    unit.tell(
        "export.disputed",
        row.export_id,
        partner_id=row.partner_id,
        request_id=release.request_id,
        **told,
    )
