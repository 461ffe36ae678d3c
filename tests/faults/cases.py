"""A request brought to any state it can be in, and from there to its proper end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sharing.conflict import InterestKind, Organisation
from sharing.errors import Refused
from sharing.orders import Verb
from sharing.records import interests
from sharing.records.interests import Recusal
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import GATES, LIVE_EXPORTS, Outcome, Stage
from tests.faults.depot import PATIENCE, Depot, until
from workflows.messages import request_workflow

ENDED = ("delivered", "revoked", "refused", "withdrawn", "expired")
EXPORTING = ("awaiting_confirmation", "running")
OPEN = (*map(str, GATES), "returned", "cleared", "cancelled", *EXPORTING)
STATES = (*ENDED, *OPEN)  # those that need the export worker come first: it would run the others
A_MOMENT = 0.05 / 86_400  # days


@dataclass(frozen=True, slots=True)
class Case:
    """A request in a named state; `export` is its latest one, if it has any."""

    request: str
    digest: str
    state: str
    export: str | None = None

    @property
    def row_state(self) -> str:
        """What the request's own row says: an export's states are not its own."""
        return {"cancelled": "cleared"}.get(
            self.state, "exporting" if self.state in EXPORTING else self.state
        )


async def brought(depot: Depot, state: str) -> Case:
    """A new request in that state: one of STATES. Needs a depot of a special category."""
    with _deadline(depot, state):
        order = depot.world.submission()
        await depot.send(order)
        request, digest = order.request_id, order.digest
        if state == "expired":
            await depot.at(request, state)
            return Case(request, digest, state)
    if state in ("returned", "refused", "withdrawn"):
        await _left(depot, request, digest, state)
        return Case(request, digest, state)
    for stage in GATES:
        await depot.at(request, stage)
        if state == stage:
            return Case(request, digest, state)
        await approved(depot, request, digest, stage)
    await depot.at(request, "cleared")
    return await _exported(depot, Case(request, digest, state))


async def cleared(depot: Depot) -> tuple[str, str]:
    """A new request that passed all four gates: its id and digest."""
    case = await brought(depot, "cleared")
    return case.request, case.digest


async def approved(depot: Depot, request: str, digest: str, stage: Stage) -> None:
    """The gate's own person says yes."""
    await depot.send(depot.world.decision(request, digest, stage))


async def triggered(depot: Depot, request: str, digest: str) -> str:
    """An engineer triggers, as soon as an export before it has ended for the engine too; gives the
    export."""

    async def tried() -> str | None:
        try:
            return await depot.tell(Verb.TRIGGER, request, "engineer", digest)
        except Refused as refused:
            if refused.code != "export_live":
                raise
            return None

    return await until(tried, f"the trigger of {request}")


async def confirmed(depot: Depot, request: str, export: str) -> None:
    """A second engineer says yes."""
    await depot.tell(Verb.CONFIRM, request, "second_engineer", export=export)


async def cancelled(depot: Depot, request: str, export: str) -> None:
    """Counsel stops the export."""
    await depot.tell(Verb.CANCEL, request, "legal_counsel", export=export)


async def finished(depot: Depot, case: Case) -> str | None:
    """Takes a case on to delivery by its people's own acts, within `depot.working()`; gives its
    package. None where the request had come to another end."""
    if case.state in ENDED[1:]:
        return None
    digest, export = case.digest, case.export
    if case.state == "returned":
        revision = depot.world.submission(case.request, number=2, retention_days=30)
        await depot.send(revision)
        digest = revision.digest
    if case.state in GATES or case.state == "returned":
        begin = GATES.index(Stage(case.state)) if case.state in GATES else 0
        for stage in GATES[begin:]:
            await depot.at(case.request, stage)
            await approved(depot, case.request, digest, stage)
        await depot.at(case.request, "cleared")
    if case.state not in (*EXPORTING, "delivered"):
        export = await triggered(depot, case.request, digest)
    assert export is not None
    if case.state not in ("running", "delivered"):
        await confirmed(depot, case.request, export)
    row = await depot.ended(export)
    assert (row.state, row.detail) == ("delivered", None)
    await depot.at(case.request, "delivered")
    return row.location


async def _left(depot: Depot, request: str, digest: str, state: str) -> None:
    """The ways in which a request leaves the gates."""
    await depot.at(request, GATES[0])
    if state == "withdrawn":
        await depot.tell(Verb.WITHDRAW, request, "partner")
    else:
        await depot.send(depot.world.decision(request, digest, GATES[0], Outcome(state)))
    await depot.at(request, state)


async def _exported(depot: Depot, case: Case) -> Case:
    """A cleared request's export, brought to where the case is to stand."""
    if case.state == "cleared":
        return case
    if case.state == "revoked":
        await _interest_comes_out(depot, case.request)
    export = await triggered(depot, case.request, case.digest)
    if case.state == "cancelled":
        await cancelled(depot, case.request, export)
    elif case.state != "awaiting_confirmation":
        await confirmed(depot, case.request, export)
    if case.state in ("delivered", "revoked"):
        async with depot.working():
            row = await depot.ended(export)
            workflow = depot.office.client.get_workflow_handle(request_workflow(case.request))
            async with asyncio.timeout(PATIENCE):
                await workflow.result()
        assert row.state not in LIVE_EXPORTS
    case = Case(case.request, case.digest, case.state, export)
    await depot.at(case.request, case.row_state)
    return case


async def _interest_comes_out(depot: Depot, request: str) -> None:
    """Counsel turns out to have a tie: recused from this one request, so that others go on."""
    counsel = depot.world.people["legal_counsel"]

    def recuse(unit: Unit) -> None:
        tie = Organisation("Elsewhere Holding")
        found = interests.declare(
            unit, counsel, tie, InterestKind.FUND, date(2010, 1, 1), None, "", counsel
        )
        unit.session.flush()
        unit.session.add(
            Recusal(
                request_id=request,
                person_id=counsel,
                interest_id=found.id,
                relation="a parent of the partner",
                at=now(),
            )
        )

    await depot.world.database.write(recuse)


@contextmanager
def _deadline(depot: Depot, state: str) -> Iterator[None]:
    """Gates of a moment for a case that is to expire."""
    usual = depot.office.settings.stage_days
    if state == "expired":
        object.__setattr__(depot.office.settings, "stage_days", A_MOMENT)
    yield
    object.__setattr__(depot.office.settings, "stage_days", usual)
