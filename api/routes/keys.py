"""Public keys: with them anyone can check what was signed here."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from api.backend import Backend
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import signing_keys

router = APIRouter(prefix="/v1/keys", tags=["audit"], route_class=GuardedRoute)

PURPOSES = ("seal", "order", "receipt")


@router.get("", name="keys.list")
async def listed(request: Request) -> Response:
    """The keys that are trusted now: `seal` signs packages, `order` what people told the API,
    `receipt` consent receipts."""
    backend: Backend = request.app.state.backend

    def query(session: Session) -> list[Json]:
        return [
            {"purpose": purpose, "key": key}
            for purpose in PURPOSES
            for key in signing_keys.known(session, purpose)
        ]

    return json_answer({"keys": await backend.database.read(query)})
