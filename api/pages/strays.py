"""What no route has answered for: a problem for programs, a page for whoever takes one."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.pages import refusals
from api.pages.doors import visitor
from api.problems import told

FOR_PROGRAMS = ("/v1/", "/openapi.json", "/healthz", "/readyz")


async def handle(request: Request, failure: Exception) -> Response:
    """An address that leads nowhere, or takes no such call; or a failure that nobody foresaw."""
    accepts = request.headers.get("accept", "")
    if request.url.path.startswith(FOR_PROGRAMS) or "text/html" not in accepts:
        return told(failure)
    answer = await refusals.shown(await visitor(request), failure, ())
    if isinstance(failure, HTTPException):
        answer.headers.update(failure.headers or {})
    return answer
