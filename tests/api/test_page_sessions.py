"""Sessions of pages: none can be chosen by others, each ends, and none does more than its role."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.auth import SESSION_COOKIE
from api.etags import KEPT
from api.pages.masks import masked
from sharing.records import parties, sign_ins
from sharing.stages import STAFF, Role
from tests.api.served import served
from tests.api.test_permissions import ABSENT
from tests.api.visitor import Visitor, link, visiting
from tests.api.world import World

ENDED = "Your session has ended"
NO_PAGES = ("/docs", "/register.atom", "/exports/live")  # a feed, and a stream that does not end
REVIEWER = Role.PURPOSE_REVIEWER


def pages(app: Any) -> list[str]:
    """An address of every page."""
    found = []
    for route in app.routes:
        hung = isinstance(route, APIRoute) and not route.include_in_schema
        if hung and "GET" in (route.methods or ()):
            path = route.path.replace("{code}", "none")
            for place, value in ABSENT.items():
                path = path.replace(place, value)
            found.append(path)
    return found


async def test_a_session_that_somebody_else_chose_is_not_taken_over(here: World) -> None:
    """A cookie planted before signing in opens nothing afterwards: the session is a new one."""
    async with served(here.app) as http:
        victim = Visitor(http, cookie="clr_planted-by-somebody-else")
        await victim.sign_in(await link(here, REVIEWER))
        assert victim.cookie != "clr_planted-by-somebody-else"
        http.cookies.clear()
        assert (await victim.open("/reviews")).status_code == 200
        planted = Visitor(http, cookie="clr_planted-by-somebody-else")
        assert (await planted.open("/reviews")).status_code == 401


async def test_signing_in_ends_the_session_before(here: World) -> None:
    """A working session that was planted, or left behind, ends as somebody signs in over it."""
    async with visiting(here, Role.ENGINEER) as (left,):
        before = left.cookie
        await left.sign_in(await link(here, REVIEWER))
        left.http.cookies.clear()
        assert left.cookie != before
        assert (await Visitor(left.http, before).open("/reviews")).status_code == 401
        assert "purpose reviewer" in (await left.open("/")).text


async def test_after_signing_out_nothing_is_left(here: World) -> None:
    """The cookie is taken back, pages say that the session has ended, and its forms are no more."""
    view = await here.submitted()
    async with visiting(here, REVIEWER) as (gone,):
        form = await gone.form(f"/requests/{view['id']}", "/decide")
        answer = await gone.send("/sign-out", {})
        taken = answer.headers["set-cookie"]
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert taken.startswith(f'{SESSION_COOKIE}=""')
        assert "Max-Age=0" in taken
        for path in ("/reviews", f"/requests/{view['id']}", f"/requests/{view['id']}/live"):
            page = await gone.open(path)
            assert (page.status_code, ENDED in page.text) == (401, True), path
        said = {**form.fields, "outcome": "refused", "reason": "Late.", "no_interest": "yes"}
        assert (await gone.send(form.action, said)).status_code == 401
    assert (await here.seen(view))["stages"][0]["decisions"] == []


@pytest.mark.parametrize(("seconds", "status"), [(-1, 401), (3600, 200)])
async def test_a_session_has_an_end(here: World, seconds: int, status: int) -> None:
    """Past its hours a session opens no page; before, it does."""
    person, hours = here.people[REVIEWER], timedelta(seconds=seconds)
    cookie = await here.database.write(
        lambda unit: parties.issue_token(unit.session, REVIEWER, person_id=person, lifetime=hours)
    )
    async with served(here.app) as http:
        page = await Visitor(http, cookie).open("/reviews")
    assert (page.status_code, ENDED in page.text) == (status, status == 401)


async def test_an_old_link_signs_nobody_in(here: World) -> None:
    """A link past its time, or one that never was, is 410, sets no cookie and says what to do."""
    person, past = here.people[REVIEWER], timedelta(seconds=-1)
    code = await here.database.write(
        lambda unit: sign_ins.issue(unit.session, REVIEWER, past, person_id=person)
    )
    async with served(here.app) as http:
        for old in (code, "never"):
            answer = await Visitor(http).send(f"/sign-in/{old}", {})
            assert (answer.status_code, "set-cookie" in answer.headers) == (410, False)
            assert "Ask for a new one" in answer.text


async def test_a_stream_ends_with_its_session(here: World) -> None:
    """What streams to a page stops once the session is signed out."""
    view = await here.submitted()
    async with visiting(here, REVIEWER) as (mine,):
        headers = {"Cookie": f"{SESSION_COOKIE}={mine.cookie}"}
        async with asyncio.timeout(60):
            async with mine.http.stream(
                "GET", f"/requests/{view['id']}/live?after=0", headers=headers
            ) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                await mine.send("/sign-out", {})
                said = [line async for line in stream.aiter_lines()]
    assert any("Submitted" in line for line in said)


@pytest.mark.parametrize("role", [Role.PARTNER, Role.SUBJECT])
async def test_who_is_outside_sees_no_page_for_people_inside(here: World, role: Role) -> None:
    """A partner or a person in the data gets 403 at the pages of staff, and is told who may. Of
    its own request a partner has a page of its own, without a decision."""
    view = await here.submitted()
    own = f"/requests/{view['id']}"
    cookie = here.tokens["partner" if role is Role.PARTNER else "subject"]
    async with served(here.app) as http:
        if role is Role.PARTNER:
            assert f"{own}/decide" not in (await Visitor(http, cookie).open(own)).text
        for path in ("/reviews", *(() if role is Role.PARTNER else (own, f"{own}/live"))):
            page = await Visitor(http, cookie).open(path)
            assert page.status_code == 403, path
            assert "Who can: " in page.text
            assert view["title"] not in page.text


@pytest.mark.parametrize("role", sorted(STAFF - {REVIEWER}))
async def test_another_gate_cannot_decide_from_the_page(here: World, role: Role) -> None:
    """Whoever is of another role sees no form for this gate; the form's sending is refused with
    the reason, logged, and records nothing."""
    view = await here.submitted()
    async with visiting(here, REVIEWER, role) as (reviewer, other):
        form = await reviewer.form(f"/requests/{view['id']}", "/decide")
        page = (await other.open(f"/requests/{view['id']}")).text
        assert "Record my decision" not in page
        assert "You cannot decide here" in page
        token = masked(here.app.state.backend.derived("csrf", parties.hashed(other.cookie)))
        said = {"outcome": "approved", "reason": "I may.", "no_interest": "yes", "csrf": token}
        answer = await other.send(form.action, {**form.fields, **said})
        assert answer.status_code == 403
        assert "not_eligible" in answer.text
    assert (await here.audit())[-1]["action"] == "refused.requests.decide"
    assert (await here.seen(view))["stages"][0]["decisions"] == []


async def test_every_page_keeps_the_browser_on_a_short_leash(here: World) -> None:
    """Pages, refusals and redirects: nothing from elsewhere, no inline script or style, no frame
    around it, not kept in any cache."""
    view = await here.submitted()
    async with visiting(here, REVIEWER) as (mine,):
        every = [await mine.open(one) for one in pages(here.app) if not one.startswith(NO_PAGES)]
        every += [await mine.open(f"/requests/{view['id']}"), await Visitor(mine.http).open("/")]
        every += [await mine.send(f"/requests/{view['id']}/decide", {}, {})]
        every += [await mine.send("/sign-out", {})]
    assert len(every) >= 8
    for page in every:
        policy = page.headers["content-security-policy"]
        for word in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert word in policy, page.url
        assert "unsafe" not in policy
        public = page.status_code == 200 and page.url.path.startswith("/register")
        assert page.headers["cache-control"] == (KEPT if public else "no-store"), page.url
        assert page.headers["x-content-type-options"] == "nosniff"
        for inline in (" style=", "<style", " onclick", " onload", "<script>", "javascript:"):
            assert inline not in page.text, (page.url, inline)
