"""One-time links by which the people in the data come in to their own page."""

from datetime import timedelta

from fastapi import APIRouter
from pydantic_core import from_json
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.consent_line import Reference
from sharing.records import parties, sign_ins
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Role

router = APIRouter(prefix="/v1/sign-in-links", tags=["parties"], route_class=GuardedRoute)

VALID_FOR = timedelta(hours=1)


class NewLink(Body):
    """Whom the link signs in: a subject, as the ledger names it."""

    subject: Reference


@router.post("", name="sign_in_links.create", status_code=201)
async def create(body: NewLink, call: Call) -> Response:
    """A link that signs a subject in once, within an hour. It is shown this once: hand it to that
    person after having made sure who it is."""
    code = call.backend.derived_secret(call.id_for("sil"))
    address = f"{call.backend.settings.api_url.rstrip('/')}/sign-in/{code}"

    def work(unit: Unit) -> Json:
        sign_ins.issue(unit.session, Role.SUBJECT, VALID_FOR, subject=body.subject, code=code)
        named = parties.subject_id(body.subject)
        unit.audit(call.principal.id, "sign_in.issued", holder=named, role=str(Role.SUBJECT))
        return {"subject": body.subject, "expires_at": now() + VALID_FOR}

    return await call.create(work, secret={"link": address})


def link_of(answer: Response) -> str:
    """The link of an answer that made one."""
    link: str = from_json(bytes(answer.body))["link"]
    return link
