"""What the database knows of a run, step by step: planned, shards taken and committed, released.

Each function that changes something is one transaction. Each begins by demanding the clearance,
and each ends a superseded attempt by comparing its fence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, func, select

from sharing.clearance import Clearance
from sharing.errors import Refused
from sharing.export.pack import PackedFile, ShardResult
from sharing.export.seal import PackageHeader, Sealed
from sharing.export.select import Chosen, cut, lapsed
from sharing.export.select import choose as choose_shard
from sharing.export.source import Unread
from sharing.records import audit, clearances, exports, requests, scopes
from sharing.records.database import Unit
from sharing.records.datasets import Dataset
from sharing.records.exports import Export, ExportShard, Release, UnreadableObject
from sharing.records.parties import Partner
from sharing.records.requests import Request, RequestRevision
from sharing.records.tables import now
from sharing.stages import Exclusion, ExportState, RequestState

EXPORTER = "system:export"


@dataclass(frozen=True, slots=True)
class Fenced:
    """A shard taken by one attempt; a later attempt has a higher fence."""

    export_id: str
    number: int
    fence: int
    location: str
    packing: str
    category: str
    partner_id: str
    age_recipient: str | None


@dataclass(frozen=True, slots=True)
class Committed:
    """A shard as an attempt committed it."""

    fence: int
    result: ShardResult


@dataclass(frozen=True, slots=True)
class Run:
    """Everything one attempt at a release needs."""

    export_id: str
    fence: int
    header: PackageHeader
    shards: tuple[Committed, ...]


@dataclass(frozen=True, slots=True)
class Stale:
    """Not released: in these shards consent ended since they were made."""

    shards: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Released:
    """What is to be handed over."""

    partner_id: str
    fence: int
    envelope: str


@dataclass(frozen=True, slots=True)
class _Case:
    export: Export
    request: Request
    revision: RequestRevision
    clearance: Clearance


def _case(session: Session, export_id: str, *, hold: bool = False) -> _Case:
    """An export that may go on, with the clearance it stands on; Refused or NotCleared if not."""
    export = exports.get(session, export_id, hold=hold)
    exports.demand_running(export)
    request = requests.get(session, export.request_id)
    clearance = clearances.demand(session, request.id, export.digest, now())
    if request.digest != export.digest:
        raise Refused("not_cleared", "The request's scope changed after the export was triggered.")
    return _Case(export, request, requests.revision_row(session, request), clearance)


def planned(session: Session, export_id: str) -> int | None:
    """The number of shards of an export that was planned already; None if it was not."""
    return _case(session, export_id).export.shards


def objects_of(session: Session, export_id: str) -> Sequence[tuple[int, str]]:
    """(index position, subject) of everything in the scope of an export."""
    return scopes.objects_of(session, _case(session, export_id).revision)


def plan(unit: Unit, export_id: str, objects: Sequence[tuple[int, str]], size: int) -> int:
    """Writes the shards of an export; the same call again changes nothing."""
    case = _case(unit.session, export_id, hold=True)
    if case.export.shards is not None:
        return case.export.shards
    if not objects:
        raise Refused("nothing_in_scope", "No object is in scope: ask the partner for a revision.")
    rows = [
        ExportShard(export_id=export_id, number=n, first=first, last=last)
        for n, (first, last) in enumerate(cut(objects, size))
    ]
    unit.session.add_all(rows)
    case.export.shards, case.export.total = len(rows), len(objects)
    unit.audit(
        EXPORTER,
        "export.planned",
        case.request.id,
        export=export_id,
        shards=len(rows),
        objects=len(objects),
    )
    return len(rows)


def take_shard(unit: Unit, export_id: str, number: int) -> Fenced | None:
    """Takes a shard for a new attempt; None if it was committed already."""
    case = _case(unit.session, export_id)
    shard = unit.session.get_one(ExportShard, (export_id, number), with_for_update=True)
    if shard.result is not None:
        return None
    shard.fence += 1
    dataset = unit.session.get_one(Dataset, case.revision.dataset_id)
    return Fenced(
        export_id,
        number,
        shard.fence,
        dataset.location,
        case.revision.body["delivery"]["format"],
        dataset.category,
        case.request.partner_id,
        case.revision.age_recipient,
    )


def choose(session: Session, fenced: Fenced) -> Chosen:
    """Asks every subject of a shard again, now."""
    case = _case(session, fenced.export_id)
    shard = session.get_one(ExportShard, (fenced.export_id, fenced.number))
    return choose_shard(session, case.request, case.revision, shard, now())


def commit_shard(unit: Unit, fenced: Fenced, chosen: Chosen, packed: ShardResult) -> None:
    """Records what an attempt packed, unless a later attempt took the shard meanwhile."""
    _case(unit.session, fenced.export_id)
    shard = unit.session.get_one(
        ExportShard, (fenced.export_id, fenced.number), with_for_update=True
    )
    if shard.fence != fenced.fence or shard.result is not None:
        raise Refused("superseded", "A later attempt took this shard over.")
    excluded = Counter(chosen.excluded)
    if packed.unread:
        excluded[Exclusion.UNREADABLE] += len(packed.unread)
    shard.objects, shard.bytes, shard.excluded = packed.objects, packed.bytes, dict(excluded)
    shard.consent_position, shard.consent_until = chosen.position, chosen.until
    shard.result, shard.committed_at = asdict(packed), now()
    for unread in packed.unread:
        unit.session.merge(
            UnreadableObject(
                export_id=fenced.export_id,
                path=unread.path,
                shard=fenced.number,
                detail=unread.detail,
            )
        )
    unit.tell(
        "shard.exported",
        fenced.export_id,
        request_id=None,
        shard=fenced.number,
        objects=packed.objects,
    )


def is_released(session: Session, export_id: str) -> bool:
    """True once the bytes count as gone."""
    return exports.released(session, export_id) is not None


def take_release(unit: Unit, export_id: str) -> Run:
    """Begins an attempt at a release: every earlier one is superseded."""
    case = _case(unit.session, export_id, hold=True)
    case.export.fence += 1
    shards = exports.shards_of(unit.session, export_id)
    missing = [s.number for s in shards if s.result is None]
    if missing or len(shards) != case.export.shards:
        raise RuntimeError(f"shards {missing} are not committed yet")  # retried: not a refusal
    excluded: Counter[str] = Counter()
    for shard in shards:
        excluded.update(shard.excluded)
    case.export.excluded = dict(sorted(excluded.items()))
    header = _header(unit.session, case, shards)
    return Run(
        export_id,
        case.export.fence,
        header,
        tuple(Committed(s.fence, _result(s.result or {})) for s in shards),
    )


def release(unit: Unit, run: Run, sealed: Sealed) -> None | Stale:
    """The transaction in which bytes leave: the consent of every subject in it is looked at once
    more with the ledger held, and the database looks at the whole promise when the row is written."""
    case = _case(unit.session, run.export_id, hold=True)
    if is_released(unit.session, run.export_id):
        return None
    at = now()
    shards = exports.shards_of(unit.session, run.export_id)
    stale = lapsed(unit.session, case.request, case.revision, shards, at)
    if stale:
        for shard in shards:
            if shard.number in stale:
                shard.result = None
        unit.audit(EXPORTER, "release.held", case.request.id, export=run.export_id, shards=stale)
        return Stale(tuple(stale))
    position = max(s.consent_position or 0 for s in shards)
    unit.session.add(
        Release(
            export_id=run.export_id,
            request_id=case.request.id,
            digest=case.export.digest,
            fence=run.fence,
            consent_position=position,
            objects=sealed.objects,
            bytes=sealed.bytes,
            manifest_sha256=sealed.manifest_sha256,
            envelope=sealed.envelope.decode(),
            released_at=at,
        )
    )
    unit.session.flush()
    unit.audit(
        EXPORTER,
        "export.released",
        case.request.id,
        export=run.export_id,
        objects=sealed.objects,
        bytes=sealed.bytes,
        manifest=sealed.manifest_sha256,
    )
    unit.tell(
        "export.released",
        run.export_id,
        partner_id=case.request.partner_id,
        request_id=case.request.id,
        objects=sealed.objects,
        bytes=sealed.bytes,
    )
    return None


def released(session: Session, export_id: str) -> Released:
    """What is to be handed over to whom."""
    row = session.get_one(Release, export_id)
    request = requests.get(session, row.request_id)
    return Released(request.partner_id, row.fence, row.envelope)


def delivered(unit: Unit, export_id: str, location: str) -> None:
    """The package lies where the partner can get it."""
    export = exports.get(unit.session, export_id, hold=True)
    if export.state == ExportState.DELIVERED:
        return
    request = requests.get(unit.session, export.request_id, hold=True)
    export.state, export.location, export.ended_at = ExportState.DELIVERED, location, now()
    requests.end(request, RequestState.DELIVERED)
    for type, subject in (("export.delivered", export_id), ("request.delivered", request.id)):
        unit.audit(EXPORTER, type, request.id, export=export_id)
        unit.tell(type, subject, partner_id=request.partner_id, request_id=request.id)


def _header(session: Session, case: _Case, shards: Sequence[ExportShard]) -> PackageHeader:
    head, linked = audit.head(session)
    body: dict[str, Any] = dict(case.revision.body)
    partner = session.get_one(Partner, case.request.partner_id)
    dataset = session.get_one(Dataset, case.revision.dataset_id)
    return PackageHeader(
        request=case.request.id,
        export=case.export.id,
        partner=partner.id,
        title=body["title"],
        purpose=body["purpose"],
        category=dataset.category,
        digest=case.export.digest,
        clearance_digest=case.clearance.seal,
        agreement_digest=case.clearance.agreement_digest,
        packing=body["delivery"]["format"],
        excluded=dict(case.export.excluded),
        consent_position=max(s.consent_position or 0 for s in shards),
        audit_position=head,
        audit_hash=linked,
        created=case.export.triggered_at,
        retention_days=body["retention_days"],
    )


def _result(stored: dict[str, Any]) -> ShardResult:
    return ShardResult(
        stored["number"],
        tuple(PackedFile(**file) for file in stored["files"]),
        stored["objects"],
        stored["bytes"],
        stored["manifest"],
        stored["manifest_sha256"],
        tuple(Unread(**unread) for unread in stored["unread"]),
    )


def progress(session: Session, export_id: str) -> tuple[int, int, int]:
    """(objects, bytes, excluded) committed so far."""
    objects, size = session.exec(
        select(
            func.coalesce(func.sum(ExportShard.objects), 0),
            func.coalesce(func.sum(ExportShard.bytes), 0),
        ).where(ExportShard.export_id == export_id)
    ).one()
    excluded = sum(sum(s.excluded.values()) for s in exports.shards_of(session, export_id))
    return int(objects), int(size), excluded
