"""Which older versions of a notice still stand beside newer ones: people decide, pair by pair."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.answers import json_answer
from api.dependencies import Call
from api.fields import Body, Flag, Line, Prose
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.errors import NotFound, bad_field
from sharing.notice import Comparison
from sharing.records import notices
from sharing.records.notices import NoticeCompatibility
from sharing.records.unit import Unit

PLACE = "/v1/notices/{name:path}/compatibility"
router = APIRouter(tags=["consent"], route_class=GuardedRoute)


class NewDecision(Body):
    """Whether consents under `older` still stand, now that there is `newer`; and why."""

    older: Line
    newer: Line
    compatible: Flag
    reason: Prose


@router.post(PLACE, name="notices.decide", status_code=201)
async def decide(name: str, body: NewDecision, call: Call) -> Response:
    """Decides on two versions of a notice. The latest decision on a pair counts."""
    me = call.principal.person_id or ""

    def work(unit: Unit) -> Json:
        _demand_pair(notices.compared(unit.session, name=name), name, body)
        made = notices.decide(unit.session, name, **body.model_dump(), decided_by=me)
        about: Json = {"older": body.older, "newer": body.newer, "compatible": body.compatible}
        unit.audit(me, "notice.compatibility_decided", decision=made.id, notice=name, **about)
        unit.tell("notice.compatibility_decided", name, **about)
        return _view(made)

    return await call.create(work)


@router.get(PLACE, name="notices.compatibility")
async def listed(name: str, call: Call) -> Response:
    """Every decision on versions of a notice, oldest first; the pairs that nobody decided yet; and
    the versions whose consents still stand."""

    return json_answer(await call.read(lambda session: judged(session, name)))


def judged(session: Session, name: str) -> Json:
    """What was decided of a notice's versions, what was not, and which still stand."""
    terms = {v: t for (n, v), t in notices.terms(session).items() if n == name}
    if not terms:
        raise NotFound("notice", name)
    pairs = notices.compared(session, name=name)
    return {
        "name": name,
        "decisions": [_view(made) for made in notices.decisions(session, name=name)],
        "undecided": [
            {"older": pair.older, "newer": pair.newer} for pair in pairs if pair.compatible is None
        ],
        "stands": [version for version, told in terms.items() if told.stands],
    }


def _demand_pair(pairs: list[Comparison], name: str, body: NewDecision) -> None:
    """Raises Refused unless both are versions of this notice, the older one given first."""
    if any((pair.older, pair.newer) == (body.older, body.newer) for pair in pairs):
        return
    known = dict.fromkeys(version for pair in pairs for version in (pair.older, pair.newer))
    if not known:
        raise NotFound("notice with two versions", name)
    for path, version in (("older", body.older), ("newer", body.newer)):
        if version not in known:
            raise bad_field(path, f"{name} has no version {version!r}: {', '.join(known)}.")
    raise bad_field("newer", f"must have been given after {body.older!r}: {', '.join(known)}.")


def _view(made: NoticeCompatibility) -> Json:
    return {
        "id": made.id,
        "older": made.older,
        "newer": made.newer,
        "compatible": made.compatible,
        "reason": made.reason,
        "decided_by": made.decided_by,
        "decided_at": made.decided_at,
    }
