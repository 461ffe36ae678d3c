"""Answers: JSON with times in RFC 3339, pages with opaque cursors, and streams of events."""

import base64
import binascii
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query
from fastapi.sse import format_sse_event
from pydantic import BeforeValidator
from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from sharing.errors import Refused, bad_field


def or_absent(otherwise: int) -> BeforeValidator:
    """An empty `limit=` is none: then it is what a call without one gets."""
    return BeforeValidator(lambda given: otherwise if given == "" else given)


Limit = Annotated[int, or_absent(50), Query(ge=1, le=200, description="How many items at most.")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="The `next` of the page before this one.")
]
LAST_POSITION = 1 << 53  # the last whole number that JSON carries everywhere
_POSITION = re.compile(r"[0-9]{1,15}")
NOT_STORED = {"Cache-Control": "no-store"}


def json_answer(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer that no cache keeps."""
    return Response(
        to_json(body), status, {**NOT_STORED, **(headers or {})}, media_type="application/json"
    )


def page(items: Sequence[object], following: Sequence[object] | None) -> Response:
    """One page; `following` is where the next one begins, or None behind the last."""
    return json_answer({"items": items, "next": encoded(following) if following else None})


def encoded(place: Sequence[object]) -> str:
    """A cursor for a place in a list."""
    return base64.urlsafe_b64encode(to_json(list(place))).decode().rstrip("=")


def decoded(cursor: str | None, kinds: Sequence[type]) -> list[Any] | None:
    """The place that a cursor names, None without one or for an empty one; raises Refused for one
    we never gave."""
    if not cursor:
        return None
    place: Any
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds):
        raise bad_cursor()
    if not all(_plain(part) for part in place):
        raise bad_cursor()
    return place


def bad_cursor() -> Refused:
    """The refusal of a cursor that we never gave."""
    return bad_field("cursor", "is not one that a page gave as its `next`.")


def _plain(part: object) -> bool:
    """True for what a database can compare with: no huge number, no control character."""
    return str(part).isprintable() and (not isinstance(part, int) or 0 <= part <= LAST_POSITION)


def last_seen(header: str | None, otherwise: int = 0) -> int:
    """The position that a `Last-Event-ID` names; `otherwise` where it names none."""
    if header is None or not _POSITION.fullmatch(header):
        return otherwise
    return int(header)


def event_stream(events: AsyncIterator[bytes]) -> Response:
    """Server-sent events, not held back by any proxy in between."""
    headers = {**NOT_STORED, "X-Accel-Buffering": "no"}
    return StreamingResponse(events, headers=headers, media_type="text/event-stream")


def streamed(data: object, event_id: int, event: str | None = None) -> bytes:
    """One server-sent event."""
    return format_sse_event(data_str=to_json(data).decode(), event=event, id=str(event_id))


KEEP_ALIVE = b": still here\n\n"
