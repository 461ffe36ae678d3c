"""Comments on a request: who writes them, who reads them, and that they stay."""

from typing import Any

from tests.api.test_interests import interest
from tests.api.world import World


async def said(world: World, who: str, view: dict[str, Any], text: str, **more: Any) -> Any:
    """The answer to a comment."""
    return await world.post(who, f"/v1/requests/{view['id']}/comments", {"text": text, **more})


async def read(world: World, who: str, view: dict[str, Any]) -> list[str]:
    """What somebody reads there."""
    answer = await world.get(who, f"/v1/requests/{view['id']}/comments")
    assert answer.status_code == 200, answer.text
    return [one["text"] for one in answer.json()["items"]]


async def test_the_partner_reads_what_is_said_to_it_and_answers(here: World) -> None:
    """Internal comments stay inside; the partner sees the others under a role, and may answer."""
    view = await here.submitted()
    inside = await said(here, "legal_counsel", view, "Odd.", field="retention_days")
    assert (inside.status_code, inside.json()["audience"]) == (201, "internal")
    await said(here, "purpose_reviewer", view, "Why 365 days?", audience="partner")
    answer = await said(here, "partner", view, "For one study.", stage="purpose_review")
    assert (answer.status_code, answer.json()["audience"]) == (201, "partner")
    assert await read(here, "partner", view) == ["Why 365 days?", "For one study."]
    assert await read(here, "auditor", view) == ["Odd.", "Why 365 days?", "For one study."]
    seen = (await here.get("partner", f"/v1/requests/{view['id']}/comments")).json()["items"][0]
    assert seen["author"] == "purpose_reviewer"
    assert "author_name" not in seen
    assert here.people["purpose_reviewer"] not in str(seen)


async def test_a_partner_writes_nothing_internal_and_nothing_on_others_requests(
    here: World,
) -> None:
    """`internal` from a partner is refused with the cure; another's request is absent."""
    view = await here.submitted()
    answer = await said(here, "partner", view, "Hello.", audience="internal")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "audience")
    assert (await said(here, "other", view, "Hello.")).status_code == 404
    assert (await here.get("other", f"/v1/requests/{view['id']}/comments")).status_code == 404


async def test_who_is_recused_reads_and_writes_nothing_internal(here: World) -> None:
    """A recused person sees only what the partner sees too, and what they try to say is refused
    and in the log."""
    view = await here.submitted()
    await said(here, "legal_counsel", view, "Among us.")
    await said(here, "legal_counsel", view, "To you.", audience="partner")
    body = interest("engineer@example.org", kind="equity")
    assert (await here.post("conflict_officer", "/v1/interests", body)).status_code == 201
    assert await read(here, "engineer", view) == ["To you."]
    assert await read(here, "engineer2", view) == ["Among us.", "To you."]
    for audience in ("internal", "partner"):
        refused = await said(here, "engineer", view, "Let it go.", audience=audience)
        assert (refused.status_code, refused.json()["why"]) == (403, "recused")
    last = (await here.audit())[-1]
    assert (last["action"], last["detail"]["why"]) == ("refused.comments.add", "recused")


async def test_a_comment_is_about_an_answer_that_there_is(here: World) -> None:
    """Another field is refused, and the refusal names those that there are."""
    view = await here.submitted()
    answer = await said(here, "auditor", view, "Hm.", field="scope.colour")
    assert answer.status_code == 422
    assert "scope.limit" in answer.json()["errors"][0]["message"]
    assert (await said(here, "auditor", view, "Hm.", field="scope.limit")).status_code == 201
    assert (await said(here, "auditor", view, "Hm.", field="scope")).status_code == 201


async def test_nothing_is_added_to_what_has_ended(here: World) -> None:
    """A withdrawn request takes no comment; what was said before stays readable."""
    view = await here.submitted()
    await said(here, "auditor", view, "Before.")
    await here.post("partner", f"/v1/requests/{view['id']}/withdraw")
    answer = await said(here, "auditor", view, "After.")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert await read(here, "auditor", view) == ["Before."]


async def test_log_and_events_say_that_and_not_what(here: World) -> None:
    """Neither has a word of the text; the partner hears of what is said to it, and of no other."""
    view = await here.submitted()
    await said(here, "legal_counsel", view, "SECRETWORD one")
    await said(here, "legal_counsel", view, "SECRETWORD two", audience="partner")
    entry = [one for one in await here.audit() if one["action"] == "comment.added"]
    assert [one["detail"]["audience"] for one in entry] == ["internal", "partner"]
    told = (await here.get("auditor", "/v1/events", limit=200)).json()
    assert "SECRETWORD" not in str(entry) + str(told)
    kinds = [
        e["type"] for e in (await here.get("partner", "/v1/events", limit=200)).json()["items"]
    ]
    assert "clearance.comment.sent" in kinds
    assert "clearance.comment.added" not in kinds


async def test_comments_are_read_page_by_page(here: World) -> None:
    """A cursor goes on where the page before ended."""
    view = await here.submitted()
    for number in range(3):
        await said(here, "auditor", view, f"{number}")
    path = f"/v1/requests/{view['id']}/comments"
    first = (await here.get("auditor", path, limit=2)).json()
    rest = (await here.get("auditor", path, limit=2, cursor=first["next"])).json()
    assert [one["text"] for one in (*first["items"], *rest["items"])] == ["0", "1", "2"]
    assert rest["next"] is None
