"""Looking at a few photos from a request's page. Nobody's decision waits for them: where they
cannot be had just now, the page says so, and everything else on it stands."""

from fastapi import FastAPI
from starlette.responses import Response

from api.pages.acts import back_to
from api.pages.doors import Visit, hang
from api.routes import previews
from sharing.errors import Refused
from workflows.client import EngineUnreachable

AWAY = frozenset({"source_missing", "source_failed", "wrong_state", "stale_order"})


def add_to(app: FastAPI) -> None:
    """Hangs the act into the application, under the name of its call."""
    hang(app, "/requests/{request_id}/previews", "previews.make", _look, "POST")


async def _look(visit: Visit) -> Response:
    request_id, said = visit.call.path_params["request_id"], "photos"
    try:
        await previews.make(request_id, visit.call)
    except EngineUnreachable:
        said = "photos_away"
    except Refused as refused:
        if refused.code not in AWAY:
            raise
        await visit.note("previews.make", refused)
        said = "photos_away"
    return back_to(f"/requests/{request_id}", said)
