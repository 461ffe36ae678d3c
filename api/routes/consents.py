"""Consents: what subjects said, line by line; bad lines are refused, good ones are kept."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from api.consent_lines import read, sort_out
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.consent_line import CLOCKS_APART, Known, NewConsent
from sharing.records import intake
from sharing.records.consents import known_words
from sharing.records.tables import now
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/consents", tags=["consent"], route_class=GuardedRoute)

SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": NewConsent.model_json_schema()}
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


@router.post("", name="consents.append", status_code=201, openapi_extra=SCHEMA)
async def append(call: Call) -> Response:
    """Appends consent events: a JSON list, or one JSON object a line. All good lines go in; what
    its source has sent before under the same `source_id` is known, and not appended again."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    lines = read(kind, call.sent)
    known = await call.read(lambda session: Known(*known_words(session), now() + CLOCKS_APART))
    found = await asyncio.to_thread(sort_out, lines, known)

    def work(unit: Unit) -> Json:
        taken = intake.take_in(unit, found.good)
        late = [{"line": found.numbers[place], "reason": reason} for place, reason in taken.refused]
        refused = sorted((*found.refused, *late), key=lambda one: int(one["line"]))
        unit.audit(
            call.principal.id,
            "consents.appended",
            accepted=taken.accepted,
            known=taken.known,
            refused=len(refused),
            position=taken.position,
        )
        unit.tell("consents.appended", "consents", accepted=taken.accepted, position=taken.position)
        return {
            "accepted": taken.accepted,
            "known": taken.known,
            "refused": refused,
            "position": taken.position,
        }

    return await call.create(work, status=201)
