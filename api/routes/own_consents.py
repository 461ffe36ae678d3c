"""A subject's own view: what I said, under which words, what stands; and how to say yes or no."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, encoded, json_answer
from api.dependencies import Call
from api.fields import Body, CategoryTerm, Line, PurposeTerm
from api.guard import GuardedRoute
from api.idempotency import Json
from api.languages import Language, accepted
from api.own_view import Names, event_view, receipt_of, standing_view, words
from sharing.consent_line import Moment, demand_recipient
from sharing.errors import NotFound, bad_field
from sharing.records import notices, subjects
from sharing.records.consents import Consent, known_words
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.withdrawal import Wish

router = APIRouter(prefix="/v1/me", tags=["subject"], route_class=GuardedRoute)
MyLanguage = Annotated[
    Language | None, Query(description="The language of notices, instead of Accept-Language.")
]


class MyWish(Body):
    """What I take back; what is left out stands for everything."""

    purpose: PurposeTerm | None = None
    category: CategoryTerm | None = None
    recipient: Line | None = None


class MyYes(Body):
    """What I say yes to, and the notice that I have read."""

    notice: Line
    version: Line
    purpose: PurposeTerm
    category: CategoryTerm
    recipient: Line
    valid_until: Moment | None = None


def me(call: Call) -> str:
    """The subject that calls; the table of roles lets no one else in."""
    if call.principal.subject is None:
        raise NotFound("subject", call.principal.id)
    return call.principal.subject


@router.get("/consents", name="me.consents")
async def listed(
    call: Call, limit: Limit = 50, cursor: Cursor = None, language: MyLanguage = None
) -> Response:
    """All that the ledger has about me, in the order in which it happened, with the notices that it
    was said under; and what stands now."""
    after = decoded(cursor, (int,))
    wanted = [language] if language else accepted(call.headers.get("accept-language"))

    def query(session: Session) -> Json:
        mine = subjects.events_of(session, me(call))
        places = [event.position for event in mine]
        start = places.index(after[0]) + 1 if after and after[0] in places else 0
        shown, names = mine[start : start + limit], Names(session)
        standing = subjects.standings(session, me(call), now())
        return {
            "items": [event_view(event, names) for event in shown],
            "next": encoded([shown[-1].position]) if len(mine) > start + limit else None,
            "notices": words(session, shown, wanted),
            "standing": [standing_view(found) for found in standing],
        }

    return json_answer(await call.read(query))


@router.post("/withdrawals", name="me.withdraw", status_code=201)
async def withdraw(body: MyWish, call: Call) -> Response:
    """Takes back everything, or what the body names. No reason is asked for."""

    def work(unit: Unit) -> Json:
        _demand_recipient(unit.session, body.recipient)
        ended = subjects.withdraw(unit, me(call), Wish(**body.model_dump()))
        _note(unit, call, "consent.withdrawn", [position for position, _ in ended])
        return {
            "ended": [
                {
                    "position": position,
                    "purpose": one.purpose,
                    "category": one.category,
                    "recipient": one.recipient,
                    "given": one.given.position,
                    "receipt": receipt_of(position),
                }
                for position, one in ended
            ]
        }

    return await call.create(work)


@router.post("/consents", name="me.give", status_code=201)
async def give(body: MyYes, call: Call) -> Response:
    """Says yes to one purpose, for one category of data and one recipient: explicit consent."""

    def work(unit: Unit) -> Json:
        _demand_recipient(unit.session, body.recipient)
        _demand_told(unit.session, body)
        if body.valid_until is not None and body.valid_until <= now():
            raise bad_field("valid_until", "must lie in the future.")
        matter = (body.purpose, body.category, body.recipient)
        read = (body.notice, body.version)
        position = subjects.give(unit, me(call), matter, read, body.valid_until)
        _note(unit, call, "consent.given", [position])
        return event_view(unit.session.get_one(Consent, position), Names(unit.session))

    return await call.create(work)


def _note(unit: Unit, call: Call, action: str, positions: Sequence[int]) -> None:
    last = max(positions, default=0)
    unit.audit(call.principal.id, action, events=len(positions), position=last)
    if positions:
        unit.tell("consents.appended", "consents", accepted=len(positions), position=last)


def _demand_recipient(session: Session, recipient: str | None) -> None:
    if recipient is not None:
        demand_recipient(recipient, known_words(session)[1])


def _demand_told(session: Session, body: MyYes) -> None:
    """Raises Refused unless the notice is in force and names what is said yes to."""
    told = notices.terms(session).get((body.notice, body.version))
    if told is None:
        raise bad_field("notice", f"there is no notice {body.notice} {body.version}.")
    if not told.stands:
        raise bad_field("version", "has been replaced: read the newest version and name that.")
    if not told.names(body.purpose, body.category):
        raise bad_field("purpose", f"{body.notice} {body.version} does not name it for this data.")
