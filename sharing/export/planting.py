"""Which canaries an export has: as its policy asks, as large as what lies around them, and on
record before anything of them is written."""

from sqlmodel import Session, col, func, select

from sharing.export.canary import Planted, Planting
from sharing.export.runs import Fenced, case_of
from sharing.records import canaries, policies
from sharing.records.canaries import Canary
from sharing.records.datasets import DatasetObject
from sharing.records.exports import ExportShard
from sharing.records.tables import now
from sharing.records.unit import Unit


def asked(session: Session, fenced: Fenced) -> Planting | None:
    """What is to be planted in an export, None where its policy asks for nothing. Sizes are those
    of the shard as it was planned, so that no withdrawal changes a drawing."""
    case = case_of(session, fenced.export_id)
    count = policies.export(session, case.request).canaries
    if not count:
        return None
    shard = session.get_one(ExportShard, (fenced.export_id, fenced.number))
    average = session.exec(
        select(func.avg(DatasetObject.bytes)).where(
            DatasetObject.dataset_id == case.revision.dataset_id,
            DatasetObject.index_version == case.revision.index_version,
            col(DatasetObject.position).between(shard.first, shard.last),
        )
    ).one()
    return Planting(fenced.export_id, count, case.export.shards or 1, int(average or 0))


def recorded(unit: Unit, fenced: Fenced, planted: tuple[Planted, ...]) -> None:
    """Keeps the canaries of a shard."""
    canaries.keep(
        unit,
        [
            Canary(
                export_id=fenced.export_id,
                name=one.name,
                shard=fenced.number,
                bytes=len(one.data),
                sha256=one.sha256,
                subject_pseudonym=one.subject,
                at=now(),
            )
            for one in planted
        ],
    )
