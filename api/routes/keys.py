"""Public keys: with them anyone can check what was signed here."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from api.backend import Backend
from api.dependencies import Call
from api.fields import Body
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.errors import NotFound
from sharing.export.envelope import key_id
from sharing.keys import public_key
from sharing.records import signing_keys
from sharing.records.signing_keys import SigningKey
from sharing.records.tables import now
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/keys", tags=["audit"], route_class=GuardedRoute)

PURPOSES = ("seal", "order", "receipt")


class OldKey(Body):
    """A public key as `GET /v1/keys` shows it."""

    key: Annotated[str, Field(min_length=1, max_length=100)]


@router.get("", name="keys.list")
async def listed(request: Request) -> Response:
    """`keys` are trusted now: `seal` signs packages, `order` what people told the API, `receipt`
    consent receipts. `retired` ones sign nothing any more; what they signed before `until` stands.
    """
    backend: Backend = request.app.state.backend

    def query(session: Session) -> list[SigningKey]:
        return [row for purpose in PURPOSES for row in signing_keys.all_of(session, purpose)]

    rows = await backend.database.read(query)
    return json_answer(
        {
            "keys": [_view(row) for row in rows if row.revoked_at is None],
            "retired": [_view(row) for row in rows if row.revoked_at is not None],
        }
    )


@router.post("/retire", name="keys.retire")
async def retire(body: OldKey, call: Call) -> Response:
    """Ends a key for good: from now on nothing is signed with it, or believed that is."""

    def work(unit: Unit) -> Json:
        row = unit.session.get(SigningKey, body.key, with_for_update=True)
        if row is None:
            raise NotFound("key", body.key)
        if row.revoked_at is None:
            row.revoked_at = now()
            told = {"purpose": row.purpose, "key": row.key}
            unit.audit(call.principal.id, "signing_key.retired", **told)
            unit.tell("signing_key.retired", key_id(public_key(row.key)), **told)
        return _view(row)

    return await call.create(work, 200)


def _view(row: SigningKey) -> Json:
    """`key_id` is what the `keyid` of an envelope names."""
    return {
        "purpose": row.purpose,
        "key": row.key,
        "key_id": key_id(public_key(row.key)),
        "since": row.added_at,
        "until": row.revoked_at,
    }
