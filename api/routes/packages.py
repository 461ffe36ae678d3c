"""Packages: a delivered export's files, by links that run out."""

import asyncio
import base64
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.answers import Cursor, decoded, encoded, json_answer, or_absent
from api.backend import Backend
from api.dependencies import Call
from api.guard import GuardedRoute
from api.package_files import answered, listed, package_at, size_of
from api.routes.exports import own_export
from sharing.errors import NotFound, Refused
from sharing.export.bucket import Bucket
from sharing.export.paths import why_unsafe
from sharing.records import exports
from sharing.records.exports import Export, Release
from sharing.records.requests import Request as RequestRow
from sharing.records.unit import Unit

router = APIRouter(tags=["exports"], route_class=GuardedRoute)

LINK_SECONDS = 900
FileLimit = Annotated[int, or_absent(1000), Query(ge=1, le=10_000)]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A package that was released: where it lies, and whose it is."""

    export_id: str
    request_id: str
    partner_id: str
    place: Path | Bucket


@router.get("/v1/exports/{export_id}/package", name="exports.package")
async def package(
    export_id: str,
    call: Call,
    limit: FileLimit = 1000,
    cursor: Cursor = None,
    file: Annotated[str | None, Query(max_length=4000, description="This file alone.")] = None,
) -> Response:
    """The package's files in path order, each with a link that works for 15 minutes."""
    after = (decoded(cursor, (str,)) or [""])[0]
    delivered = await call.read(lambda session: _delivered(session, call, export_id))
    files = await asyncio.to_thread(_listed, delivered.place, file)
    shown = [file for file in files if file[0] > after][: limit + 1]
    expires = int(time.time()) + LINK_SECONDS
    await call.log("package.listed", delivered.request_id, export=export_id)
    return json_answer(
        {
            "export": export_id,
            "request": delivered.request_id,
            "expires_at": datetime.fromtimestamp(expires, UTC),
            "files": [
                {
                    "path": path,
                    "bytes": size,
                    "url": str(
                        call.base_url.replace(path=_link(call.backend, export_id, path, expires))
                    ),
                }
                for path, size in shown[:limit]
            ],
            "next": encoded([shown[limit - 1][0]]) if len(shown) > limit else None,
        }
    )


@router.get("/v1/packages/{token}/{path:path}", name="packages.file")
async def file(token: str, path: str, request: Request) -> Response:
    """One file of a package, by a link that `package` gave; parts of it by `Range`."""
    delivered = await _opened_for(token, path, request)
    database = request.app.state.backend.database
    told = {"export": delivered.export_id, "file": path}

    def logged(action: str, **more: Any) -> Callable[[Unit], None]:
        return lambda u: u.audit(delivered.partner_id, action, delivered.request_id, **told, **more)

    async def ended(sent: int, whole: bool) -> None:
        await database.write(logged("package.sent", bytes=sent, complete=whole))

    answer = await answered(delivered.place, path, request.headers, ended)
    asked = request.headers.get("range")
    await database.write(logged("package.downloaded", **({"range": asked[:200]} if asked else {})))
    return answer


@router.head("/v1/packages/{token}/{path:path}", name="packages.head")
async def head(token: str, path: str, request: Request) -> Response:
    """How large that file is, and its ETag; nothing of it is sent."""
    delivered = await _opened_for(token, path, request)

    async def ended(_sent: int, _whole: bool) -> None:
        """Nothing has left."""

    return await answered(delivered.place, path, request.headers, ended)


async def _opened_for(token: str, path: str, request: Request) -> Delivered:
    """The package that a link opens. Who sends a token beside it has to be its partner."""
    backend: Backend = request.app.state.backend
    export_id = _opened(backend, token, path)
    delivered = await backend.database.read(lambda session: _released(session, backend, export_id))
    caller = await backend.doorkeeper.known(request)
    if caller is not None and caller.partner_id not in (None, delivered.partner_id):
        raise NotFound("file", path)
    return delivered


def _delivered(session: Session, call: Call, export_id: str) -> Delivered:
    own_export(session, call, export_id)
    return _released(session, call.backend, export_id)


def _released(session: Session, backend: Backend, export_id: str) -> Delivered:
    """Raises Refused unless a release row stands behind the export: only then may a byte leave."""
    export = exports.get(session, export_id)
    if session.get(Release, export.id) is None or export.location is None:
        raise Refused("not_released", f"The export is {export.state}: there is no package yet.")
    request = session.get_one(RequestRow, export.request_id)
    place = package_at(export.location, backend.settings)
    return Delivered(export.id, export.request_id, request.partner_id, place)


def place_of(export: Export, backend: Backend) -> Path | Bucket | None:
    """Where the package of an export lies; None where this server has no access to it, or it is not
    handed over yet."""
    try:
        return package_at(export.location, backend.settings) if export.location else None
    except Refused:
        return None


def _listed(place: Path | Bucket, path: str | None) -> list[tuple[str, int]]:
    if path is None:
        return sorted(listed(place))
    if why_unsafe(path):
        raise NotFound("file", path)
    return [(path, size_of(place, path))]


def _link(backend: Backend, export_id: str, path: str, expires: int) -> str:
    token = f"{export_id}.{expires}.{_signature(backend, export_id, path, expires)}"
    return f"/v1/packages/{token}/{quote(path)}"


def _signature(backend: Backend, export_id: str, path: str, expires: int) -> str:
    made = backend.derived("package-link", export_id, str(expires), path)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _opened(backend: Backend, token: str, path: str) -> str:
    """The export that a link is for; raises Refused for one that we never gave or that ran out."""
    export_id, _, rest = token.partition(".")
    until, _, signature = rest.partition(".")
    expires = int(until) if until.isdecimal() and len(until) < 12 else 0
    if not hmac.compare_digest(
        _signature(backend, export_id, path, expires).encode(), signature.encode()
    ):
        raise NotFound("file", path)
    if expires < time.time():
        raise Refused("link_expired", "This link has run out: ask for the package again.")
    return export_id
