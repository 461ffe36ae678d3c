"""Policies: what gates and exports ask for, version by version, by two admins."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, StringConstraints
from sqlmodel import Session, col, select
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, json_answer, page
from api.dependencies import Call
from api.fields import Body, Prose, text
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import dry_runs, policies
from sharing.records.policies import PolicyApproval, PolicyVersion
from sharing.records.unit import Unit
from sharing.rulebook import FIRST

router = APIRouter(prefix="/v1/policies", tags=["policy"], route_class=GuardedRoute)

LAST = (1 << 31) - 1
Number = Annotated[int, Path(ge=FIRST, le=LAST)]


class NewPolicy(Body):
    """The whole text of the file, and why it should be so."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=200_000), AfterValidator(text)]
    reason: Prose


@router.post("", name="policies.propose", status_code=201)
async def propose(body: NewPolicy, call: Call) -> Response:
    """Proposes a version. It is in force once another admin has approved it."""

    def work(unit: Unit) -> Json:
        by = call.principal.id
        row = policies.propose(unit.session, body.text, body.reason, by, _lasting(call))
        unit.audit(by, "policy.proposed", policy=row.number, sha256=row.sha256)
        unit.tell("policy.proposed", str(row.number), policy=row.number, sha256=row.sha256)
        return view(unit.session, row.number)

    return await call.create(work)


@router.post("/{number}/approve", name="policies.approve")
async def approve(number: Number, call: Call) -> Response:
    """Puts a version in force for every revision that is submitted from now on."""

    def work(unit: Unit) -> Json:
        by = call.principal.id
        policies.approve(unit.session, number, by, _lasting(call))
        unit.audit(by, "policy.approved", policy=number)
        unit.tell("policy.approved", str(number), policy=number)
        return view(unit.session, number)

    return await call.create(work, status=200)


@router.get("", name="policies.list")
async def listed(call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All versions, newest first; the last one is the packaged one."""
    before = (decoded(cursor, (int,)) or [LAST])[0]
    found = await call.read(lambda session: history(session, before, limit + 1))
    return page(found[:limit], [found[limit - 1]["number"]] if len(found) > limit else None)


@router.get("/{number}", name="policies.show")
async def show(number: Number, call: Call) -> Response:
    """One version with its text."""
    return json_answer(await call.read(lambda session: view(session, number)))


@router.get("/{number}/dry-run", name="policies.dry_run")
async def dry_run(number: Number, call: Call) -> Response:
    """What the requests on record would need under this version, beside what they need now."""
    return json_answer(await call.read(lambda session: dry_runs.dry_run(session, number)))


def _lasting(call: Call) -> timedelta:
    return timedelta(days=call.backend.settings.clearance_days)


def history(session: Session, before: int, limit: int) -> list[Json]:
    """Versions before a number without their texts, newest first."""
    rows = session.exec(
        select(PolicyVersion.number)
        .where(col(PolicyVersion.number) < min(before, LAST))
        .order_by(col(PolicyVersion.number).desc())
        .limit(limit)
    ).all()
    numbers = [*rows, *([FIRST] if before > FIRST else [])][:limit]
    return [view(session, number, whole=False) for number in numbers]


def view(session: Session, number: int, *, whole: bool = True) -> Json:
    """One version as it is told, `whole` with its text; raises NotFound."""
    row = policies.version(session, number)
    approval = session.get(PolicyApproval, number)
    written = policies.text_of(session, number)
    current = policies.in_force(session)
    told: Json = {
        "number": number,
        "state": _state(number, current, approved=approval is not None or row is None),
        "sha256": row.sha256 if row else policies.digest(written),
        "reason": row.reason if row else "It comes with Clearance.",
        "proposed_by": row.proposed_by if row else None,
        "proposed_at": row.proposed_at if row else None,
        "approved_by": approval.approved_by if approval else None,
        "approved_at": approval.approved_at if approval else None,
    }
    return {**told, "text": written} if whole else told


def _state(number: int, current: int, *, approved: bool) -> str:
    if number == current:
        return "in_force"
    if approved:
        return "earlier"
    return "proposed" if number > current else "passed_over"
