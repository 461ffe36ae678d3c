"""Whether there is room for an export, asked before anything of it is written."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func
from sqlmodel import Session, col, select

from sharing.errors import Refused
from sharing.export.bucket import place
from sharing.export.runs import case_of
from sharing.records import heads
from sharing.records.exports import Export, ExportShard
from sharing.records.unit import Unit
from sharing.stages import LIVE_EXPORTS

# An object costs more than its bytes: 512 of tar header and up to 511 of padding, and about 250 in
# each of two manifests, its shard's part and the whole one's. Encryption adds 16 to each 64 KiB,
# which the hundredth is for, with what is small and fixed: seal, descriptions, the ends of tars.
# Stripping only takes away, and shards become a package by hard links.
PER_OBJECT = 1536
SPARE = 100
FIXED = 1 << 20


def needed(objects: int, size: int) -> int:
    """Bytes at the destination for so many objects of `size` bytes together."""
    return size + size // SPARE + objects * PER_OBJECT + FIXED


def free(url: str) -> int | None:
    """Bytes that are free where packages are put; None where there is no such notion (S3)."""
    folder = place(url, "CLEARANCE_DELIVERY_URL")
    if not isinstance(folder, Path):
        return None
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Room:
    """`free`: of the disk now; `promised`: what other exports under way still write there;
    `held`: all that they may hold at once. `most`: the installation's own quota."""

    free: int | None
    promised: int
    held: int
    most: int | None

    def short_of(self, wanted: int) -> Refused | None:
        """The refusal of an export that needs so much, with the numbers and the cure."""
        if self.free is not None and wanted > self.free - self.promised:
            return Refused(
                "destination_full",
                f"The export needs {wanted:,} bytes; {self.free:,} are free at the destination, "
                f"and {self.promised:,} of them are for exports under way. Nothing was written. "
                f"Free {wanted - self.free + self.promised:,} bytes, then trigger again.",
            )
        if self.most is not None and wanted > self.most - self.held:
            return Refused(
                "staging_quota",
                f"The export needs {wanted:,} bytes; exports under way hold {self.held:,} of the "
                f"{self.most:,} that CLEARANCE_STAGING_BYTES_MAX allows. Nothing was written. Wait "
                "for them, or raise the quota, then trigger again.",
            )
        return None


def room(session: Session, url: str, most: int | None, but: str = "") -> Room:
    """The room that there is, as every export under way but one sees it."""
    needs = select(Export.id, Export.needs_bytes).where(
        col(Export.state).in_(LIVE_EXPORTS),
        col(Export.needs_bytes).is_not(None),
        Export.id != but,
    )
    promised = held = 0
    for other, need in session.execute(needs).all():
        written = session.execute(
            select(func.coalesce(func.sum(ExportShard.bytes), 0)).where(
                ExportShard.export_id == other
            )
        ).scalar_one()
        held += need
        promised += max(0, need - int(written))
    return Room(free(url), promised, held, most)


def reserve(
    unit: Unit, export_id: str, objects: int, size: int, url: str, most: int | None
) -> None:
    """Keeps room for an export; Refused where there is too little. One after another: the log's
    head is held, so two that begin together see each other."""
    case = case_of(unit.session, export_id, hold=True)
    heads.position(unit.session.connection(), "audit", hold=True)
    wanted = needed(objects, size)
    short = room(unit.session, url, most, but=export_id).short_of(wanted)
    if short is not None:
        raise short
    case.export.scope_bytes, case.export.needs_bytes = size, wanted
