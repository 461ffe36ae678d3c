"""What an interest that becomes known does to what was decided, as seen over HTTP."""

from typing import Any

from sharing.export import releases
from sharing.records import exports
from sharing.records.exports import Release
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import GATES, Stage
from tests.api.test_interests import interest
from tests.api.world import World


async def second(world: World, role: str) -> str:
    """Another person with a role, who is known to the world by that role and a 2."""
    person = {"name": "Another", "email": f"another.{role}@example.org", "roles": [role]}
    made = (await world.post("admin", "/v1/people", person)).json()
    token = (await world.post("admin", "/v1/tokens", {"person": made["id"], "role": role})).json()
    world.tokens[f"{role}2"], world.people[f"{role}2"] = token["token"], made["id"]
    return f"{role}2"


def taken(view: dict[str, Any], stage: str) -> list[dict[str, Any]]:
    """The decisions at a gate."""
    found: list[dict[str, Any]] = view["stages"][GATES.index(Stage(stage))]["decisions"]
    return found


async def test_it_takes_a_decision_back_and_the_gate_waits_again(there: World) -> None:
    """A conflict officer declares a decider's interest on a cleared request: the answer names the
    decision that counts no longer, the process hears of it, the gate is open for somebody else, and
    the partner learns of no interest."""
    view = await there.cleared()
    body = interest("legal_counsel@example.org")
    told = (await there.post("conflict_officer", "/v1/interests", body)).json()
    seen = await there.seen(view, "legal_approval")
    (gone,) = taken(seen, "legal_approval")
    assert told["voided"] == [gone["id"]]
    assert (gone["void"], gone["voided"]["reason"]) == (True, "interest")
    assert gone["voided"]["interest"] == told["id"]
    assert there.engine.looked == [view["id"]]
    answer = await there.post(
        "engineer", f"/v1/requests/{view['id']}/exports", {"digest": view["digest"]}
    )
    assert answer.json()["code"] == "not_cleared"
    partners = (await there.get("partner", f"/v1/requests/{view['id']}")).json()
    assert taken(partners, "legal_approval")[0]["void"] is True
    assert "interest" not in str(partners["stages"][3])
    assert "late_interests" not in partners
    assert partners["waiting_for"]["roles"] == ["legal_counsel"]
    who = await second(there, "legal_counsel")
    assert (await there.decide(view, "legal_approval", who=who)).status_code == 201
    assert (await there.seen(view, "cleared"))["digest"] == view["digest"]


async def test_after_delivery_a_conflict_officer_has_to_look(there: World) -> None:
    """An interest found after the delivery stands at the request and in the conflict officer's
    reviews until an officer without one says what they make of it, once and for good."""
    view = await there.cleared()
    await delivered(there, view)
    body = interest("legal_counsel@example.org")
    told = (await there.post("conflict_officer", "/v1/interests", body)).json()
    assert (told["voided"], told["marked"]) == ([], [view["id"]])
    (review,) = (await there.get("conflict_officer", "/v1/reviews")).json()["items"]
    assert (review["request"], review["act"]) == (view["id"], "look_at_late_interest")
    (late,) = (await there.seen(view, "delivered"))["late_interests"]
    assert (late["interest"], late["kind"], late["looked_at"]) == (told["id"], "equity", None)
    assert late["acted_at"] == ["legal_approval"]
    path = f"/v1/requests/{view['id']}/late-interests/{told['id']}/look"
    note = {"note": "Told the board; the partner was asked to delete."}
    for who in ("legal_counsel", "auditor", "admin"):
        assert (await there.post(who, path, note)).status_code == 403
    assert (await there.post("conflict_officer", path, {})).status_code == 422
    absent = path.replace(told["id"], "int_0")
    assert (await there.post("conflict_officer", absent, note)).status_code == 404
    assert (await there.post("conflict_officer", path, note)).status_code == 201
    assert (await there.post("conflict_officer", path, note)).status_code == 409
    (late,) = (await there.seen(view))["late_interests"]
    assert late["looked_at"]["by"] == there.people["conflict_officer"]
    assert late["looked_at"]["note"] == note["note"]
    assert (await there.get("conflict_officer", "/v1/reviews")).json()["items"] == []
    body = interest("conflict_officer@example.org")
    own = await there.post("conflict_officer", "/v1/interests", body)
    assert own.json()["marked"] == [view["id"]]
    assert (await there.get("conflict_officer", "/v1/reviews")).json()["items"] == []
    path = path.replace(told["id"], own.json()["id"])
    answer = await there.post("conflict_officer", path, note)
    assert (answer.status_code, answer.json()["why"]) == (403, "recused")


async def delivered(world: World, view: dict[str, Any]) -> None:
    """The request's package, as two engineers and the export worker would record it."""
    path = f"/v1/requests/{view['id']}/exports"
    export = (await world.post("engineer", path, {"digest": view["digest"]})).json()["id"]
    await world.post("engineer2", f"/v1/exports/{export}/confirm")

    def release(unit: Unit) -> None:
        row = exports.get(unit.session, export)
        unit.session.add(
            Release(
                export_id=export, request_id=view["id"], digest=view["digest"], fence=row.fence,
                consent_position=0, objects=0, bytes=0, manifest_sha256="m", envelope="{}",
                released_at=now(),
            )
        )  # fmt: skip
        unit.session.flush()
        releases.delivered(unit, export, "/there")

    await world.database.write(release)


async def test_a_partner_does_not_learn_of_an_engineers_interest(here: World) -> None:
    """The export of an engineer with an interest is cancelled: people inside see why, the partner
    only that it was."""
    view = await here.cleared()
    path = f"/v1/requests/{view['id']}/exports"
    await here.post("engineer", path, {"digest": view["digest"]})
    await here.post("conflict_officer", "/v1/interests", interest("engineer@example.org"))
    (inside,) = (await here.seen(view, "cleared"))["exports"]
    assert (inside["state"], inside["code"]) == ("cancelled", "engineer_recused")
    partners = (await here.get("partner", f"/v1/requests/{view['id']}")).json()
    assert partners["exports"][0]["code"] == "export_cancelled"
    assert "recused" not in str(partners)
    answer = await here.post("engineer2", path, {"digest": view["digest"]})
    assert answer.status_code == 202


async def test_it_is_recorded_also_while_the_engine_is_away(here: World) -> None:
    """An interest is kept, with all that follows, although the process cannot be told."""
    view = await here.cleared()
    here.engine.away = True
    body = interest("legal_counsel@example.org")
    answer = await here.post("conflict_officer", "/v1/interests", body)
    assert (answer.status_code, len(answer.json()["voided"])) == (201, 1)
    here.engine.away = False
    await here.seen(view, "legal_approval")


async def test_an_approval_is_taken_back_by_its_decider(there: World) -> None:
    """A decider takes an approval back until the next gate has decided, once or twice with one
    effect, and may decide again; nobody else can, and a refusal says why."""
    view = await there.submitted()
    await there.decide(view, "purpose_review")
    (first,) = taken(await there.seen(view), "purpose_review")
    path = f"/v1/requests/{view['id']}/decisions/{first['id']}/take-back"
    answer = await there.post("legal_counsel", path, {})
    assert (answer.status_code, answer.json()["why"]) == (403, "not_yours")
    for _ in range(2):
        answer = await there.post("purpose_reviewer", path, {"reason": "I misread it."})
        assert answer.status_code == 200, answer.text
    seen = await there.seen(view, "purpose_review")
    (gone,) = taken(seen, "purpose_review")
    assert (gone["voided"]["reason"], gone["voided"]["note"]) == ("taken_back", "I misread it.")
    assert seen["waiting_for"]["people"] == [there.people["purpose_reviewer"]]
    assert (await there.decide(view, "purpose_review")).status_code == 201
    assert (await there.decide(view, "consent_verification")).status_code == 201
    again = taken(await there.seen(view), "purpose_review")[1]
    path = f"/v1/requests/{view['id']}/decisions/{again['id']}/take-back"
    answer = await there.post("purpose_reviewer", path, {})
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    path = f"/v1/requests/{view['id']}/decisions/dec_0/take-back"
    assert (await there.post("purpose_reviewer", path, {})).status_code == 404
    actions = [entry["action"] for entry in await there.audit()]
    assert actions.count("decision.voided") == 1


async def test_linked_accounts_decide_once(there: World) -> None:
    """Two accounts of one person that both decided: once an admin links them, the later decision
    counts no longer, and the link is there for good."""
    view = await there.cleared()
    path = f"/v1/people/{there.people['purpose_reviewer']}/links"
    for body in ({}, {"same_as": "nobody"}, {"same_as": "purpose_reviewer@example.org"}):
        assert (await there.post("admin", path, body)).status_code == 422
    same = {"same_as": "legal_counsel@example.org"}
    assert (await there.post("engineer", path, same)).status_code == 403
    assert (await there.post("admin", "/v1/people/per_0/links", same)).status_code == 404
    told = (await there.post("admin", path, same)).json()
    (gone,) = taken(await there.seen(view, "legal_approval"), "legal_approval")
    assert told["voided"] == [gone["id"]]
    assert gone["voided"]["reason"] == "same_person"
    answer = await there.decide(view, "legal_approval")
    assert (answer.status_code, answer.json()["why"]) == (403, "same_person")
    again = await there.post("admin", path, same)
    assert (again.status_code, again.json()["code"]) == (409, "exists")


async def test_pressure_is_told_to_few_and_stays(there: World) -> None:
    """Anyone inside says that they were leaned on; conflict officers and auditors alone read it,
    the log has no word of it, and no event tells."""
    view = await there.submitted()
    path = f"/v1/requests/{view['id']}/pressure-notes"
    note = {"text": "The CEO asked me to hurry."}
    made = await there.post("engineer", path, note)
    assert (made.status_code, made.json()["text"]) == (201, note["text"])
    await there.post("conflict_officer", path, {"text": "Me too."})
    for who in ("conflict_officer", "auditor"):
        read = (await there.get(who, path)).json()["items"]
        assert {one["text"] for one in read} == {note["text"], "Me too."}
    for who in ("engineer", "admin", "legal_counsel", "partner"):
        assert (await there.get(who, path)).status_code == 403
    assert (await there.post("partner", path, note)).status_code == 403
    for body in ({}, {"text": " "}, {"text": "x" * 5001}):
        assert (await there.post("engineer", path, body)).status_code == 422
    assert (
        await there.post("engineer", path.replace(view["id"], "req_0"), note)
    ).status_code == 404
    log = await there.audit()
    assert "hurry" not in str(log)
    assert [one["action"] for one in log].count("pressure.noted") == 2
    events = (await there.get("admin", "/v1/events", limit=200)).json()["items"]
    assert "pressure" not in str(events)


async def test_a_sign_off_names_who_is_recused(there: World) -> None:
    """The sign-off at gate 3 must name exactly those recused and people who may replace them; it is
    signed with the decision and shown with it."""
    view = await there.submitted()
    await there.post("conflict_officer", "/v1/interests", interest("engineer@example.org"))
    engineer, other = there.people["engineer"], there.people["engineer2"]
    good = {"screening_read": True, "recused": [engineer], "replaced_by": {engineer: other}}
    answer = await there.decide(view, "purpose_review", sign_off=good)
    assert answer.status_code == 422
    for stage in GATES[:2]:
        await there.decide(view, stage)
    for change, path in (
        ({"recused": []}, "sign_off.recused"),
        ({"recused": [engineer, other]}, "sign_off.recused"),
        ({"screening_read": False}, "sign_off.screening_read"),
        ({"replaced_by": {other: engineer}}, f"sign_off.replaced_by.{other}"),
        ({"replaced_by": {engineer: engineer}}, f"sign_off.replaced_by.{engineer}"),
        ({"replaced_by": {engineer: "per_0"}}, f"sign_off.replaced_by.{engineer}"),
    ):
        answer = await there.decide(view, "conflict_signoff", sign_off={**good, **change})
        assert answer.status_code == 422
        assert [one["path"] for one in answer.json()["errors"]] == [path]
    assert (await there.decide(view, "conflict_signoff", sign_off=good)).status_code == 201
    (signed,) = taken(await there.seen(view), "conflict_signoff")
    assert signed["sign_off"] == good
