"""Signing in by an identity provider: who may, and everything that must not be believed."""

import base64
import html
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from api.auth import SESSION_COOKIE
from api.pages import provider as provider_page
from sharing.records import parties
from sharing.settings import Settings, SettingsError
from sharing.stages import Role
from tests.api.own_provider import CLIENT, SECRET, Coming, coming, use
from tests.api.visitor import forms, link
from tests.api.world import World

REFUSED = "refused.sign_in.provider"


def code(page: Any) -> str:
    """The code of a refusal, as its page tells it."""
    return str(page.text.split("<code>")[1].split("</code>")[0])


async def logged(world: World) -> tuple[str, str, str]:
    """The last entry of the log: what, about whom, and with which code."""
    last = (await world.audit())[-1]
    return last["action"], last["actor"], last["detail"].get("code", "")


async def test_who_is_on_record_comes_in(there: World) -> None:
    """There and back, then on in one's role: a session that is a new one, and all of it logged."""
    async with coming(there) as somebody:
        page = await somebody.come()
        assert page.status_code == 200, page.text
        assert SESSION_COOKIE not in page.headers.get("set-cookie", "")
        [form] = forms(page.text)
        mine = somebody.visitor()
        came = await mine.sign_in(form.action)
        assert (came.status_code, came.headers["location"]) == (303, "/")
        somebody.http.cookies.clear()
        assert "purpose reviewer" in (await mine.open("/")).text
        assert (await mine.open("/reviews")).status_code == 200
        person = there.people["purpose_reviewer"]
        log = [(e["action"], e["actor"]) for e in (await there.audit())[-2:]]
        assert log == [("sign_in.issued", person), ("session.opened", person)]
        await mine.send("/sign-out", {})
        assert (await mine.open("/reviews")).status_code == 401


async def gone(somebody: Coming) -> Any:
    """The answer to signing out of a session that the provider opened."""
    mine = somebody.visitor()
    await mine.sign_in(forms((await somebody.come()).text)[0].action)
    somebody.http.cookies.clear()
    answer = await mine.send("/sign-out", {})
    assert (await mine.open("/reviews")).status_code == 401
    return answer


async def test_who_came_by_the_provider_is_led_out_there_too(here: World) -> None:
    """The session has ended, and the page leads to the provider's own end of a session, which takes
    where we want people sent back to, and sends them there."""
    async with coming(here) as somebody:
        answer = await gone(somebody)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        [there] = set(re.findall(r'(?:href|url)="?([^"]*/end[^"]*)"', answer.text))
        there = html.unescape(there.rpartition("url=")[2])
        assert there.startswith(f"{somebody.provider.address}/end?client_id={CLIENT}&")
        async with httpx2.AsyncClient() as browser:
            back = await browser.get(there)
            assert back.status_code == 303, back.text
            home = await browser.get(back.headers["location"])
        assert (home.status_code, "You are signed out" in home.text) == (200, True)


@pytest.mark.parametrize("lie", ["no_end", "plain_end", "away"])
async def test_signing_out_needs_no_provider(here: World, lie: str) -> None:
    """Where it names no end of a session, one that is not safe, or is away, one is signed out here
    as ever."""
    async with coming(here) as somebody:
        somebody.provider.lies = {lie} - {"away"}
        mine = somebody.visitor()
        await mine.sign_in(forms((await somebody.come()).text)[0].action)
        somebody.http.cookies.clear()
        if lie == "away":
            somebody.provider.lies = {lie}
            here.app.state.provider = None
        answer = await mine.send("/sign-out", {})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert (await mine.open("/reviews")).status_code == 401


async def test_who_came_by_a_link_is_not_sent_to_the_provider(here: World) -> None:
    """A session of a one-time link is none of the provider's, also after one that was."""
    async with coming(here) as somebody:
        mine = somebody.visitor()
        await mine.sign_in(forms((await somebody.come()).text)[0].action)
        somebody.http.cookies.clear()
        await mine.sign_in(await link(here, Role.PURPOSE_REVIEWER))
        somebody.http.cookies.clear()
        answer = await mine.send("/sign-out", {})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_what_is_sent_with_somebody_proves_the_answer(here: World) -> None:
    """The way there names us and carries a state, a nonce and the digest of a secret that only
    shows on the way back (PKCE), each a new one every time; our own secret goes in a header."""
    async with coming(here) as somebody:
        first, second = [parse_qs(urlsplit(await somebody.begin()).query) for _ in range(2)]
        assert first["code_challenge_method"] == ["S256"]
        assert first["response_type"] == ["code"]
        assert first["client_id"] == [CLIENT]
        for name in ("state", "nonce", "code_challenge"):
            assert len(first[name][0]) >= 43
            assert first[name] != second[name]
        await somebody.come()
        said = base64.b64decode(somebody.provider.headers[-1].removeprefix("Basic ")).decode()
        assert said == f"{CLIENT}:{SECRET}"


async def test_our_secret_may_lie_in_a_file(here: World, tmp_path: Path) -> None:
    """The secret's setting may name a file that holds it."""
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    async with coming(here) as somebody:
        use(here, oidc_client_secret=str(file))
        await somebody.come()
        said = base64.b64decode(somebody.provider.headers[-1].removeprefix("Basic ")).decode()
    assert said == f"{CLIENT}:from a file"


async def test_who_has_several_roles_chooses_one(here: World) -> None:
    """Each role of our own records is offered, none that the provider speaks of; the session is
    in the one that was chosen."""
    person = here.people["engineer"]
    await here.database.write(
        lambda unit: parties.grant_roles(unit.session, person, [Role.AUDITOR])
    )
    async with coming(here) as somebody:
        somebody.provider.claims |= {"email": "engineer@example.org", "roles": ["admin"]}
        page = await somebody.come()
        assert "Go on as auditor" in page.text
        assert "Go on as engineer" in page.text
        assert "administrator" not in page.text
        mine = somebody.visitor()
        await mine.sign_in(forms(page.text)[0].action)
        somebody.http.cookies.clear()
        assert '<b>engineer</b> <span class="quiet">auditor</span>' in (await mine.open("/")).text


async def test_another_claim_may_name_the_person(here: World) -> None:
    """Where the settings say so, another claim with a person's id counts, and no address does."""
    async with coming(here) as somebody:
        use(here, oidc_claim="employee")
        assert code(await somebody.come()) == "sign_in_unknown"
        somebody.provider.claims |= {"employee": here.people["admin"], "email_verified": None}
        assert "Go on as administrator" in (await somebody.come()).text


LIES: dict[str, tuple[dict[str, Any], set[str], str]] = {
    "another nonce": ({"nonce": "n" * 43}, set(), "sign_in_token"),
    "no nonce": ({"nonce": None}, set(), "sign_in_token"),
    "for somebody else": ({"aud": "other"}, set(), "sign_in_token"),
    "for us among others, by none": ({"aud": [CLIENT, "b"]}, set(), "sign_in_token"),
    "asked for by somebody else": ({"azp": "other"}, set(), "sign_in_token"),
    "of another issuer": ({"iss": "https://evil.test"}, set(), "sign_in_issuer"),
    "of nobody": ({"sub": None}, set(), "sign_in_token"),
    "without an end": ({"exp": None}, set(), "sign_in_token"),
    "another's key": ({}, {"other_key"}, "sign_in_token"),
    "no signature": ({}, {"none"}, "sign_in_token"),
    "our secret as the key": ({}, {"shared"}, "sign_in_token"),
    "over": ({"exp": int(time.time()) - 3600}, set(), "sign_in_clock"),
    "of the future": ({"iat": int(time.time()) + 36_000}, set(), "sign_in_clock"),
    "of a stranger": ({"email": "stranger@example.org"}, set(), "sign_in_unknown"),
    "of a list of names": ({"email": ["admin@example.org"]}, set(), "sign_in_unknown"),
    "of an address nobody verified": ({"email_verified": False}, set(), "sign_in_unverified"),
    "of an address as a word": ({"email_verified": "true"}, set(), "sign_in_unverified"),
    "of an address left open": ({"email_verified": None}, set(), "sign_in_unverified"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
async def test_no_lie_opens_a_session(here: World, lie: str) -> None:
    """Whatever does not hold in the provider's answer ends on a page that says what, opens
    nothing, puts nobody on record, and is in the log."""
    claims, lies, expected = LIES[lie]
    before = (await here.get("admin", "/v1/people")).json()
    async with coming(here) as somebody:
        somebody.provider.claims, somebody.provider.lies = claims, lies
        page = await somebody.come()
    assert (page.status_code, code(page)) == (403, expected)
    assert not forms(page.text)
    assert SESSION_COOKIE not in page.headers.get("set-cookie", "")
    known = here.people["purpose_reviewer"] if expected == "sign_in_unverified" else "unknown"
    assert await logged(here) == (REFUSED, known, expected)
    assert (await here.get("admin", "/v1/people")).json() == before


async def test_whose_roles_are_gone_stays_outside(here: World) -> None:
    """Who is on record without a role of people inside, such as a partner's staff, is told so."""
    await here.database.write(
        lambda unit: parties.add_person(
            unit.session, "P", "p@acme.test", [Role.PARTNER], here.partner
        )
    )
    async with coming(here) as somebody:
        somebody.provider.claims = {"email": "P@acme.test"}
        assert code(await somebody.come()) == "sign_in_no_role"


async def test_an_answer_is_taken_once_and_from_who_began(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state of another attempt, a cookie that is not there, forged or too old, an answer that
    was used, and a code of another attempt all open nothing."""
    async with coming(here) as somebody:
        provider = somebody.provider
        taken, state = provider.code(await somebody.begin())
        for query, expected in (
            ({"code": taken, "state": "x"}, "sign_in_forged"),
            ({"code": taken}, "sign_in_forged"),
            ({"code": taken, "state": state, "iss": "https://evil.test"}, "sign_in_issuer"),
        ):
            assert code(await somebody.answer(**query)) == expected
            assert (await logged(here))[2] == expected
        kept = somebody.cookie
        for forged in ("", "x", kept[:-1] + ("0" if kept[-1] != "0" else "1"), "." + kept):
            somebody.cookie = forged
            page = await somebody.answer(code=taken, state=state)
            assert code(page) == "sign_in_expired"
        somebody.cookie = kept
        assert (await somebody.answer(code=taken, state=state)).status_code == 200
        page = await somebody.answer(code=taken, state=state)
        assert (page.status_code, code(page)) == (409, "sign_in_replayed")
        _, another = provider.code(await somebody.begin())
        assert code(await somebody.answer(code=taken, state=another)) == "sign_in_token"
        late, state = provider.code(await somebody.begin())
        monkeypatch.setattr(provider_page, "LASTS", -1)
        assert code(await somebody.answer(code=late, state=state)) == "sign_in_expired"


async def test_a_no_at_the_provider_is_told_as_one(here: World) -> None:
    """Who says no there comes back to a page that says so, with or without the state."""
    async with coming(here) as somebody:
        for with_state in (True, False):
            _, state = somebody.provider.code(await somebody.begin())
            given = {"state": state} if with_state else {}
            assert code(await somebody.answer(error="access_denied", **given)) == "sign_in_denied"


@pytest.mark.parametrize(
    ("lie", "status", "expected"),
    [("away", 503, "provider_away"), ("issuer", 403, "sign_in_issuer")],
)
async def test_a_provider_that_is_not_ours_is_not_gone_to(
    here: World, lie: str, status: int, expected: str
) -> None:
    """Where the provider is away, or calls itself otherwise, nobody is sent there."""
    async with coming(here) as somebody:
        somebody.provider.lies = {lie}
        page = await somebody.http.get("/sign-in/provider")
        assert (page.status_code, code(page)) == (status, expected)
        use(here, oidc_issuer="http://provider.test")
        page = await somebody.http.get("/sign-in/provider")
        assert (page.status_code, code(page)) == (503, "provider_away")


async def test_without_a_provider_there_is_no_button(here: World) -> None:
    """Where none is set up the first page offers none, and its address says so."""
    assert "/sign-in/provider" not in (await here.http.get("/")).text
    page = await here.http.get("/sign-in/provider")
    assert (page.status_code, code(page)) == (404, "no_provider")
    async with coming(here) as somebody:
        assert 'href="/sign-in/provider"' in (await somebody.http.get("/")).text


def test_an_issuer_alone_is_no_setting() -> None:
    """Without the name that the provider knows us by, no process starts."""
    with pytest.raises(SettingsError, match="CLEARANCE_OIDC_CLIENT_ID"):
        Settings.from_environment({"CLEARANCE_OIDC_ISSUER": "https://id.example.org"})
    assert SECRET not in repr(Settings(oidc_client_secret=SECRET))
