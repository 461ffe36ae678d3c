"""Every act of a page against forms that no page of this session made: all are refused."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.auth import ALLOWED
from api.pages.doors import CSRF
from api.pages.masks import LONG, masked, unmasked
from sharing.stages import Role
from tests.api.test_permissions import ABSENT
from tests.api.visitor import Visitor, forms, visiting
from tests.api.world import World

EVIL = "http://evil.test"
Sending = Callable[[Visitor, str, str], tuple[dict[str, str], dict[str, str]]]

# Each: what is sent and what the browser says of it, from the visitor, its token, and another's.
SENDINGS: dict[str, Sending] = {
    "no token": lambda v, _mine, _theirs: ({}, v.own),
    "empty token": lambda v, _mine, _theirs: ({CSRF: ""}, v.own),
    "another session's token": lambda v, _mine, theirs: ({CSRF: theirs}, v.own),
    "half a token": lambda v, mine, _theirs: ({CSRF: mine[: len(mine) // 2]}, v.own),
    "a token without its mask": lambda v, mine, _theirs: ({CSRF: unmasked(mine).hex()}, v.own),
    "one letter of it changed": lambda v, mine, _theirs: ({CSRF: changed(mine)}, v.own),
    "nothing under a mask": lambda v, _mine, _theirs: ({CSRF: masked(bytes(LONG))}, v.own),
    "half of mine and half of theirs": lambda v, mine, theirs: (
        {CSRF: mine[:44] + theirs[44:]},
        v.own,
    ),
    "a token and more": lambda v, mine, _theirs: ({CSRF: f"{mine}AAAA"}, v.own),
    "no base64": lambda v, mine, _theirs: ({CSRF: "é" * len(mine)}, v.own),
    "foreign origin": lambda _v, mine, _theirs: ({CSRF: mine}, {"Origin": EVIL}),
    "no origin at all": lambda _v, mine, _theirs: ({CSRF: mine}, {}),
    "origin null": lambda _v, mine, _theirs: ({CSRF: mine}, {"Origin": "null"}),
    "cross-site": lambda v, mine, _theirs: (
        {CSRF: mine},
        {"Origin": v.origin, "Sec-Fetch-Site": "cross-site"},
    ),
    "same-site": lambda v, mine, _theirs: (
        {CSRF: mine},
        {"Origin": v.origin, "Sec-Fetch-Site": "same-site"},
    ),
    "typed": lambda _v, mine, _theirs: ({CSRF: mine}, {"Sec-Fetch-Site": "none"}),
    "neither token nor origin": lambda _v, _mine, _theirs: ({}, {}),
}


def changed(token: str) -> str:
    """The same token but for one letter in the middle."""
    half = len(token) // 2
    return f"{token[:half]}{'B' if token[half] == 'A' else 'A'}{token[half + 1 :]}"


@dataclass(slots=True)
class Office:
    """Two signed-in visitors of one role each: whose session it is, and another."""

    world: World
    visitor: Visitor
    token: str
    theirs: str


@pytest.fixture(scope="module")
async def office(shared: World) -> AsyncIterator[Office]:
    """A reviewer's session and an officer's, and the tokens of their forms."""
    view = await shared.submitted(title="Forms")
    async with visiting(shared, Role.PURPOSE_REVIEWER, Role.CONFLICT_OFFICER) as (mine, other):
        tokens = []
        for one in (mine, other):
            page = (await one.open(f"/requests/{view['id']}")).text
            made = [form.fields[CSRF][0] for form in forms(page) if CSRF in form.fields]
            tokens.append(made[0] if made else _derived(shared, one))
        yield Office(shared, mine, *tokens)


def _derived(world: World, visitor: Visitor) -> str:
    """The token of a session on whose pages no form stands now."""
    from sharing.records.parties import hashed

    return masked(world.app.state.backend.derived("csrf", hashed(visitor.cookie)))


def acts(app: Any) -> dict[str, str]:
    """Every act of a page behind the door, by the name of its call: an address that leads there."""
    found = {}
    for route in app.routes:
        hung = isinstance(route, APIRoute) and not route.include_in_schema
        if hung and "POST" in (route.methods or ()):
            path = route.path
            for place, value in {**ABSENT, "{decision_id}": "dec_" + "0" * 20}.items():
                path = path.replace(place, value)
            if route.name in ALLOWED:
                found[route.name] = path
    return found


async def latest(world: World) -> dict[str, Any]:
    """The last entry of the log."""
    found = await world.get("auditor", "/v1/audit", newest="true", limit=1)
    entry: dict[str, Any] = found.json()["items"][0]
    return entry


@pytest.mark.parametrize("sending", SENDINGS)
async def test_a_form_that_we_did_not_make_is_refused(office: Office, sending: str) -> None:
    """At every act of every page it is 403 cross_site, and the attempt is in the log."""
    every = acts(office.world.app)
    assert len(every) >= 4
    fields, headers = SENDINGS[sending](office.visitor, office.token, office.theirs)
    for name, path in every.items():
        answer = await office.visitor.send(path, fields, headers)
        assert (answer.status_code, "cross_site" in answer.text) == (403, True), name
        last = await latest(office.world)
        assert (last["action"], last["detail"]["code"]) == (f"refused.{name}", "cross_site")


async def test_a_token_in_the_address_is_none(office: Office) -> None:
    """Addresses end up in logs and histories: a token there opens nothing."""
    for path in acts(office.world.app).values():
        answer = await office.visitor.send(f"{path}?{CSRF}={office.token}", {})
        assert (answer.status_code, "cross_site" in answer.text) == (403, True)


async def test_no_two_pages_have_one_token(office: Office) -> None:
    """Opened again, the same page has another token: both work, and the session's own, which is
    under them, stands in neither."""
    path = next(iter(acts(office.world.app).values()))
    pages = [(await office.visitor.open("/interests")).text for _ in range(2)]
    made = [[form.fields[CSRF][0] for form in forms(page) if CSRF in form.fields] for page in pages]
    tokens = [each[0] for each in made]
    assert len({*tokens, office.token}) == 3
    assert {unmasked(one) for one in tokens} == {unmasked(office.token)}
    own = unmasked(office.token)
    for page, token in zip(pages, tokens, strict=True):
        for plain in (own.hex(), base64.urlsafe_b64encode(own).decode().rstrip("=")):
            assert plain not in page
        assert "cross_site" not in (await office.visitor.send(path, {CSRF: token})).text


async def test_the_same_form_from_our_own_page_gets_past_the_door(office: Office) -> None:
    """The control: with the session's own token and origin none of them is cross_site."""
    for name, path in acts(office.world.app).items():
        answer = await office.visitor.send(path, {CSRF: office.token})
        assert "cross_site" not in answer.text, name
        assert answer.status_code in (403, 404, 422), (name, answer.text)


async def test_no_act_of_a_page_is_a_link(office: Office) -> None:
    """Opened as an address, no act does anything: it is 405, or a page that stands there too, and
    nothing new is in the log."""
    before = await latest(office.world)
    for path in acts(office.world.app).values():
        for address in (path, f"{path}?{CSRF}={office.token}"):
            assert (await office.visitor.open(address)).status_code in (405, 200, 403, 404)
    assert await latest(office.world) == before


async def test_a_form_without_end_is_not_read(office: Office) -> None:
    """A form longer than any that a page makes is refused before it is parsed."""
    path = next(iter(acts(office.world.app).values()))
    answer = await office.visitor.send(path, {CSRF: office.token, "reason": "x" * 300_000})
    assert answer.status_code == 413


async def test_a_form_sent_twice_has_one_effect(here: World) -> None:
    """A double click records one decision; both answers lead to the same page."""
    view = await here.submitted()
    async with visiting(here, Role.PURPOSE_REVIEWER) as (reviewer,):
        form = await reviewer.form(f"/requests/{view['id']}", "/decide")
        said = {**form.fields, "outcome": "approved", "reason": "Fine.", "no_interest": "yes"}
        answers = [await reviewer.send(form.action, said) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert len((await here.seen(view))["stages"][0]["decisions"]) == 1
