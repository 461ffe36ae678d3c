"""A few photos of a request's scope, small, for who decides. Each view is in the log."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.answers import json_answer
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Answer, Json
from api.routes.requests import own
from sharing.errors import NotFound, Refused
from sharing.export.sample import has_photos
from sharing.orders import Verb
from sharing.records import previews, requests, standing
from sharing.records.datasets import Dataset
from sharing.records.previews import Preview
from sharing.records.requests import Request
from sharing.sealed import NotForUs, unseal

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=GuardedRoute)
MEDIA_TYPE = "image/jpeg"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@router.post("/{request_id}/previews", name="previews.make")
async def make(request_id: str, call: Call) -> Response:
    """Has small pictures of at most six photos made, where there are none yet. Which photos, a lot
    decides that nobody can steer."""

    async def doing() -> Answer:
        digest = await call.read(lambda s: _asked(s, call, request_id))
        key = call.backend.preview_key
        if digest is not None:
            order = call.signed(
                Verb.PREVIEW,
                call.id_for("ord", "preview", request_id),
                request_id,
                digest,
                {"role": str(call.principal.role), "to": key},
            )
            await call.backend.engine.preview(order)
        return Answer(200, await call.read(lambda s: shown(s, call, request_id)))

    return await call.act(doing)


def _asked(session: Session, call: Call, request_id: str) -> str | None:
    """The digest that pictures are to be made of; None where they are there."""
    request = _seen(session, call, request_id)
    revision = requests.revision_row(session, request)
    if not has_photos(revision, session.get_one(Dataset, revision.dataset_id)):
        raise Refused("wrong_state", "No photos are asked for: there is nothing to look at.")
    needed = previews.needed(session, request, call.backend.preview_key)
    return request.digest if needed else None


@router.get("/{request_id}/previews", name="previews.list")
async def listed(request_id: str, call: Call) -> Response:
    """The small pictures that there are."""
    return json_answer(await call.read(lambda s: shown(s, call, request_id)))


@router.get("/{request_id}/previews/{preview_id}", name="previews.show")
async def show(request_id: str, preview_id: str, call: Call) -> Response:
    """One small picture. Who looked at which is in the log before a byte of it is sent."""
    picture, revision = await call.read(lambda s: _one(s, call, request_id, preview_id))
    key: X25519PrivateKey = call.backend.preview_secret
    try:
        data = unseal(key, picture.sealed, picture.id)
    except NotForUs:
        raise NotFound("photo", preview_id) from None
    await call.log(
        "preview.shown", request_id, preview=picture.id, object=picture.position, index=revision
    )
    return Response(data, media_type=MEDIA_TYPE, headers=HEADERS)


def shown(session: Session, call: Call, request_id: str) -> Json:
    """The pictures, for somebody who may see them; raises Refused."""
    request = _seen(session, call, request_id)
    return previews.previews_view(session, request, call.backend.preview_key)


def _one(session: Session, call: Call, request_id: str, preview_id: str) -> tuple[Preview, int]:
    request = _seen(session, call, request_id)
    found = previews.opened(session, request, preview_id, call.backend.preview_key)
    return found, requests.revision_row(session, request).index_version


def _seen(session: Session, call: Call, request_id: str) -> Request:
    request = own(session, call, request_id)
    person = call.actor(session)
    standing.demand_sees_photos(session, request, person, call.principal.role, request.digest)
    return request
