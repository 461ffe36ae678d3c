"""Before a request is submitted: what it will be asked, and how much consent would cover."""

from asyncio import Lock

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.answers import json_answer
from api.checking import checked
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from api.loose import LooseRequest
from api.nudges import nudge
from sharing.errors import FieldError, Refused
from sharing.records import datasets, outlooks
from sharing.records.outlooks import Question
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=GuardedRoute)

NEEDED = ("dataset", "purpose", "scope")
_COUNTING = Lock()  # one count at a time: memory holds one


@router.post("/check", name="requests.check")
async def check(body: LooseRequest, call: Call) -> Response:
    """What is missing, what is wrong, and what each gate will be told by the machine. Nothing is
    recorded, and fields may be absent."""
    return json_answer(await call.read(lambda s: checked(s, call, body.said()).view()))


@router.post("/outlook", name="requests.outlook")
async def outlook(body: LooseRequest, call: Call) -> Response:
    """How many of the objects consent would cover, as a range. Only dataset, purpose and scope are
    needed; years are whole, few people are not spoken of, and a partner may ask a few different
    ones a week, so that nobody can find out what one person said."""
    return json_answer(await looked(call, body))


async def looked(call: Call, body: LooseRequest) -> Json:
    """The outlook on what a body asks for; raises Refused."""
    partner, said = call.partner_id or "", body.said()
    asked = await call.read(lambda s: _question(s, call, said))
    row = await call.read(lambda s: outlooks.known(s, partner, asked.digest))
    if row is None:
        await call.read(lambda s: outlooks.demand_left(s, partner))
        async with _COUNTING:
            band = await call.read(lambda s: outlooks.counted(s, partner, asked, nudge(call)))

        def keep(unit: Unit) -> outlooks.ConsentOutlook:
            return outlooks.keep(unit, partner, asked, band)

        row = await call.backend.database.write(keep)
    given, limit = row, said["scope"].get("limit")
    still = await call.read(lambda s: outlooks.left(s, partner))
    return outlooks.shown(given, limit if isinstance(limit, int) and limit > 0 else None, still)


def _question(session: Session, call: Call, said: Json) -> Question:
    """Raises Refused naming what is missing or wrong of that which is needed."""
    looked = checked(session, call, said)
    wrong = [one for one in looked.errors if _needed(one)]
    dataset = datasets.named(session, str(said.get("dataset", "")))
    if wrong or dataset is None:
        wrong = wrong or [FieldError("dataset", "is required.")]
        told = " ".join(f"{one.path}: {one.message}" for one in wrong)
        raise Refused("invalid_body", told, tuple(wrong))
    scope = {"fields": ["photo"], "where": {}, **said["scope"]}
    return outlooks.question(dataset, {**said, "scope": scope})


def _needed(one: FieldError) -> bool:
    return one.path.partition(".")[0] in NEEDED and one.path != "scope.limit"
