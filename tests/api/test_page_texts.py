"""What a partner writes is text on every page, whatever it looks like."""

from collections.abc import AsyncIterator
from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest

from sharing.stages import Role
from tests.api.visitor import Visitor, visiting
from tests.api.world import World
from tests.payloads import PAYLOADS

PLAIN = "nothing but words"
AS_JINJA_DOES = {"&#x27;": "&#39;", "&quot;": "&#34;"}


class _Bones(HTMLParser):
    """A page without its words: tags, and the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.bones: list[tuple[str, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag; addresses are ours or on this server."""
        for name, value in attrs:
            if name in ("href", "src", "action"):
                assert (value or "").startswith(("/", "#")), value
        self.bones.append((tag, *(name for name, _ in attrs)))


def bones(html: str) -> list[tuple[str, ...]]:
    """The structure of a page."""
    parser = _Bones()
    parser.feed(html)
    return parser.bones


def shown(text: str) -> str:
    """How a text stands in a page."""
    made = escape(text.strip())
    for ours, theirs in AS_JINJA_DOES.items():
        made = made.replace(ours, theirs)
    return made


async def written(world: World, text: str) -> dict[str, Any]:
    """A request with this text wherever a partner may write."""
    line = text.replace("\n", " ").replace("\u202e", "")
    return await world.submitted(
        title=line, intended_use=text.replace("\u202e", ""), onward_recipients=[line, "Cloud"]
    )


@pytest.fixture(scope="module")
async def reviewer(shared: World) -> AsyncIterator[Visitor]:
    """Somebody who reads what partners write."""
    async with visiting(shared, Role.PURPOSE_REVIEWER) as (one,):
        yield one


def test_there_are_sixty() -> None:
    """The list is as long as it claims, and no text is in it twice."""
    assert len(set(PAYLOADS)) == len(PAYLOADS) == 60


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
async def test_a_text_stays_a_text(shared: World, reviewer: Visitor, number: int) -> None:
    """The page of a request is built as one with plain words is, and shows the text; so do the
    lists, the search field and the form that is shown again."""
    text = PAYLOADS[number]
    view, plain = await written(shared, text), await written(shared, PLAIN)
    page = (await reviewer.open(f"/requests/{view['id']}")).text
    assert bones(page) == bones((await reviewer.open(f"/requests/{plain['id']}")).text)
    assert page.count(shown(view["title"])) >= 3
    for path in ("/", "/reviews", f"/reviews?q={quote(view['title'])}"):
        listed = (await reviewer.open(path)).text
        assert shown(view["title"]) in listed, path
        assert not handlers(listed), path
    form = await reviewer.form(f"/requests/{view['id']}", "/decide")
    said = {**form.fields, "reason": text, "conditions": text, "outcome": ""}
    again = await reviewer.send(form.action, said)
    assert (again.status_code, handlers(again.text)) == (422, [])
    for one in (view, plain):
        await shared.post("partner", f"/v1/requests/{one['id']}/withdraw")


def handlers(html: str) -> list[tuple[str, ...]]:
    """Tags that would run something; none of ours does, and none is a script but our file."""
    found = bones(html)
    scripts = [one for one in found if one[0] == "script" and one != ("script", "src", "defer")]
    return scripts + [one for one in found if any(name.startswith("on") for name in one[1:])]
