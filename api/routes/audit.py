"""The audit log: who did what, or tried to."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, json_answer, page
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import audit
from sharing.records.audit import LogBroken

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)


@router.get("", name="audit.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    request: Annotated[str | None, Query(max_length=100, description="Of one request.")] = None,
) -> Response:
    """Entries in the order in which they were written."""
    after = (decoded(cursor, (int,)) or [0])[0]

    def query(session: Session) -> list[Json]:
        return [entry.model_dump() for entry in audit.page(session, after, limit + 1, request)]

    found = await call.read(query)
    return page(found[:limit], [found[limit - 1]["position"]] if len(found) > limit else None)


@router.get("/verify", name="audit.verify")
async def verify(call: Call) -> Response:
    """Reads the whole log: every entry is there, unchanged, and linked to the one before it."""
    try:
        entries, head = await call.read(audit.verify)
    except LogBroken as broken:
        return json_answer({"ok": False, "detail": str(broken)})
    return json_answer({"ok": True, "entries": entries, "head": head})
