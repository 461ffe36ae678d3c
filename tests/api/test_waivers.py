"""Waivers: two people without an interest, for the kinds that may be waived, on one request."""

from typing import Any

import pytest

from sharing.stages import GATES
from tests.api.test_interests import interest
from tests.api.world import World


async def gift(world: World, who: str, kind: str = "gift") -> str:
    """An interest of somebody in the first partner; its id."""
    body = interest(f"{who}@example.org", kind=kind)
    return str((await world.post("conflict_officer", "/v1/interests", body)).json()["id"])


async def asked(world: World, view: dict[str, Any], who: str, interest_id: str) -> Any:
    """The answer to a conflict officer who asks for a waiver."""
    body = {"person": f"{who}@example.org", "interest": interest_id, "reason": "A calendar."}
    return await world.post("conflict_officer", f"/v1/requests/{view['id']}/waivers", body)


async def agreed(world: World, view: dict[str, Any], waiver: str, who: str) -> Any:
    """The answer to somebody who agrees to a waiver."""
    path = f"/v1/requests/{view['id']}/waivers/{waiver}/approve"
    return await world.post(who, path, {"reason": "Worth nothing."})


async def test_two_people_let_a_third_decide_in_spite_of_a_gift(there: World) -> None:
    """Recused for a gift, waived by conflict officer and counsel, a reviewer decides; who waived
    it and why is shown at the decision, inside and nowhere else."""
    view = await there.submitted()
    interest_id = await gift(there, "purpose_reviewer")
    made = (await asked(there, view, "purpose_reviewer", interest_id)).json()
    assert (made["granted"], len(made["approvals"])) == (False, 1)
    answer = await there.decide(view, "purpose_review")
    assert (answer.status_code, answer.json()["why"]) == (403, "recused")
    for who in ("conflict_officer", "purpose_reviewer", "engineer", "admin", "partner"):
        assert (await agreed(there, view, made["id"], who)).status_code == 403
    granted = await agreed(there, view, made["id"], "legal_counsel")
    assert (granted.status_code, granted.json()["granted"]) == (201, True)
    assert (await there.decide(view, "purpose_review")).status_code == 201
    seen = await there.seen(view)
    waiver = seen["stages"][0]["decisions"][0]["waiver"]
    assert [one["person"] for one in waiver["approvals"]] == [
        there.people["conflict_officer"], there.people["legal_counsel"],
    ]  # fmt: skip
    assert [one["reason"] for one in waiver["approvals"]] == ["A calendar.", "Worth nothing."]
    assert seen["waivers"] == [waiver]
    partners = (await there.get("partner", f"/v1/requests/{view['id']}")).json()
    assert "waiver" not in str(partners)
    actions = [one["action"] for one in await there.audit()]
    for action in ("waiver.asked", "waiver.agreed", "waiver.granted"):
        assert action in actions
    # What was waived stays waived as the screening at gate 3 finds the same interest again.
    for stage in GATES[1:]:
        assert (await there.decide(view, stage)).status_code == 201, stage
    await there.seen(view, "cleared")


@pytest.mark.parametrize("kind", ["equity", "fund", "board", "employment", "family"])
async def test_some_interests_are_never_waived(shared: World, kind: str) -> None:
    """A waiver of any other kind of interest is refused, and the refusal names the kinds."""
    view = await shared.submitted()
    answer = await asked(shared, view, "engineer", await gift(shared, "engineer", kind))
    assert answer.status_code == 422
    assert "gift or other" in answer.json()["errors"][0]["message"]


async def test_what_cannot_be_waived_is_refused(here: World) -> None:
    """A waiver of an interest that recuses nobody here, of nobody, twice, on a request that has
    ended, or by a conflict officer whose own interest it is: refused, or worth nothing alone."""
    view = await here.submitted()
    interest_id = await gift(here, "purpose_reviewer")
    assert (await asked(here, view, "nobody", interest_id)).status_code == 422
    assert (await asked(here, view, "engineer", interest_id)).status_code == 422
    assert (await asked(here, view, "purpose_reviewer", "int_0")).status_code == 422
    assert (await asked(here, view, "purpose_reviewer", interest_id)).status_code == 201
    answer = await asked(here, view, "purpose_reviewer", interest_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "exists")
    own = await gift(here, "conflict_officer")
    made = (await asked(here, view, "conflict_officer", own)).json()
    assert made["approvals"] == []
    absent = await agreed(here, view, "wvr_0", "legal_counsel")
    assert absent.status_code == 404
    assert (await agreed(here, view, made["id"], "auditor")).json()["granted"] is False
    again = await agreed(here, view, made["id"], "auditor")
    assert (again.status_code, again.json()["why"]) == (403, "same_person")
    await here.post("partner", f"/v1/requests/{view['id']}/withdraw")
    answer = await agreed(here, view, made["id"], "legal_counsel")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
