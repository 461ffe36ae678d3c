"""Requests over HTTP: submit, read, amend, decide, withdraw, trigger."""

import pytest

from tests.api.world import World
from workflows.messages import Progress


async def test_a_request_passes_four_gates_and_is_triggered(there: World) -> None:
    """A request that four people approved is cleared, and an engineer's trigger makes an export."""
    view = await there.cleared()
    assert [s["outcome"] for s in view["stages"][:4]] == ["approved"] * 4
    assert view["waiting_for"]["stage"] == "export"
    assert set(view["waiting_for"]["people"]) == {
        there.people["engineer"],
        there.people["engineer2"],
    }
    answer = await there.post(
        "engineer", f"/v1/requests/{view['id']}/exports", {"digest": view["digest"]}
    )
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "awaiting_confirmation"


async def test_a_count_under_way_is_shown_to_people_inside(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first gate and the second a request says how far the count of its scope has
    come; not to the partner, who would learn how much is held, and not once a gate is open."""

    async def not_yet(_: str) -> None:
        """The findings are being gathered."""

    view = await there.submitted()
    there.engine.counted[view["id"]] = Progress("events", 2_000, 5_000)
    assert (await there.seen(view))["counting"] is None
    monkeypatch.setattr(there.engine, "_open_next", not_yet)
    assert (await there.decide(view, "purpose_review")).status_code == 201
    told = {"step": "events", "done": 2_000, "total": 5_000}
    assert (await there.seen(view, "purpose_review"))["counting"] == told
    partners = (await there.get("partner", f"/v1/requests/{view['id']}")).json()
    assert partners["counting"] is None
    there.engine.counted.clear()
    assert (await there.seen(view))["counting"] is None
