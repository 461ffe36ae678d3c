"""Decisions: a person's binding act at a gate."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BeforeValidator, Field
from sqlmodel import Session
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, Flag, Line, Prose
from api.guard import GuardedRoute
from api.idempotency import Answer
from api.routes.requests import own, viewer
from sharing.eligibility import demand_own
from sharing.errors import NotFound, Refused, bad_field
from sharing.orders import Verb
from sharing.records import decisions, sign_offs, standing
from sharing.records.accounts import accounts
from sharing.records.requests import Decision
from sharing.records.views import request_view
from sharing.stages import Outcome, Stage

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=GuardedRoute)

OPENS_WITHIN, LOOK_EVERY = 10.0, 0.1  # seconds

Gate = Literal[
    Stage.PURPOSE_REVIEW, Stage.CONSENT_VERIFICATION, Stage.CONFLICT_SIGNOFF, Stage.LEGAL_APPROVAL
]


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _read(value: bool) -> bool:
    if not value:
        raise ValueError("must be true: read the findings before signing.")
    return value


def _declared(value: bool) -> bool:
    if not value:
        raise ValueError(
            "must be true: whoever has an interest in the partner declares it at "
            "`POST /v1/interests` and does not decide."
        )
    return value


class SignOff(Body):
    """What the conflict officer signs: that the screening was read, everybody whom it recuses, and
    who acts in whose place, by id."""

    screening_read: Annotated[Flag, AfterValidator(_read)]
    recused: Annotated[tuple[Line, ...], Field(max_length=1000)]
    replaced_by: Annotated[dict[Line, Line], Field(max_length=1000, default_factory=dict)]


class NewDecision(Body):
    """A decision on what `digest` names. `no_interest: true` is the decider's own declaration. At
    the legal gate `agreement_digest` names the version of the agreement that was read, and
    `answers` has a word on each violation that asks for one, by the name of its check. `sign_off`
    belongs to the gate `conflict_signoff`."""

    stage: Gate
    outcome: Literal[Outcome.APPROVED, Outcome.REFUSED, Outcome.RETURNED]
    digest: Line
    reason: Prose
    conditions: Annotated[
        tuple[Prose, ...], BeforeValidator(_one_or_many), Field(max_length=50)
    ] = ()
    no_interest: Annotated[Flag, AfterValidator(_declared)]
    agreement_digest: Line | None = None
    answers: Annotated[dict[Line, Prose], Field(max_length=20, default_factory=dict)]
    sign_off: SignOff | None = None


class TakingBack(Body):
    """Why, if one wants to say so."""

    reason: Prose | None = None


@router.post("/{request_id}/decisions", name="requests.decide", status_code=201)
async def decide(request_id: str, body: NewDecision, call: Call) -> Response:
    """Decides at the gate where the request waits."""
    decision_id = call.id_for("dec", request_id)

    async def doing() -> Answer:
        if not await call.read(lambda s: s.get(Decision, decision_id) is not None):
            await _demand_decidable(call, request_id, body)
            await call.order(
                Verb.DECIDE,
                decision_id,
                request_id,
                body.digest,
                {**_told(body), "role": str(call.principal.role), **_signed_off(body)},
            )
        return Answer(
            201,
            await call.read(
                lambda s: {
                    "decision": decision_id,
                    **request_view(viewer(s, call), own(s, call, request_id)),
                }
            ),
        )

    return await call.act(doing)


def _told(body: NewDecision) -> dict[str, Any]:
    """What the order says; what was not given is not in it."""
    told: dict[str, Any] = {
        "stage": str(body.stage),
        "outcome": str(body.outcome),
        "reason": body.reason,
        "conditions": list(body.conditions),
    }
    if body.agreement_digest is not None:
        told["agreement_digest"] = body.agreement_digest
    if body.answers:
        told["answers"] = dict(body.answers)
    return told


@router.post("/{request_id}/decisions/{decision_id}/take-back", name="requests.take_back")
async def take_back(request_id: str, decision_id: str, body: TakingBack, call: Call) -> Response:
    """Takes one's own approval back, until the next gate has decided. One may decide again then."""

    async def doing() -> Answer:
        if await call.read(lambda s: _retractable(s, call, request_id, decision_id)):
            said = {"reason": body.reason} if body.reason else {}
            await call.order(
                Verb.TAKE_BACK,
                call.id_for("ord", "take_back", decision_id),
                request_id,
                body={"decision": decision_id, **said},
            )
        return Answer(
            200,
            await call.read(lambda s: request_view(viewer(s, call), own(s, call, request_id))),
        )

    return await call.act(doing)


def _retractable(session: Session, call: Call, request_id: str, decision_id: str) -> bool:
    """False where it was taken back already; raises Refused where it cannot be."""
    request, taken = own(session, call, request_id), session.get(Decision, decision_id)
    if taken is None or taken.request_id != request.id:
        raise NotFound("decision", decision_id)
    person = call.actor(session)
    demand_own(person, accounts(session, taken.actor_id))
    if decision_id in decisions.voids(session, request.id):
        return False
    decisions.demand_retractable(session, request, taken)
    return True


def _demand_signed_off(session: Session, request_id: str, body: NewDecision) -> None:
    if body.sign_off is None:
        return
    if body.stage is not Stage.CONFLICT_SIGNOFF:
        raise bad_field("sign_off", f"belongs to {Stage.CONFLICT_SIGNOFF}: leave it out here.")
    sign_offs.demand_true(session, request_id, _signed_off(body)["sign_off"])


def _signed_off(body: NewDecision) -> dict[str, Any]:
    return {} if body.sign_off is None else {"sign_off": body.sign_off.model_dump(mode="json")}


async def _demand_decidable(call: Call, request_id: str, body: NewDecision) -> None:
    """Raises Refused. A gate that opens by itself in a moment is waited for, not refused."""

    def ask(session: Session) -> bool:
        request = own(session, call, request_id)
        opening = standing.between_gates(request) and request.digest == body.digest
        _demand_signed_off(session, request_id, body)
        try:
            standing.demand_decidable(
                session,
                request,
                call.actor(session),
                Stage(body.stage),
                body.digest,
                call.principal.role,
                body.outcome,
            )
        except Refused as refused:
            if refused.code == "wrong_stage" and opening:
                return False
            raise
        standing.demand_read(session, request, Stage(body.stage), _told(body))
        return True

    clock = asyncio.get_running_loop().time
    until = clock() + OPENS_WITHIN
    while not await call.read(ask):
        if clock() > until:
            raise Refused(
                "wrong_stage",
                "The gate is not open yet: its findings are being "
                "gathered. Try again when `waiting_for` names it.",
            )
        await asyncio.sleep(LOOK_EVERY)
