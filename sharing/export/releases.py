"""The release: the one transaction in which bytes leave, what leads to it, and what follows.

Consent is looked at once more with the ledger held, and the database looks at the whole promise
when the row is written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from sharing.consent_source import LEDGER_ALONE, Demanded
from sharing.export.pack import PackedFile, ShardResult
from sharing.export.runs import EXPORTER, UNTIMED, RunCase, case_of
from sharing.export.seal import PackageHeader, Sealed
from sharing.export.select import Proof, lapsed, look_ahead
from sharing.export.source import Unread
from sharing.export.table_part import packing_of
from sharing.push import target
from sharing.records import (
    audit,
    canaries,
    clocks,
    consent_sources,
    exports,
    heads,
    pulses,
    requests,
)
from sharing.records.datasets import Dataset, offer_of
from sharing.records.exports import ExportShard, Release
from sharing.records.parties import Partner
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import ExportState, RequestState


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
    proof: Proof | None = None


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
    push: str | None = None  # the partner's own place, where it is to be put too


def is_released(session: Session, export_id: str) -> bool:
    """True once the bytes count as gone."""
    return exports.released(session, export_id) is not None


def take_release(unit: Unit, export_id: str) -> Run | Stale:
    """Begins an attempt at a release: every earlier one is superseded. Stale where an earlier one
    found shards to make again, and died before it could say so."""
    case = case_of(unit.session, export_id, hold=True)
    case.export.fence += 1
    shards = exports.shards_of(unit.session, export_id)
    missing = tuple(s.number for s in shards if s.result is None)
    if missing:
        return Stale(missing)
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


def proven(session: Session, run: Run) -> Run | Stale:
    """The attempt with what can be shown before it is sealed and everybody waits for the ledger; or
    Stale, where sealing would be in vain."""
    case = case_of(session, run.export_id)
    shards = exports.shards_of(session, run.export_id)
    at = clocks.at(session, case.export)
    proof, stale = look_ahead(session, case.request, case.revision, shards, at)
    return Stale(tuple(stale)) if stale else replace(run, proof=proof)


def hold(unit: Unit, run: Run, stale: Stale) -> None:
    """These shards are to be made again; all others stay as they are. A superseded attempt has no
    say in it any more."""
    case = case_of(unit.session, run.export_id, hold=True, though_paused=True)
    if case.export.fence == run.fence and not is_released(unit.session, run.export_id):
        _hold(unit, case, stale.shards)


def _hold(unit: Unit, case: RunCase, stale: Sequence[int]) -> None:
    for shard in exports.shards_of(unit.session, case.export.id):
        if shard.number in stale:
            shard.result = None
    unit.audit(EXPORTER, "release.held", case.request.id, export=case.export.id, shards=list(stale))


def release(
    unit: Unit,
    run: Run,
    sealed: Sealed,
    demanded: Demanded = LEDGER_ALONE,
    spent: Mapping[str, int] = UNTIMED,
) -> Stale | None:
    """The transaction in which bytes leave: the consent of every subject in it is looked at once
    more with the ledger held, and the database looks at the whole promise as the row is written.
    Raises NotYet where the ledger is not up to date with a consent source that is followed."""
    case = case_of(unit.session, run.export_id, hold=True)
    if is_released(unit.session, run.export_id):
        return None
    exports.spend(case.export, spent)
    shards = exports.shards_of(unit.session, run.export_id)
    # First, for it may be waited for long: what ran out or was taken meanwhile is over by `at`.
    heads.position(unit.session.connection(), "consent", hold=True)
    at = clocks.at(unit.session, case.export)
    stale = lapsed(unit.session, case.request, case.revision, shards, at, run.proof)
    consent_sources.demand_fresh(unit.session, demanded)
    if stale:
        _hold(unit, case, stale)
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
    push = target(requests.revision_row(session, request).body, export_id)
    return Released(request.partner_id, row.fence, row.envelope, push)


def delivered(
    unit: Unit,
    export_id: str,
    location: str,
    pushed: str | None = None,
    spent: Mapping[str, int] = UNTIMED,
) -> None:
    """The package lies where the partner can get it, and was `pushed` to a place of its own.
    `spent`: microseconds by stage."""
    export = exports.get(unit.session, export_id, hold=True)
    if export.state == ExportState.DELIVERED:
        return
    request = requests.get(unit.session, export.request_id, hold=True)
    exports.spend(export, spent)
    export.state, export.location, export.ended_at = ExportState.DELIVERED, location, now()
    pulses.forget(unit.session, export_id)
    requests.end(request, RequestState.DELIVERED)
    if pushed is not None:
        unit.audit(EXPORTER, "package.pushed", request.id, export=export_id, to=pushed)
        unit.tell("package.pushed", export_id, partner_id=request.partner_id, request_id=request.id)
    for what, subject in (("export.delivered", export_id), ("request.delivered", request.id)):
        unit.audit(EXPORTER, what, request.id, export=export_id)
        unit.tell(what, subject, partner_id=request.partner_id, request_id=request.id)


def _header(session: Session, case: RunCase, shards: Sequence[ExportShard]) -> PackageHeader:
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
        packing=packing_of(dataset, case.revision),
        excluded=dict(case.export.excluded),
        consent_position=max(s.consent_position or 0 for s in shards),
        audit_position=head,
        audit_hash=linked,
        created=case.export.triggered_at,
        retention_days=body["retention_days"],
        canaries=canaries.are_in(session, case.export.id),
        fields=offer_of(dataset).asked(body["scope"]["fields"]),
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
