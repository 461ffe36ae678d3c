"""Somebody at the pages over real HTTP, without a browser: a cookie, and forms as pages make."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx2

from api.auth import SESSION_COOKIE
from sharing.records import sign_ins
from sharing.stages import Role
from tests.api.served import served
from tests.api.world import World

FIELDS = ("input", "textarea", "select")


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, and what it would send untouched."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A form, or a field of the form that is open."""
        given = dict(attrs)
        if tag == "form":
            self._open = given.get("method") == "post"
            if self._open:
                self.found.append(Form(given.get("action") or ""))
        elif tag in FIELDS and self._open and (name := given.get("name")):
            ticked = given.get("type") not in ("radio", "checkbox") or "checked" in given
            values = self.found[-1].fields.setdefault(name, [])
            if ticked:
                values.append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        """What follows a form is not in it."""
        if tag == "form":
            self._open = False


def forms(html: str) -> list[Form]:
    """The forms of a page that change something, in their order."""
    parser = _Forms()
    parser.feed(html)
    return parser.found


@dataclass(slots=True)
class Visitor:
    """A session at a server: `cookie` is sent by hand, for a client takes it to need TLS."""

    http: httpx2.AsyncClient
    cookie: str = ""

    @property
    def origin(self) -> str:
        """Where the pages are."""
        return str(self.http.base_url).rstrip("/")

    @property
    def own(self) -> dict[str, str]:
        """What a browser says where a form of our own is sent."""
        return {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}

    async def open(self, path: str) -> httpx2.Response:
        """A page, as it is answered."""
        return await self.http.get(path, headers=self._kept())

    async def form(self, path: str, action: str) -> Form:
        """The form of a page whose address ends so."""
        page = await self.open(path)
        return next(one for one in forms(page.text) if one.action.endswith(action))

    async def send(
        self,
        path: str,
        fields: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """Sends fields to an address: with what our own page's browser says, or other headers."""
        said = self.own if headers is None else headers
        return await self.http.post(path, data=fields, headers={**said, **self._kept()})

    async def sign_in(self, link: str) -> httpx2.Response:
        """Uses a sign-in link up, and keeps the session that it opens."""
        answer = await self.send(link, {})
        self.cookie = answer.cookies.get(SESSION_COOKIE) or self.cookie
        return answer

    def _kept(self) -> dict[str, str]:
        return {"Cookie": f"{SESSION_COOKIE}={self.cookie}"} if self.cookie else {}


def holder(world: World, role: Role, who: str = "") -> dict[str, str]:
    """Whom a link is for: a person, or for the role of a partner one of the two (`other`)."""
    if role is Role.PARTNER:
        return {"partner_id": world.other if who == "other" else world.partner}
    return {"person_id": world.people[who or role]}


async def link(world: World, role: Role, who: str = "") -> str:
    """The path of a new sign-in link for somebody with that role."""
    hour, whose = timedelta(hours=1), holder(world, role, who)
    code = await world.database.write(
        lambda unit: sign_ins.issue(unit.session, role, hour, **whose)
    )
    return f"/sign-in/{code}"


@asynccontextmanager
async def visiting(world: World, *roles: Role) -> AsyncIterator[list[Visitor]]:
    """The application on a real server, and one visitor a role who has signed in there."""
    async with served(world.app) as http:
        made = [Visitor(http) for _ in roles]
        for visitor, role in zip(made, roles, strict=True):
            answer = await visitor.sign_in(await link(world, role))
            assert answer.status_code == 303, answer.text
            http.cookies.clear()
        yield made
