"""What the database knows of a run, step by step: planned, shards taken, shards committed.

Each function that changes something is one transaction. Each begins by demanding the clearance,
and each ends a superseded attempt by comparing its fence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlmodel import Session

from sharing.clearance import Clearance
from sharing.consent import Coverage
from sharing.errors import Refused
from sharing.export.pack import ShardResult
from sharing.export.select import Chosen, cut
from sharing.export.select import choose as choose_shard
from sharing.export.table_part import TablePart, packing_of, table_part
from sharing.records import clearances, exports, reports, requests, scopes
from sharing.records.datasets import Dataset
from sharing.records.exports import Export, ExportShard, UnreadableObject
from sharing.records.places import marked
from sharing.records.reports import Moment
from sharing.records.requests import Request, RequestRevision
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import LIVE_EXPORTS, Exclusion, ExportState

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
    table: TablePart | None = None


@dataclass(frozen=True, slots=True)
class RunCase:
    """A run that may go on: its request, its revision, and the clearance that it stands on."""

    export: Export
    request: Request
    revision: RequestRevision
    clearance: Clearance


def case_of(session: Session, export_id: str, *, hold: bool = False) -> RunCase:
    """An export that may go on, with the clearance it stands on; Refused or NotCleared if not.
    `hold` keeps request and export, in this order, as they are until this transaction ends."""
    request = requests.get(session, exports.get(session, export_id).request_id, hold=hold)
    export = exports.get(session, export_id, hold=hold)
    exports.demand_running(export)
    clearance = clearances.demand(session, request.id, export.digest, now())
    if request.digest != export.digest:
        raise Refused("not_cleared", "The request's scope changed after the export was triggered.")
    return RunCase(export, request, requests.revision_row(session, request), clearance)


def planned(session: Session, export_id: str) -> int | None:
    """The number of shards of an export that was planned already; None if it was not."""
    return case_of(session, export_id).export.shards


def survey(session: Session, export_id: str) -> tuple[Sequence[tuple[int, str]], Coverage]:
    """(index position, subject) of all that an export asks for, and its consent counted."""
    case = case_of(session, export_id)
    return scopes.objects_of(session, case.revision), scopes.coverage(session, case.request)


def plan(
    unit: Unit,
    export_id: str,
    objects: Sequence[tuple[int, str]],
    size: int,
    counted: Coverage,
) -> int:
    """Writes the shards of an export, and the report of its consent as it is at the trigger; the
    same call again changes nothing."""
    case = case_of(unit.session, export_id, hold=True)
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
    reports.keep(unit, case.request, Moment.TRIGGER, counted, export_id)
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
    case = case_of(unit.session, export_id)
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
        packing_of(dataset, case.revision),
        dataset.category,
        case.request.partner_id,
        case.revision.age_recipient,
        table_part(unit.session, dataset, case.revision),
    )


def choose(session: Session, fenced: Fenced) -> Chosen:
    """Asks every subject of a shard again, now."""
    case = case_of(session, fenced.export_id)
    shard = session.get_one(ExportShard, (fenced.export_id, fenced.number))
    return choose_shard(session, case.request, case.revision, shard, now())


def commit_shard(unit: Unit, fenced: Fenced, chosen: Chosen, packed: ShardResult) -> None:
    """Records what an attempt packed, unless a later attempt took the shard meanwhile."""
    case_of(unit.session, fenced.export_id)
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
    shard.consent_terms = chosen.terms
    unread = {one.path for one in packed.unread}
    shard.places = marked(
        shard.first,
        shard.last,
        (
            place
            for place, candidate in zip(chosen.places, chosen.candidates, strict=True)
            if candidate.path not in unread
        ),
    )
    shard.result, shard.committed_at = asdict(packed), now()
    for one in packed.unread:
        unit.session.merge(
            UnreadableObject(
                export_id=fenced.export_id,
                path=one.path,
                shard=fenced.number,
                detail=one.detail,
            )
        )
    unit.tell(
        "shard.exported",
        fenced.export_id,
        request_id=None,
        shard=fenced.number,
        objects=packed.objects,
    )


def is_over(session: Session, export_id: str) -> bool:
    """True where nothing that is staged for an export is needed any more."""
    return exports.get(session, export_id).state not in LIVE_EXPORTS


def ended_in_vain(session: Session, export_id: str) -> bool:
    """True where nothing of an export was released, nor ever will be."""
    return exports.get(session, export_id).state in (ExportState.FAILED, ExportState.CANCELLED)


def erased(unit: Unit, export_id: str) -> None:
    """What an export left in staging is gone."""
    request_id = exports.get(unit.session, export_id).request_id
    unit.audit(EXPORTER, "export.erased", request_id, export=export_id)
