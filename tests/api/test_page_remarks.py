"""Comments at the answer that they are about: on the reviewer's form, and on the partner's."""

import re
from typing import Any

from api.fields import Body
from api.routes.requests import NewRequest
from sharing.comments import ANSWERS, answer_of
from sharing.stages import Role
from tests.api.test_comments import said
from tests.api.test_page_partner import FIELDS, forms_of, sent
from tests.api.visitor import visiting
from tests.api.world import World
from tests.payloads import PAYLOADS


def answers_of(body: type[Body], above: str = "") -> set[str]:
    """The answers of a body by path; of a filter those that a request may have."""
    found: set[str] = set()
    for name, one in body.model_fields.items():
        kind = one.annotation
        if isinstance(kind, type) and issubclass(kind, Body):
            found |= answers_of(kind, f"{above}{name}.")
        elif name == "where":
            found |= {f"{above}where.taken_after", f"{above}where.taken_before"}
        else:
            found.add(f"{above}{name}")
    return found


def test_every_answer_can_be_spoken_of() -> None:
    """What a comment can be about is what a request has: no answer is left out, none is made up."""
    assert set(ANSWERS) == answers_of(NewRequest)
    assert (answer_of("scope"), answer_of("scope.limit")) == ("scope.fields", "scope.limit")


async def remarked(world: World) -> dict[str, Any]:
    """A request on which something was said at three answers, and which was sent back."""
    view = await world.submitted()
    for field, text in (
        ("retention_days", "Ninety days will do."),
        ("scope.where.taken_after", "Only from 2012 on."),
        ("scope", "Less of all."),
    ):
        answer = await said(world, "purpose_reviewer", view, text, audience="partner", field=field)
        assert answer.status_code == 201, answer.text
    await said(world, "legal_counsel", view, "Among us.", field="title")
    answer = await world.decide(view, "purpose_review", "returned", reason="See the comments.")
    assert answer.status_code == 201, answer.text
    return view


async def test_each_comment_stands_at_its_answer(here: World) -> None:
    """The form names each comment in the description of its answer, and a list above leads there;
    what colleagues say among themselves is nowhere."""
    view = await remarked(here)
    path = f"/requests/{view['id']}"
    async with visiting(here, Role.PARTNER) as (partner,):
        form = (await partner.open(f"{path}/revise")).text
        itself = (await partner.open(path)).text
    for name, text in (
        ("retention_days", "Ninety days will do."),
        ("scope-where-taken_after", "Only from 2012 on."),
        ("scope-fields", "Less of all."),
    ):
        assert f'href="#f-{name}"' in form
        assert re.search(rf'id="f-{name}"[^>]*aria-describedby="[^"]*\bc-{name}"', form)
        begin = form.index(f'<div class="note asked" id="c-{name}">')
        at_it = form[begin : form.index("</div></div>", begin)]
        assert text in at_it
        assert "The purpose reviewer" in at_it
        assert f'href="{path}/revise#f-{name}"' in itself
        assert f'id="c-{name}"' in itself
    for page in (form, itself):
        assert "Among us." not in page
        assert here.people["purpose_reviewer"] not in page


async def test_the_next_revision_is_the_answer(here: World) -> None:
    """A comment is open until what is asked changes; then it is only there to be read."""
    view = await remarked(here)
    path = f"/v1/requests/{view['id']}"
    before = (await here.get("partner", f"{path}/comments")).json()["items"]
    assert [one["open"] for one in before] == [True, True, True]
    await here.post("partner", f"{path}/revisions", {"retention_days": 90})
    after = (await here.get("partner", f"{path}/comments")).json()["items"]
    assert [(one["text"], one["open"]) for one in after] == [(b["text"], False) for b in before]
    async with visiting(here, Role.PARTNER) as (partner,):
        form = (await partner.open(f"/requests/{view['id']}/revise")).text
        itself = (await partner.open(f"/requests/{view['id']}")).text
    assert "Ninety days will do." not in form
    assert "on revision 1" in itself


async def test_a_comparison_keeps_the_comments(here: World) -> None:
    """They stand at their answers also after the form was sent once, whatever was typed."""
    view = await remarked(here)
    path = f"/requests/{view['id']}"
    async with visiting(here, Role.PARTNER) as (partner,):
        wrong = {**FIELDS, "retention_days": "long"}
        page = await sent(partner, f"{path}/revise", "/send", wrong, f"{path}/compare")
    assert page.status_code == 422
    assert "Ninety days will do." in page.text
    described = "h-retention_days e-retention_days c-retention_days"
    assert f'aria-describedby="{described}"' in page.text


async def test_a_reviewer_chooses_the_answer_and_the_partner_answers(here: World) -> None:
    """The reviewer's form offers every answer by its name; the partner's answer reaches them, and
    an empty one is refused with what was chosen kept."""
    view = await here.submitted()
    path = f"/requests/{view['id']}"
    async with visiting(here, Role.PURPOSE_REVIEWER, Role.PARTNER) as (reviewer, partner):
        page = (await reviewer.open(path)).text
        for name in ANSWERS:
            assert f'<option value="{name}">' in page
        words = {"text": "Why a year?", "audience": "partner", "field": "retention_days"}
        assert (await sent(reviewer, path, "/comments", words)).status_code == 303
        asked = await partner.open(path)
        assert "You are asked something" in asked.text
        empty = await sent(partner, path, "/comments", {"text": " ", "field": "retention_days"})
        assert (empty.status_code, "Write something first." in empty.text) == (422, True)
        assert '<option value="retention_days" selected>' in empty.text
        fields = {**forms_of(empty.text, "/comments"), "text": "One study.", "field": ""}
        done = await partner.send(f"{path}/comments", fields)
        assert done.status_code == 303, done.text
        assert "One study." in (await reviewer.open(path)).text
    last = (await here.audit())[-1]
    assert (last["action"], last["actor"]) == ("comment.added", here.partner)


async def test_no_comment_becomes_markup(here: World) -> None:
    """Every text that a script could hide in stands on the partner's pages as text."""
    view = await here.submitted()
    text = "\n".join(one for one in PAYLOADS if one.isprintable())[:4900]
    answer = await said(here, "auditor", view, text, audience="partner", field="title")
    assert answer.status_code == 201, answer.text
    async with visiting(here, Role.PARTNER) as (partner,):
        for path in ("", "/revise"):
            page = (await partner.open(f"/requests/{view['id']}{path}")).text
            assert "<script>alert" not in page
            assert "&lt;script&gt;" in page
