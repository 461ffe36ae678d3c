"""Is it alive, and can it do its work?"""

from fastapi import APIRouter
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from api.backend import Backend
from api.guard import GuardedRoute
from sharing.records.database import StorageFailed

router = APIRouter(tags=["health"], route_class=GuardedRoute)


@router.get("/healthz", name="healthz")
async def alive() -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


@router.get("/readyz", name="readyz")
async def ready(request: Request) -> Response:
    """Database and workflow engine can be reached; 503 says which cannot."""
    backend: Backend = request.app.state.backend
    try:
        await backend.database.read(lambda session: session.execute(text("SELECT 1")).scalar_one())
    except Exception as failure:
        raise StorageFailed("The database cannot be read.") from failure
    await backend.engine.ready()
    return json_answer({"status": "ok", "database": "ok", "engine": "ok"})
