"""What people do to an export, and how it ended: recorded by the control worker."""

from dataclasses import replace
from functools import partial
from typing import Any

from temporalio import activity

from sharing.eligibility import Act, demand
from sharing.errors import NotCleared, NotFound, Refused
from sharing.orders import Order, Verb
from sharing.records import clearances, cooling, exports, policies, requests
from sharing.records.database import Database
from sharing.records.exports import Export
from sharing.records.parties import actor
from sharing.records.requests import Request
from sharing.records.signing_keys import demand_order
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import LIVE_EXPORTS, ExportState, RequestState, Stage
from workflows.activities.acts import act, demand_fresh
from workflows.messages import PRIORITY, ExportEnd, Triggered


class Exports:
    """Records triggers, confirmations, cancellations and ends of exports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def record_trigger(self, order: Order) -> Triggered:
        """A new run for a cleared digest, by an engineer who decided nothing on it (I21)."""
        return await act(self._database, _trigger, order)

    @activity.defn
    async def record_confirmation(self, order: Order) -> None:
        """A second engineer says yes: the run begins."""
        await act(self._database, _confirm, order)

    @activity.defn
    async def record_cancellation(self, order: Order) -> None:
        """The run stops: from this commit on, nothing of it can be released."""
        await act(self._database, _cancel, order)

    @activity.defn
    async def record_export_end(self, end: ExportEnd) -> ExportEnd:
        """A run that released nothing ends; gives how it really ended, which is `delivered` where
        it was released after all, and without `not_cleared` where the clearance still stands."""
        return await self._database.write(partial(_end, end=end))


def _trigger(unit: Unit, order: Order) -> Triggered:
    demand_order(unit.session, order, Verb.TRIGGER)
    request = requests.get(unit.session, order.request_id, hold=True)
    known = unit.session.get(Export, order.id)
    if known is not None and known.state in LIVE_EXPORTS:
        return Triggered(known.id, known.needs_confirmation, known.priority)
    demand_fresh(order)
    if known is not None:
        raise Refused("wrong_state", f"The export is {known.state}: trigger a new one.")
    _may(unit, Act.TRIGGER, order, request)
    if order.digest != request.digest:
        raise Refused("stale_digest", "The request has changed since: read it again.")
    if exports.live(unit.session, request.id, request.digest) is not None:
        raise Refused("export_live", "An export of this request is under way already.")
    if request.state != RequestState.CLEARED:
        raise NotCleared(f"The request is {request.state}, not cleared.")
    clearances.demand(unit.session, request.id, request.digest, now())
    cooling.demand_over_for_export(unit.session, request)
    twice = policies.export(unit.session, request).engineers > 1
    state = ExportState.AWAITING_CONFIRMATION if twice else ExportState.RUNNING
    unit.session.add(
        Export(
            id=order.id,
            request_id=request.id,
            digest=request.digest,
            state=state,
            needs_confirmation=twice,
            triggered_by=order.actor,
            triggered_at=now(),
            priority=order.body.get("priority", PRIORITY),
            limit_bytes_per_second=order.body.get("limit_bytes_per_second"),
        )
    )
    requests.move(request, RequestState.EXPORTING)
    requests.wait(
        request, Stage.EXPORT if twice else None, request.waiting_until if twice else None
    )
    _tell(unit, request, order.actor, "export.triggered", order.id)
    return Triggered(order.id, twice, order.body.get("priority", PRIORITY))


def _confirm(unit: Unit, order: Order) -> None:
    demand_order(unit.session, order, Verb.CONFIRM)
    request, export = _both(unit, order)
    if export.confirmed_by == order.actor:
        return
    demand_fresh(order)
    if export.state != ExportState.AWAITING_CONFIRMATION:
        raise Refused("wrong_state", f"The export is {export.state}: nothing to confirm.")
    _may(unit, Act.CONFIRM, order, request, export.triggered_by)
    export.state, export.confirmed_by, export.confirmed_at = ExportState.RUNNING, order.actor, now()
    requests.wait(request, None, None)
    _tell(unit, request, order.actor, "export.confirmed", export.id)


def _cancel(unit: Unit, order: Order) -> None:
    demand_order(unit.session, order, Verb.CANCEL)
    request, export = _both(unit, order)
    if export.state == ExportState.CANCELLED:
        return
    demand_fresh(order)
    _may(unit, Act.CANCEL, order, request)
    if exports.released(unit.session, export.id) or export.state not in LIVE_EXPORTS:
        raise Refused("wrong_state", f"The export is {export.state}: it can't be cancelled now.")
    waiting = export.state == ExportState.AWAITING_CONFIRMATION
    exports.stop(export, ExportState.CANCELLED, "export_cancelled", "Cancelled by a person.")
    _tell(unit, request, order.actor, "export.cancelled", export.id)
    if waiting:
        exports.back_to_cleared(unit.session, request)


def _end(unit: Unit, end: ExportEnd) -> ExportEnd:
    request_id = exports.get(unit.session, end.export_id).request_id
    request = requests.get(unit.session, request_id, hold=True)
    export = exports.get(unit.session, end.export_id, hold=True)  # as it is after the wait
    if exports.released(unit.session, export.id):
        return ExportEnd(export.id, ExportState.DELIVERED)
    if export.state == ExportState.AWAITING_CONFIRMATION:
        return end  # nobody confirmed it, so what ended was no run of it
    if export.state == ExportState.RUNNING:
        exports.stop(export, ExportState.FAILED, end.code, end.detail)
        _tell(unit, request, "system:export", "export.failed", export.id, code=end.code)
    revoked = end.code == "not_cleared" and not clearances.stands(unit.session, request)
    if request.state == RequestState.EXPORTING and request.digest == export.digest:
        if exports.live(unit.session, request.id, request.digest) is not None:
            pass  # a later run is under way: that one decides how the request goes on
        elif revoked:
            requests.end(request, RequestState.REVOKED)
            _tell(unit, request, "system:export", "request.revoked", export.id)
        else:
            exports.back_to_cleared(unit.session, request)
    return end if revoked or end.code != "not_cleared" else replace(end, code="release_refused")


def _may(unit: Unit, act: Act, order: Order, request: Request, by: str | None = None) -> None:
    person = actor(unit.session, order.actor)
    if person is None:
        raise NotFound("person", order.actor)
    demand(act, person, requests.case(unit.session, request, by))


def _both(unit: Unit, order: Order) -> tuple[Request, Export]:
    request = requests.get(unit.session, order.request_id, hold=True)
    export = exports.get(unit.session, order.body["export"], hold=True)
    if export.request_id != request.id:
        raise NotFound("export", export.id)
    return request, export


def _tell(unit: Unit, request: Request, by: str, what: str, export: str, **data: Any) -> None:
    unit.audit(by, what, request.id, export=export, **data)
    unit.tell(what, export, partner_id=request.partner_id, request_id=request.id, **data)
