"""What every route passes: who calls, may they, how much do they send; and every refusal's form.

It stands before FastAPI reads anything, so that a stranger's body is never parsed; and a refused
attempt at a change is in the audit log before it is answered.
"""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.auth import ALLOWED, SAFE_METHODS, demand_allowed
from api.backend import Backend
from api.dependencies import Call
from api.described import described
from api.idempotency import ticket
from api.problems import MALFORMED, told
from sharing.errors import NotEligible, NotFound, Refused
from sharing.records.parties import Principal

BODY_LIMIT = 1 << 20
BODY_LIMITS: Mapping[str, int] = {
    "consents.append": 64 << 20,
    "organisations.add": 64 << 20,
}
OWN_ID = re.compile(r"[a-z]{3}_[0-9a-f]{20}\Z")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route whose name is in the table of api.auth; a name that is not there cannot start."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        described(options, endpoint, ALLOWED[options["name"]])
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        """FastAPI's own handler, behind the guard."""
        name, handler = self.name, super().get_route_handler()
        body_model = self.body_field.field_info.annotation if self.body_field else None
        public = ALLOWED[name] is None

        async def guarded(request: Request) -> Response:
            backend: Backend = request.app.state.backend
            principal: Principal | None = None
            try:
                demand_plain(request)
                if public:
                    return await handler(request)
                principal = await backend.doorkeeper.caller(request)
                demand_allowed(name, principal.role)
                body, held = b"", None
                if request.method not in SAFE_METHODS:
                    body = await _body(request, name, json_only=body_model is not None)
                    held = ticket(request, principal.id, body)
                return await handler(Call(request, backend, principal, held, body))
            except Exception as failure:
                return await _refused(request, backend, name, principal, failure, body_model)

        return guarded


async def _body(request: Request, name: str, *, json_only: bool) -> bytes:
    """The whole body; raises Refused as soon as it is longer than the route allows."""
    limit = BODY_LIMITS.get(name, BODY_LIMIT)
    too_large = Refused("body_too_large", f"The body is longer than {limit >> 20} MiB: send less.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_large
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if json_only and kind != "application/json" and not kind.endswith("+json"):
        raise Refused(
            "unsupported_media_type", "Send JSON, with the header `Content-Type: application/json`."
        )
    chunks, taken = [], 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > limit:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def demand_plain(request: Request) -> None:
    """An address with control characters names nothing here (and some databases choke on it)."""
    asked = request.query_params.values() if request.scope["query_string"] else ()
    for word in (*request.path_params.values(), *asked):
        if not str(word).isprintable():
            raise NotFound("address", str(word)[:80])


async def _refused(
    request: Request,
    backend: Backend,
    name: str,
    principal: Principal | None,
    failure: Exception,
    body_model: Any,
) -> Response:
    attempt = principal is not None and request.method not in SAFE_METHODS
    if attempt and isinstance(failure, Refused) and failure.code not in MALFORMED:
        try:
            await log_attempt(backend, request, name, principal.id if principal else "", failure)
        except Exception as unlogged:
            return told(unlogged, body_model)
    return told(failure, body_model)


async def log_attempt(
    backend: Backend, request: Request, name: str, actor: str, refused: Refused
) -> None:
    """Notes a refused attempt at a change, in a transaction of its own."""
    detail = {"code": refused.code}
    if isinstance(refused, NotEligible):
        detail["why"] = refused.why
    named = [str(word) for word in request.path_params.values() if OWN_ID.match(str(word))]
    request_id = next((word for word in named if word.startswith("req_")), None)
    if named and request_id is None:
        detail["about"] = named[0]
    await backend.database.write(
        lambda unit: unit.audit(actor, f"refused.{name}", request_id, **detail)
    )
