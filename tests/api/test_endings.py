"""How a request ended is told to people inside: what came of it, by whom, and what comes next."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sharing.records import requests
from sharing.records.unit import Unit
from sharing.request import moment
from sharing.stages import RequestState, Role
from tests.api.test_exports import delivered
from tests.api.visitor import visiting
from tests.api.world import World


async def told(world: World, view: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The ending as the API has it, and the box beside the request, as an auditor reads it."""
    async with visiting(world, Role.AUDITOR) as (auditor,):
        page = await auditor.open(f"/requests/{view['id']}")
    assert page.status_code == 200, page.text
    box = page.text.partition('<aside class="act"')[2].partition("</aside>")[0]
    now = await world.seen(view)
    assert (await world.get("partner", f"/v1/requests/{view['id']}")).json().get("ending") is None
    return now["ending"], box


async def test_what_goes_on_has_no_ending(here: World) -> None:
    """An open request has none."""
    view = await here.submitted()
    assert (await here.seen(view))["ending"] is None


async def test_a_refusal_has_a_person_and_a_reason(here: World) -> None:
    """Who refused it, where, and why; and that nothing was shared."""
    view = await here.submitted()
    await here.decide(view, "purpose_review", "refused", reason="People were told otherwise.")
    ending, box = await told(here, view)
    assert (ending["by"], ending["stage"], ending["share"]) == (
        here.people["purpose_reviewer"], "purpose_review", None,
    )  # fmt: skip
    assert "People were told otherwise." in box
    assert "Nothing was shared." in box


async def test_a_withdrawal_is_the_partners(here: World) -> None:
    """Who no longer asked, and when."""
    view = await here.submitted()
    await here.post("partner", f"/v1/requests/{view['id']}/withdraw")
    ending, box = await told(here, view)
    assert (ending["state"], ending["by"]) == ("withdrawn", here.partner)
    assert ending["at"] is not None
    assert "The partner no longer asks." in box
    assert "public register" not in box


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RequestState.PURPOSE_REVIEW, "Nobody decided in time at purpose review."),
        (RequestState.RETURNED, "The partner was asked to change something"),
    ],
)
async def test_what_ran_out_says_where(here: World, state: RequestState, words: str) -> None:
    """A deadline is nobody's act; the ending says at what the time ran out."""
    view = await here.submitted()

    def lapse(unit: Unit) -> None:
        row = requests.get(unit.session, view["id"])
        requests.end(row, RequestState.EXPIRED)
        unit.tell("request.expired", row.id, partner_id=row.partner_id, request_id=row.id,
                  waited_at=str(state))  # fmt: skip

    await here.database.write(lapse)
    ending, box = await told(here, view)
    assert (ending["stage"], ending["by"]) == (state, None)
    assert words in box


async def test_a_delivery_says_what_is_owed(there: World, tmp_path: Path) -> None:
    """Two engineers by name, how much left, until when it may be kept, and each duty by its date in
    words that people say."""
    export = await delivered(there, tmp_path)
    ending, box = await told(there, {"id": export["request"]})
    share = ending["share"]
    assert (ending["by"], share["confirmed_by"]) == (
        there.people["engineer"], there.people["engineer2"],
    )  # fmt: skip
    kept = moment(share["keep_until"])
    ended = moment(ending["at"])
    assert kept is not None
    assert ended is not None
    assert kept - ended == timedelta(days=365)
    assert {one["action"] for one in share["duties"]} >= {"erase", "attest_erasure"}
    assert share["acknowledged_at"] is None
    for words in ("Attest the erasure", "has not acknowledged", "6</b> objects left"):
        assert words in box
    view = await there.seen({"id": export["request"]})
    found = {f["check"]: f["detail"] for s in view["stages"] for f in s["findings"]}
    assert "attest the erasure" in found["agreement_terms"]
    assert "_" not in found["agreement_terms"]
