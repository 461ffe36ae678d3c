"""What the database says of a case before and after an attack, and whether it can go on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, select

from sharing.records import exports
from sharing.records.acceptances import Acceptance
from sharing.records.agreements import AgreementVersion
from tests.faults.cases import ENDED, Case, finished
from tests.faults.depot import Depot

# What was found in staging, and how long it took: whoever is told to erase may look again, and what
# had ended in vain is no more than that.
_LOOKED = {"erased_files", "erased_bytes", "erased_at", "stages"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where the request stands, what was decided and agreed, which exports there are, and what
    left."""

    request: dict[str, Any]
    decisions: list[dict[str, Any]]
    agreed: list[dict[str, Any]]
    exports: list[dict[str, Any]]
    releases: list[dict[str, Any]]


async def snapshot(depot: Depot, case: Case) -> Snapshot:
    """As it is now; fails where the audit log does not hold."""
    await depot.log_holds()
    runs = await depot.read(lambda s: exports.of_request(s, case.request))
    return Snapshot(
        request=(await depot.world.request(case.request)).model_dump(),
        decisions=await depot.decisions(case.request),
        agreed=await depot.read(lambda s: _agreed(s, case.request)),
        exports=[run.model_dump(exclude=_LOOKED) for run in runs],
        releases=[row.model_dump() for row in await depot.releases(case.request)],
    )


def _agreed(session: Session, request: str) -> list[dict[str, Any]]:
    """Every version of a request's agreement, and everything that was accepted."""
    versions = session.exec(select(AgreementVersion).where(AgreementVersion.request_id == request))
    accepted = session.exec(select(Acceptance).where(Acceptance.request_id == request))
    return [row.model_dump() for row in (*versions, *accepted)]


async def carried_on(depot: Depot, cases: Sequence[Case]) -> None:
    """Takes every case to its end by its people's own acts: one release where that is a delivery,
    none where it is not."""
    async with depot.working():
        packages = await asyncio.gather(*(finished(depot, case) for case in cases))
    for case, package in zip(cases, packages, strict=True):
        assert len(await depot.releases(case.request)) == (package is not None), case.state
        assert (package is None) == (case.state in ENDED[1:])
        if package is not None:
            depot.verified(package)
    await depot.log_holds()
