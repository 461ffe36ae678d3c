"""The page of a person in the data: who received it, what I said, and how I take it back."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import ValidationError
from pydantic_core import from_json
from sqlmodel import Session
from starlette.responses import Response

from api.answers import decoded, encoded
from api.languages import accepted
from api.own_view import Names, event_view, words
from api.pages import my_data_words
from api.pages.acts import back_to
from api.pages.doors import Visit, hang
from api.pages.frame import page
from api.routes import own_consents
from api.routes.own_consents import MyWish, me
from sharing.errors import bad_field
from sharing.records import received, subjects
from sharing.records.consents import Consent
from sharing.records.tables import now
from sharing.withdrawal import Ending

PAGE = 10
CHOOSE = "Choose what you take back: everything, or one part of it."


def add_to(app: FastAPI) -> None:
    """Hangs the page and its one act into the application."""
    hang(app, "/my-data", "pages.my_data", _mine)
    hang(app, "/my-data/withdraw", "me.withdraw", _withdraw, "POST")


async def _mine(visit: Visit) -> Response:
    return await shown(visit, 200)


async def shown(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    """The page, with what is wrong about the choice that was sent."""
    values = await visit.call.read(lambda session: _all(session, visit))
    told = {"said_words": my_data_words, "errors": errors or {}}
    return page("my_data.html", status, visit=visit, **told, **values)


def _all(session: Session, visit: Visit) -> dict[str, Any]:
    subject, names = me(visit.call), Names(session)
    events = subjects.events_of(session, subject)
    shares = received.shares_of(session, subject)
    open_yeses = subjects.open_yeses(session, subject)
    standing = subjects.standings(session, subject, now())
    stands = {one.matter: one.answer.excluded for one in standing}
    newest = events[::-1]
    shown, following = _page(newest, visit.call.query_params.get("after"))
    language = accepted(visit.call.headers.get("accept-language"))
    notices = words(session, newest, language)
    return {
        "shares": shares,
        "events": {event.position: event_view(event, names) for event in events},
        "history": [event.position for event in shown],
        "following": following,
        "ended": _just_ended(newest, visit),
        "open": [_allowed(one, stands) for one in open_yeses],
        "purposes": sorted({one.purpose for one in open_yeses}),
        "recipients": _recipients(open_yeses, shares, session, subject, names),
        "notices": notices,
        "anchors": {(one["name"], one["version"]): i for i, one in enumerate(notices)},
    }


def _page(newest: Sequence[Consent], cursor: str | None) -> tuple[Sequence[Consent], str | None]:
    """The part of my history that is shown, and where the next one begins."""
    after = decoded(cursor, (int,))
    places = [event.position for event in newest]
    start = places.index(after[0]) + 1 if after and after[0] in places else 0
    some = newest[start : start + PAGE]
    more = len(newest) > start + PAGE
    return some, encoded([some[-1].position]) if more else None


def _just_ended(newest: Sequence[Consent], visit: Visit) -> list[int]:
    """What the withdrawal came to that was made on the page before."""
    if visit.call.query_params.get("said") != "consent_withdrawn" or not newest:
        return []
    last = newest[0]
    return [
        event.position
        for event in newest
        if event.at == last.at and event.action == "withdrawn" and event.source == subjects.SOURCE
    ]


def _allowed(one: Ending, stands: Mapping[subjects.Matter, Any]) -> dict[str, Any]:
    """One yes that I could take back, and why it counts for nothing where it does."""
    given = one.given
    matter = (given.purpose, given.category, given.recipient)
    return {"position": given.position, "silent": stands.get(matter)}


def _recipients(
    open_yeses: Sequence[Ending],
    shares: Sequence[Mapping[str, Any]],
    session: Session,
    subject: str,
    names: Names,
) -> dict[str, str]:
    """From whom alone I could take something back, by name: who has some, or was named in a yes."""
    asked = {share["partner"] for share in shares}
    asked |= {one.recipient for one in open_yeses if one.recipient != "*"}
    free = {one for one in asked if subjects.open_yeses(session, subject, recipient=one)}
    return {one: names.recipient(one) for one in sorted(free, key=names.recipient)}


async def _withdraw(visit: Visit) -> Response:
    wish = _wish(visit.sent("wish"))
    if wish is None:
        return await shown(visit, 422, {"wish": CHOOSE})
    answer = await own_consents.withdraw(wish, visit.call)
    ended = from_json(bytes(answer.body))["ended"]
    said = "consent_withdrawn" if ended else "nothing_to_withdraw"
    return back_to("/my-data", said)


def _wish(sent: str) -> MyWish | None:
    """The call's body for one choice of the form; None where nothing was chosen."""
    what, _, value = sent.partition(":")
    if sent == "all":
        return MyWish()
    if what not in ("purpose", "recipient") or not value:
        return None
    try:
        return MyWish.model_validate({what: value})
    except ValidationError as invalid:
        raise bad_field(what, "is not one that this page offers.") from invalid
