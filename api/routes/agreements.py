"""Agreements: read beforehand, added to by counsel, accepted by the partner."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from sqlmodel import Session
from starlette.responses import Response

from api.answers import json_answer
from api.dependencies import Call
from api.drafts import drafted
from api.fields import Body, Line, Prose, count
from api.guard import GuardedRoute
from api.idempotency import Answer, Json
from api.routes.requests import NewRequest, own
from sharing import agreement, agreement_file
from sharing.acceptance import Method, demand_signature, to_sign
from sharing.agreement import Kind
from sharing.errors import bad_field
from sharing.orders import Verb
from sharing.records import acceptances, agreements, partner_keys, standing
from sharing.records.acceptances import Acceptance
from sharing.records.agreement_views import agreement_view, shown
from sharing.records.parties import Partner
from sharing.stages import Stage

router = APIRouter(prefix="/v1", tags=["agreements"], route_class=GuardedRoute)

LONGEST = 3650  # days that a term may give
Action = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,59}$")]


class DueAfter(Body):
    """When a duty is due: within so long of `after`, or again and again from then on."""

    within_days: Annotated[int, count(1, LONGEST)] | None = None
    within_hours: Annotated[int, count(1, 24 * LONGEST)] | None = None
    every_days: Annotated[int, count(1, LONGEST)] | None = None
    after: Literal["delivery", "breach", "recall", "request"] = "delivery"


class NewTerm(Body):
    """One more term: what the partner may (`permission`), must not (`prohibition`) or must (`duty`)
    do. `agreement_digest` names the version that it is added to, if you want to be sure."""

    kind: Kind
    action: Action
    text: Prose
    due: DueAfter | None = None
    agreement_digest: Line | None = None


class NewAcceptance(Body):
    """The signatory's yes to the agreement that `digest` names: base64 of an Ed25519 signature of
    its `to_sign`, by a key that is registered for the partner (`key`: the id of that one)."""

    digest: Line
    signature: Annotated[str, Field(min_length=1, max_length=200)]
    key: Line | None = None


@router.post("/agreements/preview", name="agreements.preview")
async def preview(body: NewRequest, call: Call) -> Response:
    """The agreement that this request would be under. Nothing is recorded."""

    def query(session: Session) -> Json:
        draft = drafted(session, call, "preview", 1, body.model_dump(mode="json"))
        partner = session.get_one(Partner, call.partner_id)
        template = agreement_file.in_force()
        terms = agreement.drafted(template, draft.order_body, partner.id, partner.name)
        return {"digest": agreement.digest(terms), **shown(terms)}

    return json_answer(await call.read(query))


@router.get("/requests/{request_id}/agreement", name="agreements.show")
async def show(request_id: str, call: Call) -> Response:
    """The agreement as it stands: its text and terms, who accepted it, and what is due when."""
    return json_answer(await _shown(call, request_id))


@router.post("/requests/{request_id}/agreement/terms", name="agreements.add", status_code=201)
async def add(request_id: str, body: NewTerm, call: Call) -> Response:
    """Adds a term while the request waits for counsel: a new version, which the partner accepts."""
    _demand_due(body)
    order_id = call.id_for("ord", "terms", request_id)

    async def doing() -> Answer:
        if not await call.read(lambda s: agreements.by_order(s, order_id) is not None):
            digest, named = await call.read(lambda s: _addable(s, call, request_id, body))
            told = {"stage": str(Stage.LEGAL_APPROVAL), "agreement": named, "term": _term(body)}
            await call.order(Verb.ADD_TERMS, order_id, request_id, digest, told)
        return Answer(201, await _shown(call, request_id))

    return await call.act(doing)


@router.post(
    "/requests/{request_id}/agreement/acceptance", name="agreements.accept", status_code=201
)
async def accept(request_id: str, body: NewAcceptance, call: Call) -> Response:
    """Accepts exactly this version of the agreement, by the signatory's signature."""
    acceptance_id = call.id_for("acc", request_id)

    async def doing() -> Answer:
        if not await call.read(lambda s: s.get(Acceptance, acceptance_id) is not None):
            digest = await call.read(lambda s: _acceptable(s, call, request_id, body))
            told = {
                "stage": str(Stage.LEGAL_APPROVAL),
                "agreement": body.digest,
                "method": str(Method.SIGNATURE),
                "signature": body.signature,
                "client": call.principal.id,
            }
            await call.order(Verb.ACCEPT, acceptance_id, request_id, digest, told)
        return Answer(201, await _shown(call, request_id))

    return await call.act(doing)


def _demand_due(body: NewTerm) -> None:
    due = body.due
    given = [] if due is None else [due.within_days, due.within_hours, due.every_days]
    spans = sum(span is not None for span in given)
    if body.kind is Kind.DUTY and spans != 1:
        raise bad_field(
            "due", "a duty needs exactly one of within_days, within_hours and every_days."
        )
    if body.kind is not Kind.DUTY and due is not None:
        raise bad_field("due", f"only a duty is due; leave it out of a {body.kind}.")


def _term(body: NewTerm) -> dict[str, Any]:
    due = body.due.model_dump(exclude_none=True) if body.due else {}
    return {"kind": str(body.kind), "action": body.action, "text": body.text, **due}


def _addable(session: Session, call: Call, request_id: str, body: NewTerm) -> tuple[str, str]:
    """The digests of scope and agreement, if this caller may add to it now; raises Refused."""
    request = own(session, call, request_id)
    current = agreements.current(session, request)
    named = body.agreement_digest or current.agreement_digest
    standing.demand_addable(session, request, call.actor(session), named)
    agreement.with_term(agreements.terms(session, current), agreement.told(_term(body)))
    return request.digest, named


def _acceptable(session: Session, call: Call, request_id: str, body: NewAcceptance) -> str:
    """The scope's digest, if this is a good signature of what can be accepted; raises Refused."""
    request = own(session, call, request_id)
    partner = request.partner_id
    acceptances.demand_acceptable(session, request, partner, request.digest, body.digest)
    keys = partner_keys.signing(session, partner)
    if body.key is not None:
        if body.key not in keys:
            raise bad_field("key", f"{body.key!r} signs nothing for this partner: give a key's id.")
        keys = {body.key: keys[body.key]}
    demand_signature(keys, body.signature, to_sign(request.id, request.digest, body.digest))
    return request.digest


async def _shown(call: Call, request_id: str) -> Json:
    return await call.read(
        lambda s: agreement_view(s, own(s, call, request_id), inside=call.partner_id is None)
    )
