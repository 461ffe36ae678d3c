"""One-time links for a partner's signatory who has no account: made by counsel, shown once."""

import base64
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic_core import from_json
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, Email, Line, count
from api.guard import GuardedRoute
from api.idempotency import Json
from api.routes.requests import own
from sharing.records import acceptance_links, agreements, standing
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/requests", tags=["agreements"], route_class=GuardedRoute)


class NewLink(Body):
    """Who is to accept the agreement's current version for the partner, and for how many days the
    link works: never beyond the gate's own deadline."""

    name: Line
    email: Email
    days: Annotated[int, count(1, 90)] = 14


@router.post("/{request_id}/agreement/links", name="agreements.link", status_code=201)
async def create(request_id: str, body: NewLink, call: Call) -> Response:
    """A link that shows the agreement and accepts it, once. This is the only time it is shown."""
    secret = _secret(call, request_id)

    def work(unit: Unit) -> Json:
        request = own(unit.session, call, request_id)
        version = agreements.current(unit.session, request)
        person = call.actor(unit.session)
        until = standing.demand_linkable(unit.session, request, person, version.agreement_digest)
        link = acceptance_links.make(
            unit.session, version, secret, body.name, body.email, person.id,
            timedelta(days=body.days), until,
        )  # fmt: skip
        unit.audit(person.id, "agreement.link_made", request.id, link=link.id)
        return {
            "id": link.id,
            "request": request.id,
            "digest": link.agreement_digest,
            "name": link.name,
            "email": link.email,
            "expires_at": link.expires_at,
        }

    url = str(call.base_url.replace(path=f"/agreement/{secret}"))
    return await call.create(work, secret={"url": url})


def url_of(answer: Response) -> str:
    """The link of an answer that made one."""
    url: str = from_json(bytes(answer.body))["url"]
    return url


def _secret(call: Call, request_id: str) -> str:
    """For an Idempotency-Key always the same one, so that a lost answer can be asked for again."""
    if call.ticket is None:
        return acceptance_links.new_secret()
    held = call.ticket
    made = call.backend.derived("agreement-link", held.client, held.key, held.body_hash, request_id)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
