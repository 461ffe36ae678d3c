"""What comes over the wire for a page; what is compressed on its way, and what is not."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import product

import httpx2
import pytest
from fastapi.routing import APIRoute

from api.auth import SESSION_COOKIE
from sharing.stages import Role
from tests.api.heavy import Heavy, Prose, heavy
from tests.api.served import served
from tests.api.test_page_sessions import NO_PAGES
from tests.api.visitor import Visitor
from tests.api.world import World

MOST = 30 * 1024  # a page with its style and its script
LOADED = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js)[^"]*)"')
PLACE = re.compile(r"\{[a-z_:]+\}")
NO_OTHER_PAGE = (*NO_PAGES, "/sign-in", "/agreement")  # of a code that is used up, by nobody's role
STREAMS = "/live"
WHO = {**{str(role): str(role) for role in Role}, "nobody": ""}
PACKED = {"Accept-Encoding": "gzip"}


@dataclass(slots=True)
class Scales:
    """The pages of a heavy world behind a real server, and what was weighed already: `files` of
    each style and script, `walks` of each role, by the address as the route has it."""

    world: World
    there: Heavy
    http: httpx2.AsyncClient
    files: dict[str, int] = field(default_factory=dict)
    walks: dict[str, dict[str, list[tuple[str, int, int]]]] = field(default_factory=dict)

    def at(self, who: str) -> Visitor:
        """Somebody in a role, who takes what is compressed."""
        return Visitor(self.http, self.world.tokens[WHO[who]] if WHO[who] else "")

    async def weight(self, page: httpx2.Response) -> int:
        """Bytes over the wire: the page, and each style and script that it loads."""
        names = set(LOADED.findall(page.text))
        assert len(names) == 2, page.url
        for name in names - set(self.files):
            self.files[name] = wired(await self.http.get(name))
        return wired(page) + sum(self.files[name] for name in names)

    async def walked(self, who: str) -> dict[str, list[tuple[str, int, int]]]:
        """Every page as somebody sees it: address, status and weight, by route."""
        if who not in self.walks:
            self.walks[who] = {}
            for route, path in addresses(self):
                page = await self.at(who).open(path)
                size = 0 if page.status_code == 303 else await self.weight(page)
                self.walks[who].setdefault(route, []).append((path, page.status_code, size))
        return self.walks[who]


def wired(answer: httpx2.Response) -> int:
    """The length of a body as it was sent."""
    return int(answer.headers["content-length"])


@pytest.fixture(scope="module")
async def scales(shared: World) -> AsyncIterator[Scales]:
    """A world with much of everything in it."""
    there = await heavy(shared, shared.app.state.backend.settings.home)
    async with served(shared.app) as http:
        yield Scales(shared, there, http)


def addresses(scales: Scales) -> list[tuple[str, str]]:
    """Every page by its route, with everything in its place that is heavy."""
    found = []
    for route in scales.world.app.routes:
        if (
            not isinstance(route, APIRoute)
            or route.include_in_schema
            or "GET" not in (route.methods or ())
        ):
            continue
        if route.path.startswith(NO_OTHER_PAGE) or route.path.endswith(STREAMS):
            continue
        names = PLACE.findall(route.path)
        for values in product(*(scales.there.places[name] for name in names)):
            path = route.path
            for name, value in zip(names, values, strict=True):
                path = path.replace(name, value)
            found.append((route.path, path))
    return found


@pytest.mark.parametrize("who", WHO)
async def test_no_page_is_heavier_than_30_kb(scales: Scales, who: str) -> None:
    """Every page of every role, with its style and script, long texts and a large consent report:
    at most 30 KB over the wire; refusals too."""
    seen = [one for some in (await scales.walked(who)).values() for one in some]
    assert len(seen) >= 40
    assert {path: size for path, _, size in seen if size > MOST} == {}


async def test_every_page_was_weighed_by_somebody_who_may_see_it(scales: Scales) -> None:
    """The control: each page opens for one of the roles, and the heaviest is near the limit, so
    that no walk is through refusals and empty lists alone."""
    walks = [await scales.walked(who) for who in WHO]
    opened = {
        route
        for walk in walks
        for route, some in walk.items()
        if any(status in (200, 303) for _, status, _ in some)
    }
    assert {route for route, _ in addresses(scales)} - opened == set()
    every = [size for walk in walks for some in walk.values() for _, _, size in some]
    assert max(every) > MOST * 3 / 4


async def test_a_form_that_is_shown_again_is_no_heavier(scales: Scales) -> None:
    """With mistakes in it, all that was typed comes back: a request, a decision, a policy."""
    write, request = Prose(), scales.there.places["{request_id}"][0]
    asked = {"title": write(150), "intended_use": write(3000)}
    sent = {
        ("partner", "/requests/new", "/submit"): asked,
        ("consent_steward", f"/requests/{request}", "/decide"): {"reason": write(600)},
        ("admin", "/policy", "/policy"): {"text": f"{write(4000)} =", "reason": write(1000)},
    }
    for (who, path, action), said in sent.items():
        visitor = scales.at(who)
        form = await visitor.form(path, action)
        again = await visitor.send(form.action or path, {**form.fields, **said})
        assert (again.status_code, next(iter(said.values()))[:99] in again.text) == (422, True)
        assert await scales.weight(again) <= MOST, path


@pytest.mark.parametrize(
    ("led_by", "packed"),
    [("", True), ("none", True), ("same-origin", True), ("same-site", False),
     ("cross-site", False)],
)  # fmt: skip
async def test_what_another_site_asks_for_is_not_compressed(
    scales: Scales, led_by: str, packed: bool
) -> None:
    """A page of a session is compressed for pages of ours and for who typed its address. How long
    it is tells other sites nothing of what is in it twice. The public register is for everybody."""
    said = {"Sec-Fetch-Site": led_by} if led_by else {}
    cookie = {"Cookie": f"{SESSION_COOKIE}={scales.world.tokens['admin']}"}
    own = await scales.http.get("/people", headers={**PACKED, **said, **cookie})
    public = await scales.http.get("/register", headers={**PACKED, **said})
    assert own.headers.get("content-encoding", "") == ("gzip" if packed else "")
    assert public.headers["content-encoding"] == "gzip"
    assert public.headers["vary"] == "Accept-Encoding"
    assert "Accept-Encoding" in own.headers["vary"] if packed else "vary" not in own.headers


async def test_who_does_not_take_it_compressed_gets_it_whole(scales: Scales) -> None:
    """The same page, and a cache is told that there are two of it."""
    pages = [
        await scales.http.get("/register", headers={"Accept-Encoding": way})
        for way in ("identity", "gzip")
    ]
    assert [one.headers.get("content-encoding") for one in pages] == [None, "gzip"]
    assert pages[0].text == pages[1].text
    assert {one.headers["vary"] for one in pages} == {"Accept-Encoding"}


@pytest.mark.parametrize("path", ["/v1/people", "/v1/register", "/openapi.json"])
async def test_an_answer_of_the_api_is_as_it_was(scales: Scales, path: str) -> None:
    """Calls are answered whole, whatever they take."""
    bearer = {"Authorization": f"Bearer {scales.world.tokens['admin']}"}
    answer = await scales.http.get(path, headers={**PACKED, **bearer})
    assert (answer.status_code, answer.headers.get("content-encoding")) == (200, None)
    assert "vary" not in answer.headers
    assert wired(answer) > 500


async def test_a_stream_is_not_compressed(scales: Scales) -> None:
    """What comes by and by is sent as it comes."""
    request = scales.there.places["{request_id}"][0]
    cookie = {"Cookie": f"{SESSION_COOKIE}={scales.world.tokens['admin']}"}
    async with scales.http.stream(
        "GET", f"/requests/{request}/live?after=0", headers={**PACKED, **cookie}
    ) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in stream.headers
        assert (await anext(stream.aiter_raw()))[:1]
