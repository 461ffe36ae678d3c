"""Consents: what subjects said, line by line; bad lines are refused, good ones are kept."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, CategoryTerm, Flag, Line, PurposeTerm, line
from api.guard import GuardedRoute
from api.idempotency import Json
from api.problems import in_our_words
from api.suggest import close_field
from sharing.consent import ANYONE, Action
from sharing.errors import Refused, bad_field
from sharing.records import consents
from sharing.records.consents import known_words
from sharing.records.tables import now
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/consents", tags=["consent"], route_class=GuardedRoute)

LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
CLOCKS_APART = timedelta(minutes=5)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie between the years 1 and 9999, also in UTC.") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class NewConsent(Body):
    """What one subject said, under which version of which notice, and until when it holds."""

    model_config = ConfigDict(strict=True)

    subject: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(line)]
    purpose: PurposeTerm
    category: CategoryTerm
    recipient: Line
    action: Action
    explicit: Flag
    notice: Line
    notice_version: Line
    at: Moment
    valid_until: Moment | None = None
    jurisdiction: Annotated[Line, Field(max_length=20)] | None = None
    source: Line


@dataclass(frozen=True, slots=True)
class Known:
    """What a line may name: notices by name and version, and partners by id."""

    notices: frozenset[tuple[str, str]]
    partners: frozenset[str]
    latest: datetime


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
    """Appends consent events: a JSON list, or one JSON object a line. All good lines go in."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    lines = list(_lines(kind, call.sent))
    known = await call.read(lambda session: Known(*known_words(session), now() + CLOCKS_APART))
    good, refused = await asyncio.to_thread(_sorted_out, lines, known)

    def work(unit: Unit) -> Json:
        position = consents.append(unit.session, good)
        accepted, bad = len(good), len(refused)
        unit.audit(
            call.principal.id,
            "consents.appended",
            accepted=accepted,
            refused=bad,
            position=position,
        )
        unit.tell("consents.appended", "consents", accepted=accepted, position=position)
        return {"accepted": accepted, "refused": refused, "position": position}

    return await call.create(work, status=201)


def _lines(kind: str, body: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, line) from 1; raises Refused for a body that is neither form."""
    if kind in LINES:
        return ((n, text) for n, text in enumerate(body.split(b"\n"), start=1) if text.strip())
    if kind != "application/json":
        raise Refused(
            "unsupported_media_type",
            "Send a JSON list as `application/json`, or one "
            "object a line as `application/x-ndjson`.",
        )
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as failure:
        raise Refused("invalid_json", f"Not JSON: {str(failure)[:200]}.") from None
    if not isinstance(found, list):
        raise bad_field(
            "body",
            "must be a JSON list of consent events; for one object a line, "
            "say `Content-Type: application/x-ndjson`.",
        )
    return ((n, json.dumps(item).encode()) for n, item in enumerate(found, start=1))


def _sorted_out(
    lines: list[tuple[int, bytes]], known: Known
) -> tuple[list[dict[str, Any]], list[Json]]:
    """The good lines as rows, and the bad ones with their number and the reason."""
    good, refused = [], []
    for number, text in lines:
        try:
            event = NewConsent.model_validate_json(text)
            _demand_known(event, known)
        except ValidationError as failure:
            refused.append({"line": number, "reason": _reason(failure)})
        except Refused as failure:
            refused.append({"line": number, "reason": failure.detail})
        else:
            good.append(_row(event))
    return good, refused


def _demand_known(event: NewConsent, known: Known) -> None:
    if (event.notice, event.notice_version) not in known.notices:
        raise bad_field("notice", f"there is no notice {event.notice} {event.notice_version}.")
    if event.recipient != ANYONE and event.recipient not in known.partners:
        raise bad_field("recipient", "is neither '*' nor the id of a partner.")
    if event.at > known.latest:
        raise bad_field("at", "lies in the future.")
    if event.valid_until is not None and event.valid_until <= event.at:
        raise bad_field("valid_until", "must be later than `at`.")


def _row(event: NewConsent) -> dict[str, Any]:
    # A clock that runs ahead must not let a yes outlive a no that is said a moment later.
    return {**event.model_dump(), "action": str(event.action), "at": min(event.at, now())}


def _reason(failure: ValidationError) -> str:
    """The first thing that is wrong with a line, by the field's name."""
    error = failure.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(part) for part in error["loc"]) or "line"
    if error["type"] == "extra_forbidden":
        close = close_field(NewConsent, error["loc"])
        return f"{path}: is not known." + (f" Did you mean {close!r}?" if close else "")
    return f"{path}: {in_our_words(error['msg'])}"
