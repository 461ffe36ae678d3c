"""Submission and its undoing: the first revision, later revisions, withdrawal, deadlines missed."""

from datetime import datetime
from functools import partial
from typing import Any

from temporalio import activity

from sharing.errors import Refused
from sharing.orders import Order, Verb
from sharing.records import datasets, exports, policies, requests
from sharing.records.database import Database
from sharing.records.exports import Export
from sharing.records.idempotency import IdempotencyKey
from sharing.records.parties import Partner
from sharing.records.requests import Request, RequestRevision
from sharing.records.signing_keys import demand_order
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.request import Revision, check
from sharing.rulebook import FIRST
from sharing.stages import AMENDABLE, ENDED, ExportState, Outcome, RequestState
from workflows.activities import agreement
from workflows.activities.acts import act, demand_fresh
from workflows.activities.recusals import screen
from workflows.messages import Lapse, Standing, Submitted, Triggered

DEADLINE = "system:deadline"


class Submissions:
    """Records what the partner tells a request."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def record_submission(self, order: Order) -> Submitted:
        """The request and its first revision; the same order again changes nothing."""
        return await act(self._database, _submission, order)

    @activity.defn
    async def load_standing(self, request_id: str) -> Standing | None:
        """Where a request stands, for a workflow that begins without a submission: its earlier
        run was lost, and the database is the authority. None if there is no such request."""
        return _standing(await self._database.read(lambda s: exports.standing(s, request_id)))

    @activity.defn
    async def record_revision(self, order: Order) -> Submitted:
        """A changed scope under a new digest: what was decided on the old one is void."""
        return await act(self._database, _amendment, order)

    @activity.defn
    async def record_withdrawal(self, order: Order) -> None:
        """The partner no longer asks. Decisions stay readable (F6)."""
        await act(self._database, _withdrawal, order)

    @activity.defn
    async def record_lapse(self, lapse: Lapse) -> None:
        """A deadline passed: the request expires, never silently (F12). What time it is, the
        engine's server says: a message alone makes no deadline pass."""
        at = activity.info().current_attempt_scheduled_time
        await self._database.write(partial(_lapse, lapse=lapse, at=at))


def _submission(unit: Unit, order: Order) -> Submitted:
    demand_order(unit.session, order, Verb.SUBMIT)
    key = order.body.get("key")
    held = unit.session.get(IdempotencyKey, (order.body.get("client"), key)) if key else None
    if held is not None and held.body_hash != order.body.get("body_hash"):
        raise Refused("idempotency_mismatch", "This Idempotency-Key was used with another body.")
    recorded = unit.session.get(Request, order.request_id)
    if recorded is not None:
        return Submitted(recorded.digest, survey=True)
    demand_fresh(order)
    revision = _revision(unit, order)
    policies.demand_in_force(unit.session, revision.policy)
    partner = unit.session.get_one(Partner, order.actor)
    unit.session.add(
        Request(
            id=order.request_id,
            partner_id=partner.id,
            title=order.body["title"],
            state=RequestState.SUBMITTED,
            revision=1,
            digest=revision.digest,
            sponsor=order.body["sponsor"],
            submitted_at=now(),
        )
    )
    unit.session.flush()
    _keep(unit, revision)
    agreement.draft(unit, order, revision.body)
    if key:
        unit.session.add(
            IdempotencyKey(
                client=order.body["client"],
                key=key,
                status=201,
                at=now(),
                body_hash=order.body["body_hash"],
                response={"id": order.request_id},
            )
        )
    _tell(unit, order, "request.submitted", digest=revision.digest, revision=1)
    screen(unit, order.request_id, partner.id, order.body["onward_recipients"])
    return Submitted(revision.digest, survey=True)


def _standing(found: tuple[Request, Export | None] | None) -> Standing | None:
    if found is None:
        return None
    request, export = found
    return Standing(
        request.digest,
        RequestState(request.state),
        Triggered(export.id, export.needs_confirmation) if export else None,
        export is not None and export.confirmed_by is not None,
    )


def _amendment(unit: Unit, order: Order) -> Submitted:
    demand_order(unit.session, order, Verb.AMEND)
    request = requests.get(unit.session, order.request_id, hold=True)
    revision = _revision(unit, order)
    if request.digest == revision.digest:
        return Submitted(request.digest, survey=True)
    demand_fresh(order)
    if request.state not in AMENDABLE:
        raise Refused("wrong_state", f"The request is {request.state}: its scope can't change now.")
    if revision.number != request.revision + 1 or request.partner_id != order.actor:
        raise Refused("stale_digest", "The request was changed meanwhile: read it again.")
    policies.demand_in_force(unit.session, revision.policy)
    _keep(unit, revision)
    agreement.draft(unit, order, revision.body)
    request.revision, request.digest = revision.number, revision.digest
    request.title, request.sponsor = order.body["title"], order.body["sponsor"]
    requests.move(request, RequestState.SUBMITTED)
    requests.wait(request, None, None)
    _tell(unit, order, "request.revised", digest=revision.digest, revision=revision.number)
    screen(unit, request.id, request.partner_id, order.body["onward_recipients"])
    return Submitted(revision.digest, survey=True)


def _withdrawal(unit: Unit, order: Order) -> None:
    demand_order(unit.session, order, Verb.WITHDRAW)
    request = requests.get(unit.session, order.request_id, hold=True)
    if request.state == RequestState.WITHDRAWN:
        return
    demand_fresh(order)
    if request.state in ENDED or request.partner_id != order.actor:
        raise Refused("wrong_state", f"The request is {request.state} already.")
    export = exports.live(unit.session, request.id, request.digest)
    if export is not None:
        if exports.released(unit.session, export.id):
            raise Refused("wrong_state", "The package has been released already.")
        exports.stop(export, ExportState.CANCELLED)
    requests.end(request, RequestState.WITHDRAWN)
    _tell(unit, order, "request.withdrawn")


def _lapse(unit: Unit, lapse: Lapse, at: datetime) -> None:
    request = requests.get(unit.session, lapse.request_id, hold=True)
    if request.digest != lapse.digest or request.state != lapse.state or request.state in ENDED:
        return  # something else happened first, and that was the one answer
    if request.waiting_until is None:
        return  # nobody is waited for
    if at < request.waiting_until:
        raise RuntimeError("It is not time yet.")  # tried again: clocks may differ a little
    export = exports.live(unit.session, request.id, request.digest)
    if export is not None:
        if exports.released(unit.session, export.id):
            return  # the bytes have left: no deadline takes that back
        exports.stop(export, ExportState.CANCELLED)
    row = requests.open_gate(unit.session, request)
    if row is not None:
        row.outcome, row.closed_at = Outcome.EXPIRED, now()
    requests.end(request, RequestState.EXPIRED)
    unit.audit(DEADLINE, "request.expired", request.id, waited_at=str(lapse.state))
    unit.tell(
        "request.expired",
        request.id,
        partner_id=request.partner_id,
        request_id=request.id,
        waited_at=str(lapse.state),
    )


def _revision(unit: Unit, order: Order) -> Revision:
    """The revision an order speaks of; its digest must be the one that was signed for."""
    apart = ("index", "age_recipient", "number", "policy", "client", "key", "body_hash")
    body = {name: value for name, value in order.body.items() if name not in apart}
    dataset = datasets.named(unit.session, body["dataset"])
    check(body, None if dataset is None else datasets.offer_of(dataset))
    revision = Revision(
        order.request_id,
        order.body["number"],
        order.actor,
        order.body["age_recipient"],
        order.body["index"],
        body,
        order.body.get("policy", FIRST),  # not named by an order from before there were others
    )
    if revision.digest != order.digest:
        raise Refused("stale_digest", "The digest does not match what was submitted.")
    return revision


def _keep(unit: Unit, revision: Revision) -> None:
    dataset = datasets.named(unit.session, revision.body["dataset"])
    if dataset is None:
        raise Refused("invalid_body", f"There is no dataset {revision.body['dataset']!r}.")
    unit.session.add(
        RequestRevision(
            request_id=revision.request_id,
            number=revision.number,
            digest=revision.digest,
            dataset_id=dataset.id,
            index_version=revision.index,
            policy=revision.policy,
            age_recipient=revision.age_recipient,
            body=dict(revision.body),
            submitted_at=now(),
        )
    )


def _tell(unit: Unit, order: Order, what: str, **data: Any) -> None:
    unit.audit(order.actor, what, order.request_id, **data)
    unit.tell(what, order.request_id, partner_id=order.actor, request_id=order.request_id, **data)
