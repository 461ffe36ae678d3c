"""The audit log as a file of lines, read piece by piece: it may be longer than fits anywhere."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from api.answers import NOT_STORED
from api.dependencies import Call
from sharing.records import audit_search
from sharing.records.audit import AuditEntry
from sharing.records.audit_search import Wanted
from sharing.records.tables import rfc3339

AT_ONCE = 1_000
COLUMNS = ("position", "at", "actor", "action", "request_id", "detail", "previous", "hash")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would calculate


class Format(StrEnum):
    """What a line is: a JSON object, or values with commas between them."""

    NDJSON = "ndjson"
    CSV = "csv"


MEDIA = {Format.NDJSON: "application/x-ndjson", Format.CSV: "text/csv; charset=utf-8"}


async def streamed(call: Call, wanted: Wanted, form: Format) -> Response:
    """A download of what is asked for, up to what the log has now."""
    last = await call.read(audit_search.length)
    name = {"Content-Disposition": f'attachment; filename="audit.{form}"'}
    lines = _lines(call, wanted, form, last)
    return StreamingResponse(lines, headers={**NOT_STORED, **name}, media_type=MEDIA[form])


async def _lines(call: Call, wanted: Wanted, form: Format, last: int) -> AsyncIterator[bytes]:
    after = 0
    if form is Format.CSV:
        yield _csv([COLUMNS])
    while True:
        place = after
        found = await call.read(
            lambda session: audit_search.found(session, wanted, AT_ONCE, after=place)  # noqa: B023
        )
        some = [entry for entry in found if entry.position <= last]
        if some:
            yield _written(some, form)
        if len(some) < AT_ONCE:
            return
        after = some[-1].position


def _written(entries: Sequence[AuditEntry], form: Format) -> bytes:
    if form is Format.NDJSON:
        return b"".join(to_json(entry.model_dump()) + b"\n" for entry in entries)
    return _csv([_row(entry) for entry in entries])


def _row(entry: AuditEntry) -> list[Any]:
    values: dict[str, Any] = entry.model_dump()
    # Where numbers have commas, spreadsheets part a line at semicolons, whatever stands in quotes.
    detail = to_json(entry.detail).decode().replace(";", "\\u003b")
    told = {**values, "at": rfc3339(entry.at), "detail": detail}
    return [_harmless(told[name]) for name in COLUMNS]


def _harmless(value: Any) -> Any:
    """Text that a spreadsheet takes for text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
