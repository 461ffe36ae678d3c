"""Notices for people: what users were told, version by version, and which versions go together."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.answers import decoded, encoded
from api.pages.acts import back_to, made, tried
from api.pages.doors import Visit, hang
from api.pages.records import PAGE, address, record
from api.routes import compatibility, notices
from api.routes.compatibility import NewDecision
from api.routes.notices import NewNotice
from sharing.errors import NotFound, bad_field
from sharing.promise import Promise
from sharing.records.known_names import names
from sharing.vocabulary import CATEGORIES, PURPOSES, Term

VERSIONS = 200


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    hang(app, "/notices", "pages.notices", _list)
    hang(app, "/notices", "notices.create", _add, "POST")
    hang(app, "/notices/{name:path}/compatibility", "notices.decide", _decide, "POST")
    hang(app, "/notices/{name:path}", "pages.notice", _one)


async def _list(visit: Visit) -> Response:
    return await listed(visit, 200)


async def listed(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    """Notices with their versions, by name."""
    after = decoded(visit.call.query_params.get("after"), (str, str)) or ["", ""]
    found = await visit.call.read(lambda s: notices.listing(s, PAGE + 1, after))
    some = found[:PAGE]
    last = some[-1] if len(found) > PAGE else None
    following = encoded([last["name"], last["version"]]) if last else ""
    return record(
        "notices.html",
        status,
        visit,
        errors,
        notices=[(name, list(of)) for name, of in groupby(some, key=lambda one: one["name"])],
        following=address("/notices", after=following) if following else "",
        promises=list(Promise),
        given=visit.sent("name"),
    )


async def _one(visit: Visit) -> Response:
    return await shown(visit, 200)


async def shown(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    """One notice: every version with its words, and who decided which go together."""
    name = visit.call.path_params["name"]
    values = await visit.call.read(lambda session: _all(session, name))
    return record("notice.html", status, visit, errors, **values, promises=list(Promise))


def _all(session: Session, name: str) -> dict[str, Any]:
    versions = notices.listing(session, VERSIONS, ["", ""], name)
    if not versions:
        raise NotFound("notice", name)
    versions.sort(key=lambda one: one["created_at"], reverse=True)
    judged = compatibility.judged(session, name)
    deciders = names(session, [one["decided_by"] for one in judged["decisions"]])
    return {"name": name, "versions": versions, "judged": judged, "people": deciders}


async def _add(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(
            NewNotice,
            **{name: visit.sent(name) for name in ("name", "version", "text", "language")},
            purposes=_terms(visit, "purposes", PURPOSES),
            categories=_terms(visit, "categories", CATEGORIES),
            promises=visit.form.get("promises", []),
            in_force_from=visit.sent("in_force_from") or None,
            in_force_until=visit.sent("in_force_until") or None,
        )
        await notices.create(body, visit.call)
        return back_to(f"/notices/{quote(body.name, safe='')}", "notice_added")

    return await tried(visit, "notices.create", act, lambda s, e: listed(visit, s, e))


def _terms(visit: Visit, field: str, known: Mapping[str, Term]) -> list[str]:
    """Terms as they are typed, with a space or a comma between them."""
    named = visit.sent(field).replace(",", " ").split()
    for one in named:
        if one not in known:
            raise bad_field(field, f"{one} is not in the vocabulary, such as {next(iter(known))}.")
    return named


async def _decide(visit: Visit) -> Response:
    name = visit.call.path_params["name"]

    async def act() -> Response:
        older, _, newer = visit.sent("pair").partition(" > ")
        said = {"yes": True, "no": False}.get(visit.sent("compatible"))
        if said is None:
            raise bad_field("compatible", "say whether they still stand, or not.")
        body = made(
            NewDecision, older=older, newer=newer, compatible=said, reason=visit.sent("reason")
        )
        await compatibility.decide(name, body, visit.call)
        return back_to(f"/notices/{quote(name, safe='')}", "versions_judged")

    return await tried(visit, "notices.decide", act, lambda s, e: shown(visit, s, e))
