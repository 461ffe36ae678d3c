"""Drafts over the API: incomplete, one's own, and gone once they are deleted."""

from tests.api.test_exports import code
from tests.api.world import World

DRAFTS = "/v1/drafts"


async def test_a_draft_may_be_incomplete(there: World) -> None:
    """What does not hold yet is kept as it is, changed, listed by the last change, and deleted."""
    half = {"title": "Half", "scope": {"limit": "many"}, "sponsor": ""}
    first = await there.post("partner", DRAFTS, half)
    assert first.status_code == 201, first.text
    assert first.json()["body"] == {"title": "Half", "scope": {"limit": "many"}}
    second = (await there.post("partner", DRAFTS, {})).json()
    path = f"{DRAFTS}/{first.json()['id']}"
    changed = await there.call("partner", "PUT", path, {"title": "Whole"})
    assert (changed.status_code, changed.json()["body"]) == (200, {"title": "Whole"})
    listed = (await there.get("partner", DRAFTS, limit=1)).json()
    assert [one["title"] for one in listed["items"]] == ["Whole"]
    rest = (await there.get("partner", DRAFTS, cursor=listed["next"])).json()
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([second["id"]], None)
    assert (await there.call("partner", "DELETE", path)).json()["deleted"] is True
    assert code(await there.get("partner", path)) == (404, "not_found", "")
    kept = [e for e in await there.audit() if e["action"].startswith("draft.")]
    assert [e["action"] for e in kept] == ["draft.kept"] * 3 + ["draft.deleted"]
    assert {e["actor"] for e in kept} == {there.partner}


async def test_anothers_draft_is_not_there(here: World) -> None:
    """Another partner's draft can be neither read, changed, deleted nor listed."""
    made = (await here.post("partner", DRAFTS, {"title": "Mine"})).json()
    path = f"{DRAFTS}/{made['id']}"
    assert code(await here.get("other", path)) == (404, "not_found", "")
    for method in ("PUT", "DELETE"):
        answer = await here.call("other", method, path, {} if method == "PUT" else None)
        assert code(answer) == (404, "not_found", "")
    assert (await here.get("other", DRAFTS)).json()["items"] == []
    assert (await here.get("partner", path)).json()["title"] == "Mine"


async def test_a_draft_is_told_to_nobody(here: World) -> None:
    """People inside see no event of a draft."""
    await here.post("partner", DRAFTS, {"title": "Mine"})
    assert "draft" not in (await here.get("admin", "/v1/events", limit=200)).text


async def test_there_are_so_many_drafts_and_no_more(here: World) -> None:
    """The fifty-first draft is refused; after one was deleted there is room again."""
    made = [await here.post("partner", DRAFTS, {}) for _ in range(50)]
    assert {one.status_code for one in made} == {201}
    assert code(await here.post("partner", DRAFTS, {})) == (429, "limit_reached", "")
    await here.call("partner", "DELETE", f"{DRAFTS}/{made[0].json()['id']}")
    assert (await here.post("partner", DRAFTS, {})).status_code == 201


async def test_a_draft_holds_only_what_a_request_has(here: World) -> None:
    """A field that no request has is refused by name."""
    answer = await here.post("partner", DRAFTS, {"titel": "x"})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "titel")
