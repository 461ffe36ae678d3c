"""What the database knows of a run, step by step: planned, shards taken, shards committed.

Each function that changes something is one transaction. Each begins by demanding the clearance,
and each ends a superseded attempt by comparing its fence."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlmodel import Session

from sharing.clearance import Clearance
from sharing.consent import Coverage
from sharing.errors import NotYet, Refused
from sharing.export.pack import ShardResult
from sharing.export.plan import Bounds, Piece, cut
from sharing.export.select import Chosen
from sharing.export.select import choose as choose_shard
from sharing.export.table_part import TablePart, packing_of, table_part
from sharing.records import clearances, clocks, exports, reports, requests, scopes, steering
from sharing.records.datasets import Dataset
from sharing.records.exports import Export, ExportShard, UnreadableObject
from sharing.records.places import marked
from sharing.records.reports import Moment
from sharing.records.requests import Request, RequestRevision
from sharing.records.steering import Steered
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import LIVE_EXPORTS, Exclusion, ExportState

EXPORTER = "system:export"
UNTIMED: Mapping[str, int] = {}


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
    steered: Steered
    table: TablePart | None = None


@dataclass(frozen=True, slots=True)
class RunCase:
    """A run that may go on: its request, its revision, and the clearance that it stands on."""

    export: Export
    request: Request
    revision: RequestRevision
    clearance: Clearance


def case_of(
    session: Session, export_id: str, *, hold: bool = False, though_paused: bool = False
) -> RunCase:
    """An export that may go on, with the clearance it stands on; Refused or NotCleared if not, and
    NotYet while it is paused, unless what is done leads nowhere by itself (`though_paused`).
    `hold` keeps request and export, in this order, as they are until this transaction ends."""
    request = requests.get(session, exports.get(session, export_id).request_id, hold=hold)
    export = exports.get(session, export_id, hold=hold)
    exports.demand_running(export)
    at = clocks.at(session, export)
    clearance = clearances.demand(session, request.id, export.digest, at)
    if request.digest != export.digest:
        raise Refused("not_cleared", "The request's scope changed after the export was triggered.")
    if not though_paused:
        steering.demand_not_paused(export, at)
    return RunCase(export, request, requests.revision_row(session, request), clearance)


def planned(session: Session, export_id: str) -> int | None:
    """The number of shards of an export that was planned already; None if it was not."""
    return case_of(session, export_id).export.shards


def total(session: Session, export_id: str) -> int:
    """How many objects are in the scope of an export that was planned."""
    return exports.get(session, export_id).total


def survey(session: Session, export_id: str, bounds: Bounds) -> tuple[tuple[Piece, ...], Coverage]:
    """All that an export asks for, cut into shards, and its consent counted."""
    case = case_of(session, export_id)
    counted = scopes.coverage(session, case.request)
    even = bounds.evenly(counted.objects)
    return tuple(cut(scopes.sizes(session, case.revision), even)), counted


def plan(
    unit: Unit,
    export_id: str,
    pieces: Sequence[Piece],
    counted: Coverage,
) -> int:
    """Writes the shards of an export, and the report of its consent as it is at the trigger; the
    same call again changes nothing."""
    case = case_of(unit.session, export_id, hold=True)
    if case.export.shards is not None:
        return case.export.shards
    if not pieces:
        raise Refused("nothing_in_scope", "No object is in scope: ask the partner for a revision.")
    unit.session.add_all(
        ExportShard(export_id=export_id, number=n, first=piece.first, last=piece.last)
        for n, piece in enumerate(pieces)
    )
    case.export.shards, case.export.planned_at = len(pieces), now()
    case.export.total = sum(piece.objects for piece in pieces)
    reports.keep(unit, case.request, Moment.TRIGGER, counted, export_id)
    unit.audit(
        EXPORTER,
        "export.planned",
        case.request.id,
        export=export_id,
        shards=len(pieces),
        objects=case.export.total,
    )
    return len(pieces)


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
        steering.steered(unit.session, export_id),
        table_part(unit.session, dataset, case.revision),
    )


def choose(session: Session, fenced: Fenced) -> Chosen:
    """Asks every subject of a shard again, now."""
    case = case_of(session, fenced.export_id)
    shard = session.get_one(ExportShard, (fenced.export_id, fenced.number))
    at = clocks.at(session, case.export)
    return choose_shard(session, case.request, case.revision, shard, at)


def why_stopped(session: Session, fenced: Fenced) -> Exception:
    """Why an attempt was told to stop, as its next look at the clearance would have said."""
    try:
        case_of(session, fenced.export_id)
    except (Refused, NotYet) as why:
        return why
    return NotYet("export_paused", "The export was paused for a moment.", 0.1)


def commit_shard(
    unit: Unit,
    fenced: Fenced,
    chosen: Chosen,
    packed: ShardResult,
    spent: Mapping[str, int] = UNTIMED,
) -> None:
    """Records what an attempt packed, unless a later attempt took the shard meanwhile. `spent`:
    microseconds by stage, beside those of the packing."""
    case_of(unit.session, fenced.export_id, though_paused=True)
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
    packing = shard.result.pop("stages")
    shard.stages = dict(Counter(shard.stages) + Counter(packing) + Counter(spent))
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


def committed(session: Session, export_id: str, number: int) -> tuple[int, int, int]:
    """Objects, bytes and exclusions of a shard that was committed."""
    shard = session.get_one(ExportShard, (export_id, number))
    return shard.objects, shard.bytes, sum(shard.excluded.values())


def is_over(session: Session, export_id: str) -> bool:
    """True where nothing that is staged for an export is needed any more."""
    return exports.get(session, export_id).state not in LIVE_EXPORTS


def ended_in_vain(session: Session, export_id: str) -> bool:
    """True where nothing of an export was released, nor ever will be."""
    return exports.get(session, export_id).state in (ExportState.FAILED, ExportState.CANCELLED)
