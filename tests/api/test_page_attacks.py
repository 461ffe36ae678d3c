"""What somebody with bad intentions tries at pages and streams, and what becomes of it."""

import asyncio
import base64
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from api import streams
from api.auth import SESSION_COOKIE
from api.pages.masks import masked
from sharing.records import parties, sign_ins
from sharing.stages import Role
from tests.api.own_provider import coming
from tests.api.served import served
from tests.api.test_other_partners import exported
from tests.api.test_provider import code
from tests.api.visitor import Visitor, link, visiting
from tests.api.world import World

HTML = "text/html; charset=utf-8"
BEFORE_TIME = "0001-01-01T00:00:00+23:59"
AFTER_TIME = "9999-12-31T23:59:59-23:59"
LONG_S, KELVIN, SHARP_S = "\u017f", "\u212a", "\u00df"


def cursor(text: str) -> str:
    """A place in a list, as an address carries it."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


CURSORS = {
    "deep": cursor("[" * 5000),
    "before time": cursor(f'["{BEFORE_TIME}","x"]'),
    "after time": cursor(f'["{AFTER_TIME}","x"]'),
}


@pytest.mark.parametrize("bad", CURSORS)
async def test_a_cursor_that_we_never_gave_is_told_as_one(shared: World, bad: str) -> None:
    """Nested without end, or a moment outside the calendar: a page says what is wrong with it."""
    for path in ("/register?after=", "/v1/register?cursor="):
        assert (await shared.http.get(f"{path}{CURSORS[bad]}")).status_code == 422
    async with visiting(shared, Role.PURPOSE_REVIEWER, Role.ADMIN) as (reviewer, admin):
        for who, path in ((reviewer, "/reviews"), (admin, "/people"), (admin, "/datasets")):
            answer = await who.open(f"{path}?after={CURSORS[bad]}")
            assert answer.status_code in (200, 422), (path, answer.text)


@pytest.mark.parametrize("moment", ["9999-12-31", BEFORE_TIME, AFTER_TIME])
async def test_the_log_knows_the_ends_of_the_calendar(shared: World, moment: str) -> None:
    """A day or a moment behind which there is none is a bad field, on the page and in the call."""
    said = {"from": moment, "to": moment}
    assert (await shared.get("auditor", "/v1/audit", **said)).status_code == 422
    async with visiting(shared, Role.AUDITOR) as (auditor,):
        page = await auditor.http.get("/audit", params=said, headers=auditor._kept())
    assert (page.status_code, page.headers["content-type"]) == (422, HTML)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/requests/req_0/decide", 405),
        ("GET", "/my-data/withdraw", 405),
        ("PUT", "/requests", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/requests/a/b/c", 404),
        ("GET", "/static/nothing.css", 404),
        ("GET", "/static/%00", 404),
        ("GET", "/static/..%2f..%2fapp.py", 404),
        ("GET", "/static/%2e%2e/%2e%2e/app.py", 404),
    ],
)
async def test_an_address_that_leads_nowhere_has_a_page(
    shared: World, method: str, path: str, status: int
) -> None:
    """Who reloads the answer to a form, or types an address, is not met by a program's words."""
    async with served(shared.app) as http:
        answer = await http.request(method, path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["content-type"]) == (status, HTML)
        assert 'href="/"' in answer.text
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert (status == 405) == ("allow" in answer.headers)
        plain = await http.request(method, path, headers={"Accept": "application/json"})
        assert plain.headers["content-type"] == "application/problem+json"


async def test_who_is_lost_keeps_the_menu(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody signed in is so at a wrong address too; where that cannot be told, the page still
    answers."""
    async with visiting(shared, Role.AUDITOR) as (auditor,):
        asked = {**auditor._kept(), "Accept": "text/html"}
        page = await auditor.http.get("/nowhere", headers=asked)
        assert page.status_code == 404
        assert 'aria-label="Main"' in page.text
        monkeypatch.setattr(shared.app.state.backend.doorkeeper, "known", None)
        page = await auditor.http.get("/nowhere", headers=asked)
        assert page.status_code == 404
        assert 'aria-label="Main"' not in page.text


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u3164", "\U000e0041"])
async def test_no_name_reads_as_another(shared: World, sign: str) -> None:
    """Signs that turn letters around, and letters that nobody sees, are refused in every name."""
    made = await shared.post("admin", "/v1/partners", {"name": f"Acme{sign} Ltd"})
    assert (made.status_code, made.json()["errors"][0]["path"]) == (422, "name")
    person = {"name": f"Ann{sign}", "email": "ann@x.test", "roles": []}
    assert (await shared.post("admin", "/v1/people", person)).status_code == 422


async def test_no_prose_is_turned_around(here: World) -> None:
    """What reviewers read of a partner's stands in the order in which it was written; letters that
    join others, as some languages need them, are welcome."""
    view = await here.submitted(title="\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")
    said = {"text": "Approved \u202erefused\u202c."}
    answer = await here.post("partner", f"/v1/requests/{view['id']}/comments", said)
    assert answer.status_code == 422


@pytest.mark.parametrize("other", [LONG_S, KELVIN, SHARP_S])
async def test_an_address_is_nobody_elses(here: World, other: str) -> None:
    """A letter that becomes another one as its size is evened out opens nobody else's account, and
    makes none that takes the other's place."""
    plain = other.casefold()
    mine = {"name": "M", "email": f"m{plain}@x.test", "roles": ["auditor"]}
    assert (await here.post("admin", "/v1/people", mine)).status_code == 201
    async with coming(here) as somebody:
        somebody.provider.claims = {"email": f"m{other}@x.test"}
        assert code(await somebody.come()) == "sign_in_unknown"
        somebody.provider.claims = {"email": f"M{plain.upper()}@X.test"}
        assert "Go on as auditor" in (await somebody.come()).text
    made = await here.post("admin", "/v1/people", {**mine, "email": f"z{other}@x.test"})
    assert made.status_code == 422


async def test_streams_have_a_number(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds as many streams open as there may be gets no further one, until one has ended; and
    others do."""
    monkeypatch.setattr(streams, "MOST", 3)
    view = await here.submitted()
    path = f"/requests/{view['id']}/live?after=99999999"
    async with visiting(here, Role.PURPOSE_REVIEWER, Role.AUDITOR) as (mine, other):
        headers = {"Cookie": f"{SESSION_COOKIE}={mine.cookie}"}
        async with AsyncExitStack() as held:
            reading = []
            for _ in range(3):
                stream = await held.enter_async_context(
                    mine.http.stream("GET", path, headers=headers)
                )
                assert stream.status_code == 200
                reading.append(stream.aiter_raw())
                assert await anext(reading[-1])
            refused = await mine.open(path)
            assert (refused.status_code, "limit_reached" in refused.text) == (429, True)
            token = {"Authorization": f"Bearer {here.tokens[Role.PURPOSE_REVIEWER]}"}
            events = {**token, "Accept": "text/event-stream"}
            assert (await mine.http.get("/v1/events", headers=events)).status_code == 429
            theirs = {"Cookie": f"{SESSION_COOKIE}={other.cookie}"}
            async with other.http.stream("GET", path, headers=theirs) as stream:
                assert stream.status_code == 200
        async with asyncio.timeout(60):
            while here.app.state.backend.streams.open:
                await asyncio.sleep(0.05)
        async with mine.http.stream("GET", path, headers=headers) as stream:
            assert stream.status_code == 200


async def test_an_exports_events_end_with_the_token(here: World) -> None:
    """Whoever was signed out learns no more of an export by a stream that was open before."""
    ids = await exported(here)
    async with visiting(here, Role.ENGINEER) as (mine,):
        headers = {"Cookie": f"{SESSION_COOKIE}={mine.cookie}"}
        async with asyncio.timeout(60):
            async with mine.http.stream(
                "GET", f"/v1/exports/{ids['export']}/events", headers=headers
            ) as stream:
                await mine.send("/sign-out", {})
                said = [line async for line in stream.aiter_lines()]
    assert said


async def test_strangers_do_not_fill_the_log(here: World) -> None:
    """Answers of a provider that nobody was sent to are refused and leave nothing in a log that
    keeps everything; what answers an attempt is there once."""
    before = len(await here.audit())
    for query in ("", "?code=x&state=y", "?error=no"):
        assert (await here.http.get(f"/sign-in/provider/answer{query}")).status_code == 404
    async with coming(here) as somebody:
        taken, _ = somebody.provider.code(await somebody.begin())
        kept, somebody.cookie = somebody.cookie, ""
        assert code(await somebody.answer(code=taken, state="x")) == "sign_in_expired"
        assert len(await here.audit()) == before
        for _ in range(3):
            somebody.cookie = kept
            assert code(await somebody.answer(code=taken, state="x")) == "sign_in_forged"
    log = await here.audit()
    assert [one["detail"]["code"] for one in log[before:]] == ["sign_in_forged"]


@pytest.mark.parametrize("why", ["link_used", "link_expired"])
async def test_a_link_that_comes_too_late_is_in_the_log(here: World, why: str) -> None:
    """A second use tells that somebody was faster: the log has whose link it was; it knows nothing
    of links that never were."""
    person, lasting = here.people[Role.AUDITOR], timedelta(hours=1 if why == "link_used" else -1)
    spent = await here.database.write(
        lambda unit: sign_ins.issue(unit.session, Role.AUDITOR, lasting, person_id=person)
    )
    async with served(here.app) as http:
        for _ in range(2 if why == "link_used" else 1):
            http.cookies.clear()
            last = await Visitor(http).send(f"/sign-in/{spent}", {})
        assert last.status_code == 410
        entry = (await here.audit())[-1]
        assert (entry["action"], entry["actor"]) == ("refused.sign_in.link", person)
        assert entry["detail"] == {"code": why}
        await Visitor(http).send("/sign-in/never", {})
    assert (await here.audit())[-1] == entry


async def test_the_log_as_a_sheet_calculates_nothing(here: World) -> None:
    """Where numbers have commas a sheet parts lines at semicolons, inside of quotes too: none of
    what others wrote begins a cell, and it reads as the same JSON."""
    formula = "bytes=0-;=HYPERLINK(1)"
    await here.database.write(lambda unit: unit.audit("x", "package.downloaded", range=formula))
    written = (await here.get("auditor", "/v1/audit/export", format="csv")).text
    assert "HYPERLINK" in written
    assert ";" not in written


async def test_a_form_of_sign_in_from_elsewhere_signs_nobody_in(here: World) -> None:
    """Another site cannot have a browser use up a link of its own, to be taken for somebody."""
    mine = await link(here, Role.AUDITOR)
    async with served(here.app) as http:
        for headers in ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await Visitor(http).send(mine, {}, headers)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert (await Visitor(http).send(mine, {})).status_code == 303


@pytest.mark.parametrize("field", ["once", "draft", "text"])
async def test_no_form_holds_a_nul(there: World, field: str) -> None:
    """Not every database can hold one, and nobody can type one: the form is refused, wherever in
    it that stands, and nothing is blamed on the database."""
    view = await there.submitted()
    path = "/requests/new/draft" if field == "draft" else f"/requests/{view['id']}/comments"
    role = Role.PARTNER if field == "draft" else Role.PURPOSE_REVIEWER
    async with visiting(there, role) as (mine,):
        token = masked(there.app.state.backend.derived("csrf", parties.hashed(mine.cookie)))
        said = {"csrf": token, "once": "a", "text": "Hm.", field: "a\0b"}
        answer = await mine.send(path, said)
    assert (answer.status_code, "invalid_body" in answer.text) == (422, True)
