"""Interests over HTTP: declared for oneself, or by the conflict officer; they recuse at once."""

from typing import Any

from tests.api.world import LEI, World


def interest(person: str, **changes: Any) -> dict[str, Any]:
    """A tie of somebody to the first partner."""
    return {
        "person": person,
        "organisation": {"name": "Acme Limited"},
        "kind": "equity",
        "from": "2020-01-01",
        "until": None,
        "detail": "Shares worth 2,000.",
        **changes,
    }


async def test_a_declared_interest_recuses_at_once(there: World) -> None:
    """Whoever declares a tie to the partner can no longer decide on its open request."""
    view = await there.submitted()
    own = interest(there.people["purpose_reviewer"])
    told = (await there.post("purpose_reviewer", "/v1/interests", own)).json()
    assert told["recused_from"] == [view["id"]]
    answer = await there.decide(view, "purpose_review")
    assert (answer.status_code, answer.json()["why"]) == (403, "recused")
    assert (await there.seen(view))["waiting_for"]["people"] == []
    assert (await there.get("purpose_reviewer", "/v1/reviews")).json()["items"] == []
    actions = [entry["action"] for entry in await there.audit()]
    assert actions[-3:] == ["interest.declared", "person.recused", "refused.requests.decide"]
    events = (await there.get("auditor", "/v1/events", limit=200)).json()["items"]
    assert "clearance.person.recused" in [event["type"] for event in events]


async def test_the_partner_is_found_by_its_identifier(here: World) -> None:
    """A tie under another name but the partner's LEI recuses too."""
    view = await here.submitted()
    organisation = {"name": "Formerly Something Else", "lei": LEI.lower()}
    body = interest("engineer@example.org", organisation=organisation)
    told = (await here.post("conflict_officer", "/v1/interests", body)).json()
    assert told["recused_from"] == [view["id"]]
    assert told["organisation"]["lei"] == LEI


async def test_a_tie_elsewhere_or_in_the_past_recuses_nobody(here: World) -> None:
    """An interest in another organisation, or one that ended, leaves the person free to decide."""
    view = await here.submitted()
    me = here.people["purpose_reviewer"]
    for body in (
        interest(me, organisation={"name": "Elsewhere"}),
        interest(me, until="2021-01-01"),
    ):
        told = (await here.post("purpose_reviewer", "/v1/interests", body)).json()
        assert told["recused_from"] == []
    assert (await here.decide(view, "purpose_review")).status_code == 201


async def test_only_the_conflict_officer_declares_for_others(here: World) -> None:
    """Another's interest is refused to all but the conflict officer, known person or not."""
    for person in (here.people["engineer"], "per_0", "nobody@example.org"):
        answer = await here.post("purpose_reviewer", "/v1/interests", interest(person))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    answer = await here.post("conflict_officer", "/v1/interests", interest(here.people["engineer"]))
    assert answer.status_code == 201


async def test_one_sees_ones_own_interests(here: World) -> None:
    """A list of interests holds one's own, and everybody's for the conflict officer."""
    await here.post("conflict_officer", "/v1/interests", interest("engineer@example.org"))
    await here.post("legal_counsel", "/v1/interests", interest("legal_counsel@example.org"))
    own = (await here.get("engineer", "/v1/interests")).json()["items"]
    assert [one["person"] for one in own] == [here.people["engineer"]]
    assert len((await here.get("conflict_officer", "/v1/interests")).json()["items"]) == 2
