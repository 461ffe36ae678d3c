"""What counsel does with an agreement on its page: one more term, and a link for a signatory."""

import re
from typing import Any

import pytest

from sharing.stages import Role
from tests.api.test_agreements import agreed, at_legal
from tests.api.test_page_partner import sent
from tests.api.visitor import Visitor, forms, visiting
from tests.api.world import World

TERM = {
    "kind": "duty",
    "action": "report_breach",
    "text": "report every breach within a day",
    "due": "24",
    "span": "within_hours",
    "after": "breach",
}
SIGNATORY = {"name": "Dara Okonkwo", "email": "dara@acme.example", "days": "7"}


async def test_counsel_adds_a_term(here: World) -> None:
    """The form adds what the call adds, to the version that was on the page; afterwards the page
    says so and shows the term as added."""
    view = await at_legal(here)
    path = f"/requests/{view['id']}/agreement"
    async with visiting(here, Role.LEGAL_COUNSEL) as (counsel,):
        assert f'href="{path}"' in (await counsel.open(f"/requests/{view['id']}")).text
        answer = await sent(counsel, path, "/terms", TERM)
        assert answer.status_code == 303, answer.text
        page = await counsel.open(answer.headers["location"])
    assert "The term is added" in page.text
    assert "<ins>Duty: report every breach within a day</ins>" in page.text
    [term] = (await agreed(here, view))["differences"]
    assert term["action"] == "report_breach"
    due = (await agreed(here, view))["duties"][-1]
    assert "hours" in str(due)
    assert "breach" in str(due)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"due": ""}, "due", "a duty needs exactly one"),
        ({"due": "soon"}, "due", "must be a valid integer"),
        ({"due": "0"}, "due", "must be greater than or equal to 1"),
        ({"kind": "permission"}, "due", "only a duty is due"),
        ({"action": "Report It"}, "action", "must"),
        ({"text": " "}, "text", "must"),
        ({"kind": "permission", "action": "re_identify", "due": ""}, "action", "contradict"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    here: World, changes: dict[str, str], field: str, words: str
) -> None:
    """A term that cannot be added is not, the page says why at its field, and keeps the rest."""
    view = await at_legal(here)
    path = f"/requests/{view['id']}/agreement"
    async with visiting(here, Role.LEGAL_COUNSEL) as (counsel,):
        page = await sent(counsel, path, "/terms", {**TERM, **changes})
    assert page.status_code == 422, page.text
    [said] = re.findall(rf'<p class="error" id="e-{field}">(.*?)</p>', page.text)
    assert words in said
    assert f'href="#f-{field}"' in page.text
    kept = {**TERM, **changes}
    assert kept["text"].strip() in page.text
    assert f'value="{kept["action"]}"' in page.text
    assert (await agreed(here, view))["version"] == 1


async def test_a_link_is_shown_once_and_lets_the_signatory_accept(here: World) -> None:
    """After counsel's yes to an added term a link is made on the page; who has it accepts, and the
    request is cleared. Then nothing is left for counsel to do there."""
    view = await at_legal(here)
    path = f"/requests/{view['id']}/agreement"
    async with visiting(here, Role.LEGAL_COUNSEL) as (counsel,):
        await sent(counsel, path, "/terms", TERM)
        assert (await here.decide(view, "legal_approval")).status_code == 201
        assert not await has(counsel, path, "/terms")
        page = await sent(counsel, path, "/links", SIGNATORY)
        assert page.status_code == 201, page.text
        [link] = re.findall(r"<code>\S*(/agreement/[\w-]+)</code>", page.text)
        assert link not in (await counsel.open(path)).text
        anybody = Visitor(counsel.http)
        shown = await anybody.open(link)
        assert "Dara Okonkwo, you are asked" in shown.text
        [form] = forms(shown.text)
        assert (await anybody.send(link, form.fields)).status_code == 200
        await here.seen(view, state="cleared")
        assert not await has(counsel, path, "/links")


async def test_a_link_for_nobody_is_not_made(here: World) -> None:
    """Without an address, or for no days, the form is shown again and says so."""
    view = await at_legal(here, intended_use="Research.")
    path = f"/requests/{view['id']}/agreement"
    async with visiting(here, Role.LEGAL_COUNSEL) as (counsel,):
        await sent(counsel, path, "/terms", TERM)
        page = await sent(counsel, path, "/links", {**SIGNATORY, "email": "dara", "days": "0"})
    assert page.status_code == 422
    for field in ("email", "days"):
        assert f'id="e-{field}"' in page.text
    assert 'value="Dara Okonkwo"' in page.text


async def test_nobody_else_has_these_forms(here: World) -> None:
    """An auditor and the partner read the agreement without them, and are refused."""
    view = await at_legal(here)
    path = f"/requests/{view['id']}/agreement"
    async with visiting(here, Role.AUDITOR, Role.PARTNER) as visitors:
        for visitor in visitors:
            assert not await has(visitor, path, "/terms")
            csrf = {"csrf": "x"}
            assert (await visitor.send(f"{path}/terms", {**TERM, **csrf})).status_code == 403


async def has(visitor: Visitor, path: str, action: str) -> bool:
    """True where a page has a form that goes there."""
    page: Any = await visitor.open(path)
    return any(form.action.endswith(action) for form in forms(page.text))
