"""What is not a caller's own, at every page and call there is: generated from the routes, so that a
new one is looked at too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.auth import ALLOWED, SESSION_COOKIE
from api.pages.doors import PAGES
from api.pages.masks import masked
from sharing.records import parties
from sharing.stages import Role
from tests.api.served import served
from tests.api.test_permissions import ABSENT
from tests.api.visitor import Visitor
from tests.api.world import World, request_body

OWN = ("{request_id}", "{export_id}", "{draft_id}")
SAID, TOLD = "canary-among-colleagues", "canary-for-the-partner"


@dataclass(slots=True)
class Office:
    """The application on a real server, and ids of the first partner's."""

    world: World
    visitor: Visitor
    ids: dict[str, str]
    hidden: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
async def office(shared: World) -> AsyncIterator[Office]:
    """A delivered-to-be request with comments of both kinds, an export, and a draft."""
    view = await shared.cleared(title="First's own")
    own, ids = f"/v1/requests/{view['id']}", {"{request_id}": view["id"]}
    made = [
        (await shared.post("legal_counsel", f"{own}/comments", {"text": text, **more})).json()
        for text, more in ((SAID, {}), (TOLD, {"audience": "partner"}))
    ]
    export = await shared.post("engineer", f"{own}/exports", {"digest": view["digest"]})
    draft = await shared.post("partner", "/v1/drafts", request_body(title="First's draft"))
    ids |= {"{export_id}": export.json()["id"], "{draft_id}": draft.json()["id"]}
    hidden = {SAID, made[0]["id"], shared.people["legal_counsel"], "legal_counsel@example.org"}
    async with served(shared.app) as http:
        yield Office(shared, Visitor(http), ids, hidden)


def addresses(world: World, ids: dict[str, str], role: Role) -> list[tuple[str, str, str]]:
    """Method, address and name of every route that a role may come to, with these ids in it."""
    found = []
    for route in world.app.routes:
        if not isinstance(route, APIRoute):
            continue
        allowed = PAGES.get(route.name, ALLOWED.get(route.name))
        if allowed is None or role in allowed:
            path = route.path
            for place, value in {**ABSENT, **ids}.items():
                path = path.replace(place, value)
            if "{" not in path:
                found += [(method, path, route.name) for method in sorted(route.methods or ())]
    return found


def of_somebody(world: World, role: Role) -> list[str]:
    """The places of addresses that name something of a partner's own."""
    return sorted(
        {
            route.path
            for route in world.app.routes
            if isinstance(route, APIRoute)
            and role in (PAGES.get(route.name, ALLOWED.get(route.name)) or ())
            and any(place in route.path for place in OWN)
        }
    )


async def asked(office: Office, who: str, method: str, path: str) -> tuple[int, str]:
    """What somebody is answered: a page's form has their own token; a stream is read for a bit."""
    visitor, token = office.visitor, office.world.tokens[who]
    kept = {"Cookie": f"{SESSION_COOKIE}={token}", **visitor.own}
    csrf = masked(office.world.app.state.backend.derived("csrf", parties.hashed(token)))
    sends = method != "GET" and not path.startswith("/v1")
    body: dict[str, Any] = {"data": {"csrf": csrf}} if sends else {}
    said = b""
    async with visitor.http.stream(method, path, headers=kept, **body) as answer:
        endless = answer.headers.get("content-type", "").startswith("text/event-stream")
        with suppress(TimeoutError):
            async with asyncio.timeout(2.5 if endless else None):
                async for some in answer.aiter_bytes():
                    said += some
    return answer.status_code, said.decode("utf-8", "replace")


async def streamed(office: Office, who: str) -> str:
    """What the stream of all events has said to somebody within a few seconds of its beginning."""
    token, said = office.world.tokens[who], b""
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
    async with office.visitor.http.stream("GET", "/v1/events", headers=headers) as answer:
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                async for some in answer.aiter_bytes():
                    said += some
    assert b": still here" in said
    return said.decode()


async def test_anothers_is_absent_on_every_page_and_call(office: Office) -> None:
    """The other partner is answered about the first one's ids as about ids that do not exist."""
    places = of_somebody(office.world, Role.PARTNER)
    assert len(places) >= 24
    real = addresses(office.world, office.ids, Role.PARTNER)
    absent = addresses(office.world, {}, Role.PARTNER)
    looked = 0
    for (method, path, name), (_, nothing, _) in zip(real, absent, strict=True):
        if path == nothing or "/register/" in path:  # the public register is everybody's
            continue
        looked += 1
        answers = []
        for one in (path, nothing):
            status, text = await asked(office, "other", method, one)
            for value in (*office.ids.values(), *(ABSENT[place] for place in OWN)):
                text = text.replace(value, "ID")
            answers.append((status, text.replace(one, "PATH")))
        assert answers[0] == answers[1], (method, path, name)
        assert answers[0][0] in (404, 415, 422), (method, path, answers[0])
        assert "First" not in answers[0][1]
    assert looked >= 24


@pytest.mark.parametrize("who", ["partner", "other", "subject"])
async def test_what_colleagues_say_stays_inside(office: Office, who: str) -> None:
    """No page, call, feed or stream that somebody outside can open holds a comment among
    colleagues, its id, or who wrote one; what was written to the partner, the partner reads."""
    role = Role.SUBJECT if who == "subject" else Role.PARTNER
    seen = ""
    for method, path, name in addresses(office.world, office.ids, role):
        if method == "GET" and path not in ("/docs", "/openapi.json"):
            _, text = await asked(office, who, method, path)
            seen += text
            for hidden in office.hidden:
                assert hidden not in text, (hidden, path, name)
    if who != "subject":
        told = await streamed(office, who)
        assert not [hidden for hidden in office.hidden if hidden in told]
        assert "comment.added" not in told
        assert ("comment.sent" in told) == (who == "partner")
    assert (TOLD in seen) == (who == "partner")


async def test_colleagues_read_what_colleagues_say(office: Office) -> None:
    """The control: where it belongs, each hidden word is there to be found."""
    _, page = await asked(office, "legal_counsel", "GET", f"/requests/{office.ids['{request_id}']}")
    _, log = await asked(office, "auditor", "GET", "/v1/audit?limit=200")
    for hidden in office.hidden - {"legal_counsel@example.org"}:
        assert hidden in page + log, hidden
