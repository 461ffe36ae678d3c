"""The sign-off in the form at gate 3 names whom the record recuses, not whom screening finds."""

from typing import Any

from sharing.stages import Role
from tests.api.test_interests import interest
from tests.api.test_waivers import agreed, asked, gift
from tests.api.visitor import Visitor, visiting
from tests.api.world import World


async def at_gate_3(world: World) -> dict[str, Any]:
    """A request that waits for a conflict officer."""
    view = await world.submitted()
    for stage in ("purpose_review", "consent_verification"):
        assert (await world.decide(view, stage)).status_code == 201
    return view


async def signed(visitor: Visitor, view: dict[str, Any], **changes: Any) -> Any:
    """The answer to an approval that was signed as the form has it."""
    form = await visitor.form(f"/requests/{view['id']}", "/decide")
    said = {"outcome": "approved", "reason": "Read.", "no_interest": "yes", "screening_read": "yes"}
    return await visitor.send(form.action, {**form.fields, **said, **changes})


async def sign_off(world: World, view: dict[str, Any]) -> Any:
    """What is on record beside the decision at gate 3."""
    return (await world.seen(view))["stages"][2]["decisions"][0]["sign_off"]


async def test_a_waived_interest_is_found_and_recuses_nobody(here: World) -> None:
    """Screening still finds the engineer's gift; the waiver lifts it; the form signs for nobody."""
    view = await at_gate_3(here)
    made = (await asked(here, view, "engineer", await gift(here, "engineer"))).json()
    assert (await agreed(here, view, made["id"], "legal_counsel")).json()["granted"] is True
    async with visiting(here, Role.CONFLICT_OFFICER) as (officer,):
        page = (await officer.open(f"/requests/{view['id']}")).text
        assert "sign that nobody is recused" in page
        assert "gift" in page
        assert (await signed(officer, view)).status_code == 303
    assert (await sign_off(here, view))["recused"] == []


async def test_who_is_recused_is_named_once_whatever_they_hold(here: World) -> None:
    """Two interests of one person, one of them waived: the form names them once, and is taken."""
    view = await at_gate_3(here)
    made = (await asked(here, view, "engineer", await gift(here, "engineer"))).json()
    await agreed(here, view, made["id"], "legal_counsel")
    await gift(here, "engineer", "equity")
    async with visiting(here, Role.CONFLICT_OFFICER) as (officer,):
        form = await officer.form(f"/requests/{view['id']}", "/decide")
        assert form.fields["recused"] == [here.people["engineer"]]
        assert (await signed(officer, view)).status_code == 303
    assert (await sign_off(here, view))["recused"] == [here.people["engineer"]]


async def test_an_interest_declared_meanwhile_has_to_be_read(here: World) -> None:
    """Somebody declares an interest after the form was opened: it is not recorded, the page says
    who else is recused, and the tick is open again."""
    view = await at_gate_3(here)
    async with visiting(here, Role.CONFLICT_OFFICER) as (officer,):
        form = await officer.form(f"/requests/{view['id']}", "/decide")
        body = interest("engineer@example.org", kind="equity")
        await here.post("conflict_officer", "/v1/interests", body)
        said = {"outcome": "approved", "reason": "Read.", "no_interest": "yes"}
        answer = await officer.send(form.action, {**form.fields, **said, "screening_read": "yes"})
        assert answer.status_code == 422
        assert "Who is recused changed while you read" in answer.text
        assert "these are recused: engineer" in answer.text
        assert 'name="screening_read" id="f-sign_off-recused" value="yes" aria' in answer.text
        assert (await here.seen(view))["stages"][2]["decisions"] == []
        assert (await signed(officer, view)).status_code == 303
