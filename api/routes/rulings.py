"""Rulings: a conflict officer says whether two names that are alike are one organisation."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, Line, Prose
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.alike import score
from sharing.conflict import Interest
from sharing.errors import Refused, bad_field
from sharing.ownership import Named
from sharing.records import interests, late_interests, organisations, rulings, signoff
from sharing.records.rulings import Said
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/interests", tags=["conflict"], route_class=GuardedRoute)


class NewRuling(Body):
    """What is said of an interest's organisation and `organisation`, by the id that a screening
    gives. A later ruling overrules; all of them stay on record."""

    organisation: Line
    ruling: Said
    reason: Annotated[Prose, Field(min_length=1)]


@router.post("/{interest_id}/rulings", name="interests.rule", status_code=201)
async def rule(interest_id: str, body: NewRuling, call: Call) -> Response:
    """Confirms that the two are one, which recuses at once, or dismisses it with the reason."""
    by, changed = call.principal.person_id or "", list[str]()

    def work(unit: Unit) -> Json:
        interest = interests.get(unit.session, interest_id)
        if interest.person_id == by:
            raise Refused("forbidden", "Of your own interest another conflict officer says it.")
        node = _alike(unit.session, interest, body.organisation)
        pair = (interest.id, node.number)
        row = rulings.rule(unit.session, pair, body.ruling, body.reason, by)
        told = {"organisation": body.organisation, "ruling": str(body.ruling)}
        unit.audit(by, "match.ruled", interest=interest.id, person=interest.person_id, **told)
        unit.tell("match.ruled", interest.id, **told)
        followed = late_interests.Followed()
        if body.ruling is Said.CONFIRMED:
            followed = late_interests.follow(unit, interest, by)
        changed[:] = followed.changed
        signoff.look_again(unit.session)
        return {
            "interest": interest.id,
            "organisation": {"id": body.organisation, "name": node.name, "lei": node.lei},
            "ruling": row.ruling,
            "reason": row.reason,
            "ruled_by": row.ruled_by,
            "ruled_at": row.ruled_at,
            "recused_from": [request_id for request_id, _ in followed.recused],
            "voided": followed.voided,
            "marked": followed.marked,
        }

    answer = await call.create(work)
    await call.look_again(changed)
    return answer


def _alike(session: Session, interest: Interest, shown: str) -> Named:
    """The organisation; raises Refused unless its name is almost that of the interest's."""
    number = organisations.number_of(shown)
    node = organisations.named(session, [number]).get(number) if number else None
    if node is None:
        raise bad_field("organisation", "there is no such organisation: give the id that "
                        "`GET /v1/requests/{id}/screening` shows under `names_alike`.")  # fmt: skip
    if score(interest.organisation.name, node.name) is None:
        raise bad_field("organisation", f"{node.name} is not named almost as the interest's "
                        "organisation: declare an interest in it instead.")  # fmt: skip
    return node
