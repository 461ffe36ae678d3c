"""An interest ends, or is said better: what it brought about stays, and nobody gets rid of one by
their own word."""

from datetime import timedelta
from typing import Any

from sharing.records.tables import now
from tests.api.test_interests import interest
from tests.api.world import World


async def declared(world: World, who: str = "purpose_reviewer", **changes: object) -> str:
    """An interest of somebody in the first partner, declared by themselves."""
    answer = await world.post(who, "/v1/interests", interest(world.people[who], **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def ended(world: World, which: str, who: str = "purpose_reviewer", **changes: object) -> int:
    """The status of saying that an interest has ended."""
    body = {"until": "2024-05-01", "reason": "I sold them.", **changes}
    return (await world.post(who, f"/v1/interests/{which}/end", body)).status_code


async def test_an_ended_interest_recuses_from_what_comes_later_no_more(there: World) -> None:
    """As the conflict officer says. Recusal from a request on record stays; from the next one there
    is none; nothing is left to declare, so the statement may say so."""
    first = await there.submitted()
    which = await declared(there)
    nothing = {"nothing_to_declare": True}
    assert (await there.post("purpose_reviewer", "/v1/declarations", nothing)).status_code == 422
    assert await ended(there, which, "conflict_officer") == 201
    assert (await there.decide(first, "purpose_review")).json()["why"] == "recused"
    second = await there.submitted(title="Later")
    assert (await there.decide(second, "purpose_review")).status_code == 201
    assert (await there.post("purpose_reviewer", "/v1/declarations", nothing)).status_code == 201
    listed = (await there.get("purpose_reviewer", "/v1/interests")).json()["items"]
    assert (listed[0]["ended"]["until"], listed[0]["ended"]["reason"]) == (
        "2024-05-01", "I sold them.",
    )  # fmt: skip
    assert "interest.ended" in [entry["action"] for entry in await there.audit()]


async def test_nobody_gets_rid_of_an_interest_by_their_own_word(there: World) -> None:
    """Who says that their own has ended, or declares another in its place, is recused by it for a
    year from then on, and may not state that there is nothing."""
    which = await declared(there)
    assert await ended(there, which) == 201
    second = await declared(there, "legal_counsel")
    harmless = interest(
        there.people["legal_counsel"], replaces=second, organisation={"name": "Nobody Ltd"}
    )
    assert (await there.post("legal_counsel", "/v1/interests", harmless)).status_code == 201
    view = await there.submitted()
    assert (await there.decide(view, "purpose_review")).json()["why"] == "recused"
    nothing = {"nothing_to_declare": True}
    assert (await there.post("purpose_reviewer", "/v1/declarations", nothing)).status_code == 422
    found = (await there.get("conflict_officer", "/v1/interests/screening")).json()["matches"]
    people = {there.people[role] for role in ("purpose_reviewer", "legal_counsel")}
    assert {one["person"] for one in found} == people
    listed = (await there.get("purpose_reviewer", "/v1/interests")).json()["items"]
    a_year = (now() + timedelta(days=365)).date().isoformat()
    assert listed[0]["ended"]["counts_until"] == a_year


async def test_the_last_day_still_counts(there: World) -> None:
    """What ended today leads to the partner until midnight, as on any last day."""
    which = await declared(there)
    today = now().date().isoformat()
    assert await ended(there, which, "conflict_officer", until=today) == 201
    view = await there.submitted()
    assert (await there.decide(view, "purpose_review")).json()["why"] == "recused"


async def test_an_end_is_said_once_and_makes_sense(there: World) -> None:
    """Not before it began, not in the future, not twice, not without a reason."""
    which = await declared(there)
    assert await ended(there, which, until="2019-12-31") == 422
    assert await ended(there, which, until="2999-12-31") == 422
    assert await ended(there, which, reason=" ") == 422
    assert await ended(there, which) == 201
    assert await ended(there, which) == 409


async def test_whose_it_is_ends_it_or_the_conflict_officer(there: World) -> None:
    """To a colleague it is as good as absent; an auditor sees it and may not."""
    which = await declared(there)
    assert await ended(there, which, "engineer") == 404
    assert await ended(there, which, "auditor") == 403
    assert await ended(there, which, "conflict_officer") == 201


async def test_an_interest_is_said_better(there: World) -> None:
    """A declaration in the place of another ends that one, names it in the log, and screens by its
    own words; another person's is never replaced."""
    which = await declared(there, organisation={"name": "Acmee Limitedd"})
    who = there.people["purpose_reviewer"]
    better = interest(who, replaces=which)
    answer = await there.post("purpose_reviewer", "/v1/interests", better)
    assert answer.status_code == 201
    listed = (await there.get("purpose_reviewer", "/v1/interests")).json()["items"]
    assert {one["id"]: bool(one["ended"]) for one in listed} == {
        which: True,
        answer.json()["id"]: False,
    }
    entry = [e for e in await there.audit() if e["action"] == "interest.declared"][-1]
    assert entry["detail"]["replaces"] == which
    foreign = interest(there.people["engineer"], replaces=answer.json()["id"])
    refused = await there.post("engineer", "/v1/interests", foreign)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "replaces")
    twice = await there.post("purpose_reviewer", "/v1/interests", better)
    assert twice.status_code == 409


async def test_what_screening_finds_around_all_requests(there: World) -> None:
    """The conflict officer sees each match and each name to rule on once, however many requests
    there are, and an end takes it out; others do not see it."""
    for title in ("One", "Two"):
        await there.submitted(title=title)
    which = await declared(there)
    await declared(there, "engineer", organisation={"name": "Acmee Limited"})
    found = (await there.get("conflict_officer", "/v1/interests/screening")).json()
    assert found["requests"] == 2
    assert [m["person"] for m in found["matches"]] == [there.people["purpose_reviewer"]]
    assert [(a["named"], a["ruling"]) for a in found["names_alike"]] == [("Acmee Limited", None)]
    await ended(there, which, "conflict_officer")
    found = (await there.get("auditor", "/v1/interests/screening")).json()
    assert found["matches"] == []
    assert (await there.get("engineer", "/v1/interests/screening")).status_code == 403


async def confirmed(world: World, which: str, who: str = "conflict_officer") -> Any:
    """The answer to a confirmation of an end."""
    body = {"reason": "The broker's letter of 3 May."}
    return await world.post(who, f"/v1/interests/{which}/end/confirm", body)


async def test_a_conflict_officer_confirms_an_end(there: World) -> None:
    """What somebody said of their own counts at once then, for requests to come; it is in the log
    and told, and the list of what waits for it is empty again."""
    which = await declared(there)
    first = await there.submitted()
    assert await ended(there, which) == 201
    waits = (await there.get("conflict_officer", "/v1/interests", to_confirm=True)).json()["items"]
    assert [(one["id"], one["ended"]["to_confirm"]) for one in waits] == [(which, True)]
    answer = await confirmed(there, which)
    assert answer.status_code == 201, answer.text
    assert answer.json()["counts_until"] == "2024-05-01"
    assert answer.json()["confirmed"]["by"] == there.people["conflict_officer"]
    assert (await there.decide(first, "purpose_review")).json()["why"] == "recused"
    second = await there.submitted(title="Later")
    assert (await there.decide(second, "purpose_review")).status_code == 201
    nothing = {"nothing_to_declare": True}
    assert (await there.post("purpose_reviewer", "/v1/declarations", nothing)).status_code == 201
    waits = (await there.get("conflict_officer", "/v1/interests", to_confirm=True)).json()["items"]
    assert waits == []
    assert "interest.end_confirmed" in [entry["action"] for entry in await there.audit()]
    told = (await there.get("auditor", "/v1/events", limit=200)).json()["items"]
    assert "clearance.interest.end_confirmed" in [one["type"] for one in told]


async def test_only_an_end_by_ones_own_word_is_confirmed(there: World) -> None:
    """Without an end there is nothing to confirm, nor where it counts already, nor twice; nobody
    but a conflict officer does it, and each attempt is in the log."""
    which, other = await declared(there), await declared(there, "legal_counsel")
    assert (await confirmed(there, which)).json()["code"] == "wrong_state"
    assert await ended(there, which) == 201
    assert (await confirmed(there, which, "auditor")).status_code == 403
    assert (await confirmed(there, which)).status_code == 201
    assert (await confirmed(there, which)).json()["code"] == "wrong_state"
    assert await ended(there, other, "conflict_officer") == 201
    assert (await confirmed(there, other)).json()["code"] == "wrong_state"
    last = (await there.audit())[-1]
    assert last["action"] == "refused.interests.confirm_end"


async def test_nobody_confirms_their_own(there: World) -> None:
    """A conflict officer's own end waits for another officer; another account of theirs is no
    other officer."""
    which = await declared(there, "conflict_officer")
    assert await ended(there, which, "conflict_officer") == 201
    answer = await confirmed(there, which)
    assert (answer.status_code, answer.json()["code"]) == (403, "four_eyes")
    second = {"name": "Second", "email": "second@example.org", "roles": ["conflict_officer"]}
    made = (await there.post("admin", "/v1/people", second)).json()
    token = {"person": made["id"], "role": "conflict_officer"}
    there.tokens["second"] = (await there.post("admin", "/v1/tokens", token)).json()["token"]
    path = f"/v1/people/{made['id']}/links"
    mine = {"same_as": there.people["conflict_officer"]}
    assert (await there.post("admin", path, mine)).status_code == 201
    answer = await confirmed(there, which, "second")
    assert (answer.status_code, answer.json()["code"]) == (403, "four_eyes")
