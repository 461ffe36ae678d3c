"""Signing in by a link, the session cookie, and the first page."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sharing.records import sign_ins
from sharing.stages import Role
from tests.api.world import World

OWN = {"Origin": "https://clearance.test"}
PEOPLE = [r for r in Role if r not in (Role.PARTNER, Role.SUBJECT)]  # who signs in by a page
EVIL = {"Origin": "http://evil.test"}


async def link(world: World, role: Role = Role.PURPOSE_REVIEWER) -> str:
    """A new sign-in link for the person with that role."""
    person, hour = world.people[role], timedelta(hours=1)
    code = await world.database.write(
        lambda unit: sign_ins.issue(unit.session, role, hour, person_id=person)
    )
    return f"/sign-in/{code}"


async def signed_in(world: World) -> httpx2.Response:
    """The answer that opens a session; the client keeps the cookie."""
    return await world.http.post(await link(world), headers=OWN)


async def test_looking_at_a_link_does_not_use_it_up(there: World) -> None:
    """A GET only shows a button; the POST behind it opens one session, once."""
    path = await link(there)
    for _ in range(2):
        shown = await there.http.get(path)
        assert shown.status_code == 200
        assert "set-cookie" not in shown.headers
    first = await there.http.post(path, headers=OWN)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert (await there.http.post(path, headers=OWN)).status_code == 410


async def test_the_session_cookie_is_out_of_reach(here: World) -> None:
    """The cookie is __Host-, Secure, HttpOnly, SameSite=Strict, and lasts twelve hours."""
    cookie = (await signed_in(here)).headers["set-cookie"].lower()
    for word in ("httponly", "secure", "samesite=strict", "max-age=43200", "path=/"):
        assert word in cookie


async def test_a_session_reads_and_writes_from_our_own_pages(here: World) -> None:
    """With the cookie the API knows the person; a change needs our own page as its origin."""
    await signed_in(here)
    assert (await here.http.get("/v1/me")).json()["id"] == here.people["purpose_reviewer"]
    body = {
        "person": here.people["purpose_reviewer"],
        "organisation": {"name": "X"},
        "kind": "gift",
        "from": "2020-01-01",
        "detail": "A pen.",
    }
    assert (await here.http.post("/v1/interests", json=body, headers=OWN)).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [{}, EVIL, {"Sec-Fetch-Site": "cross-site", **OWN}, {"Sec-Fetch-Site": "same-site", **OWN}],
)
async def test_another_site_cannot_use_the_session(here: World, headers: dict[str, str]) -> None:
    """A change with the cookie, but not from our own page, is refused as cross_site."""
    await signed_in(here)
    for path in ("/v1/interests", "/sign-out"):
        answer = await here.http.post(path, json={}, headers=headers)
        assert answer.status_code == 403
        assert "cross_site" in answer.text


async def test_another_site_cannot_sign_somebody_in(here: World) -> None:
    """A sign-in posted from another site's page is refused, and the code stays good."""
    path = await link(here)
    assert (await here.http.post(path, headers=EVIL)).status_code == 403
    assert (await here.http.post(path, headers=OWN)).status_code == 303


async def test_signing_out_ends_the_session(here: World) -> None:
    """After signing out the same cookie opens nothing."""
    await signed_in(here)
    kept = dict(here.http.cookies)
    assert (await here.http.post("/sign-out", headers=OWN)).status_code == 303
    here.http.cookies.update(kept)
    assert (await here.http.get("/v1/me")).status_code == 401
    assert [e["action"] for e in await here.audit()][-2:] == ["session.opened", "session.ended"]


async def test_the_first_page_says_what_waits_for_me(here: World) -> None:
    """The page names me, my role, what waits for me and recent requests; titles are escaped."""
    await here.submitted(title="<script>alert(1)</script>")
    await signed_in(here)
    page = await here.http.get("/")
    assert page.status_code == 200
    for word in ("purpose reviewer", "1 waiting for you", "/reviews", "Sign out", "&lt;script&gt;"):
        assert word in page.text
    assert "<script>" not in page.text


@pytest.mark.parametrize("role", PEOPLE)
async def test_the_first_page_is_there_for_every_role(here: World, role: Role) -> None:
    """Whatever role a person has, the first page answers and allows no script but our file."""
    await here.http.post(await link(here, role), headers=OWN)
    page = await here.http.get("/")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


async def test_nothing_comes_from_elsewhere(here: World) -> None:
    """Pages and docs load every file from this server, and each of those files is there."""
    import re

    pages: list[Any] = [await here.http.get("/"), await here.http.get("/docs")]
    links = {link for page in pages for link in re.findall(r'(?:src|href)="([^"]+)"', page.text)}
    assert links
    assert not [link for link in links if not link.startswith(("/", "#"))]
    for one in links - {"#main"}:
        assert (await here.http.get(one)).status_code == 200, one
    assert not re.search(r"https?://(?!clearance\.test)[^'\"\s]*\.(?:js|css)", pages[1].text)
