"""Requests over HTTP: submit, read, amend, decide, withdraw, trigger."""

from tests.api.world import World


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
