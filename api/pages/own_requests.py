"""A partner's own requests at `/requests`: what waits for it, what is under way, what has ended."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session, col, or_, select
from starlette.responses import Response

from api.answers import decoded, encoded
from api.pages import partner_words
from api.pages.doors import Visit, hang
from api.pages.frame import page
from api.routes.requests import viewer
from sharing.records import drafts
from sharing.records.requests import Request
from sharing.records.tables import rfc3339
from sharing.records.views import listed_views
from sharing.request import moment
from sharing.stages import ENDED, GATES, RequestState

PAGE, AT_ONCE = 20, 50
MAY_WAIT = (RequestState.RETURNED, RequestState.LEGAL_APPROVAL)


def add_to(app: FastAPI) -> None:
    """Hangs the page into the application."""
    hang(app, "/requests", "pages.own_requests", _listed)


async def _listed(visit: Visit) -> Response:
    values = await visit.call.read(lambda s: _own(s, visit))
    return page("own_list.html", 200, visit=visit, said=partner_words, gates=_gates, **values)


def _own(session: Session, visit: Visit) -> dict[str, Any]:
    partner, whom = visit.call.partner_id or "", viewer(session, visit.call)
    after = decoded(visit.call.query_params.get("after"), (str, str))
    rows = _newest(session, partner, after)
    waiting = [] if after else _may_wait(session, partner)
    shown = listed_views(whom, [*waiting, *rows[:PAGE]])
    mine = [one for one in shown.values() if partner_words.yours(one)]
    listed = [shown[row.id] for row in rows[:PAGE] if not partner_words.yours(shown[row.id])]
    groups = (
        ("Waits for you", sorted(mine, key=lambda one: str(one["waiting_for"]["until"]))),
        ("Under way", [one for one in listed if one["state"] not in ENDED]),
        ("Ended", [one for one in listed if one["state"] in ENDED]),
    )
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return {
        "groups": [(heading, some) for heading, some in groups if some],
        "following": encoded([rfc3339(last.submitted_at), last.id]) if last else None,
        "drafts": []
        if after
        else [drafts.shown(one) for one in drafts.of(session, partner, AT_ONCE)],
    }


def _newest(session: Session, partner: str, after: Sequence[Any] | None) -> Sequence[Request]:
    """One page of them and one more, the last submitted first."""
    rows = select(Request).where(Request.partner_id == partner)
    at = moment(after[0]) if after else None
    if after and at:
        same = (col(Request.submitted_at) == at) & (col(Request.id) < after[1])
        rows = rows.where(or_(col(Request.submitted_at) < at, same))
    order = (col(Request.submitted_at).desc(), col(Request.id).desc())
    return session.exec(rows.order_by(*order).limit(PAGE + 1)).all()


def _may_wait(session: Session, partner: str) -> Sequence[Request]:
    """Those of any age that may wait for the partner: it must not have to look for them."""
    rows = select(Request).where(Request.partner_id == partner, col(Request.state).in_(MAY_WAIT))
    return session.exec(rows.order_by(col(Request.waiting_until)).limit(AT_ONCE)).all()


def _gates(view: dict[str, Any]) -> dict[str, Any]:
    """What each gate came to."""
    return {one["stage"]: one["outcome"] for one in view["stages"] if one["stage"] in GATES}
