"""Interests for people: one's own, which everybody here declares, says better, and ends; and for
conflict officers everybody's, with what they lead to and the names that are only alike."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.answers import decoded, encoded
from api.pages.acts import back_to, made, tried
from api.pages.doors import Visit, hang
from api.pages.records import PAGE, address, asked, record
from api.routes import interest_ends, interests, register, rulings
from api.routes.interest_ends import Confirmation, NewEnd
from api.routes.interests import NewInterest
from api.routes.register import NewDeclaration
from api.routes.rulings import NewRuling
from sharing.conflict import InterestKind
from sharing.errors import NotFound
from sharing.records import parties, screening_views
from sharing.records import register as stated
from sharing.records.known_names import names
from sharing.records.tables import now
from sharing.stages import Role

OWN_MOST = 200
TO_RULE = 20


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    hang(app, "/interests", "pages.interests", _own)
    hang(app, "/interests", "interests.declare", _declare, "POST")
    hang(app, "/interests/statement", "register.declare", _state, "POST")
    hang(app, "/interests/everybody", "pages.all_interests", _everybody)
    hang(app, "/interests/{interest_id}/end", "interests.end", _end, "POST")
    hang(app, "/interests/{interest_id}/end/confirm", "interests.confirm_end", _confirm, "POST")
    hang(app, "/interests/{interest_id}/rulings", "interests.rule", _rule, "POST")


async def _own(visit: Visit) -> Response:
    return await own(visit, 200)


async def own(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    """One's own interests, until when one's statement is good, and the forms."""
    values = await visit.call.read(lambda session: _mine(session, visit))
    amended = asked(visit, "amend") or visit.sent("replaces")
    earlier = next((one for one in values["mine"] if one["id"] == amended), None)
    if amended and (earlier is None or earlier["ended"]):
        raise NotFound("interest", amended)
    return record(
        "interests.html",
        status,
        visit,
        errors,
        **values,
        amended=earlier,
        ending=visit.call.path_params.get("interest_id", ""),
        kinds=list(InterestKind),
        officer=visit.role is Role.CONFLICT_OFFICER,
        sees_all=visit.role in interests.SEES_EVERYBODYS,
        today=now().date(),
    )


def _mine(session: Session, visit: Visit) -> dict[str, Any]:
    me = visit.call.principal.person_id or ""
    mine = interests.listing(session, visit.call, OWN_MOST, person=me)
    mine.sort(key=lambda one: one["declared_at"], reverse=True)
    register_of = stated.everybody(session, "", 1, only=me)
    standing = register_of[0].stands(now()) if register_of else stated.Standing.NONE
    return {
        "mine": mine,
        "people": names(session, [one["declared_by"] for one in mine]),
        "standing": standing,
        "last": register_of[0].last if register_of else None,
        "held": [one for one in mine if _held(one)],
    }


def _held(one: Mapping[str, Any]) -> bool:
    """True of an interest that still counts: a statement of one's interests must own to it."""
    said = [one["until"], one["ended"] and one["ended"]["counts_until"]]
    return all(until is None or until >= now().date() for until in said)


async def _declare(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(
            NewInterest,
            person=visit.sent("person") or visit.call.principal.person_id,
            organisation={"name": visit.sent("organisation"), "lei": visit.sent("lei") or None},
            kind=visit.sent("kind"),
            until=visit.sent("until") or None,
            detail=visit.sent("detail"),
            replaces=visit.sent("replaces") or None,
            **{"from": visit.sent("from")},
        )
        await interests.declare(body, visit.call)
        return back_to("/interests", "interest_declared")

    return await tried(visit, "interests.declare", act, lambda s, e: own(visit, s, e))


async def _state(visit: Visit) -> Response:
    async def act() -> Response:
        nothing = visit.sent("nothing") == "yes"
        await register.declare(NewDeclaration(nothing_to_declare=nothing), visit.call)
        return back_to("/interests", "statement_made")

    return await tried(visit, "register.declare", act, lambda s, e: own(visit, s, e))


async def _end(visit: Visit) -> Response:
    which = visit.call.path_params["interest_id"]
    everybody = visit.sent("back") == "everybody"

    async def act() -> Response:
        body = made(NewEnd, until=visit.sent("until"), reason=visit.sent("reason"))
        await interest_ends.end(which, body, visit.call)
        return back_to("/interests/everybody" if everybody else "/interests", "interest_ended")

    shown = _all if everybody else own
    return await tried(visit, "interests.end", act, lambda s, e: shown(visit, s, e))


async def _confirm(visit: Visit) -> Response:
    which = visit.call.path_params["interest_id"]

    async def act() -> Response:
        body = made(Confirmation, reason=visit.sent("reason"))
        await interest_ends.confirm(which, body, visit.call)
        return back_to("/interests/everybody", "end_confirmed")

    return await tried(visit, "interests.confirm_end", act, lambda s, e: _all(visit, s, e))


async def _everybody(visit: Visit) -> Response:
    return await _all(visit, 200)


async def _all(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    said = {"q": asked(visit, "q"), "person": asked(visit, "person")}
    after = (decoded(visit.call.query_params.get("after"), (str,)) or [""])[0]
    values = await visit.call.read(lambda session: _known(session, visit, said, after))
    found = values["interests"]
    following = encoded([found[PAGE - 1]["id"]]) if len(found) > PAGE else ""
    return record(
        "all_interests.html",
        status,
        visit,
        errors,
        **{**values, "interests": found[:PAGE]},
        said=said,
        officer=visit.role is Role.CONFLICT_OFFICER,
        me=visit.call.principal.person_id,
        ruling=visit.call.path_params.get("interest_id", ""),
        following=address("/interests/everybody", **said, after=following) if following else "",
    )


def _known(session: Session, visit: Visit, said: Mapping[str, str], after: str) -> dict[str, Any]:
    person = parties.person_named(session, said["person"]) if said["person"] else None
    found = interests.listing(
        session, visit.call, PAGE + 1, after=after, search=said["q"],
        person=person.id if person else said["person"],
    )  # fmt: skip
    unsure = interests.listing(session, visit.call, TO_RULE + 1, to_confirm=True)
    around = screening_views.all_around(session)
    alike = around["names_alike"]
    return {
        "interests": found,
        "around": around,
        "waiting": [one for one in alike if one["ruling"] is None],
        "ruled": [one for one in alike if one["ruling"] is not None],
        "most": TO_RULE,
        "unsure": unsure,
        "people": names(session, _named([*found, *unsure])),
    }


def _named(found: list[dict[str, Any]]) -> list[str]:
    """Whose interests these are, and who confirmed an end."""
    confirmed = [one["ended"]["confirmed"] for one in found if one["ended"]]
    return [*(one["person"] for one in found), *(one["by"] for one in confirmed if one)]


async def _rule(visit: Visit) -> Response:
    which = visit.call.path_params["interest_id"]

    async def act() -> Response:
        body = made(
            NewRuling,
            organisation=visit.sent("organisation"),
            ruling=visit.sent("ruling"),
            reason=visit.sent("reason"),
        )
        await rulings.rule(which, body, visit.call)
        return back_to("/interests/everybody", "ruled")

    return await tried(visit, "interests.rule", act, lambda s, e: _all(visit, s, e))
