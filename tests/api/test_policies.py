"""Policies over HTTP: two admins, a dry run in words, and what the gates then ask for."""

from typing import Any

import pytest

from api import cli
from sharing.records import parties
from sharing.stages import GATES, Role
from tests.api.answering_server import Answer, Asked, serving
from tests.api.world import World

TWO = """[[rule]]
name = "Two lawyers look at training data"
purpose = "ai:AIDevelopment"

[rule.legal_approval]
approvals = { legal_counsel = 2 }
blind = true
"""
AUDITED = """[[rule]]
name = "An auditor looks too"
[rule.purpose_review]
approvals = { auditor = 1 }
"""
PATH = "/v1/policies"


async def add(world: World, name: str, role: Role) -> str:
    """One more person in a role, with a token under their name."""

    def work(unit: Any) -> tuple[str, str]:
        made = parties.add_person(unit.session, name, f"{name}@example.org", [role])
        return made.id, parties.issue_token(unit.session, role, person_id=made.id)

    world.people[name], world.tokens[name] = await world.database.write(work)
    return world.people[name]


async def staffed(world: World) -> None:
    """A second admin, and a second and third lawyer."""
    await add(world, "admin2", Role.ADMIN)
    await add(world, "counsel2", Role.LEGAL_COUNSEL)
    await add(world, "counsel3", Role.LEGAL_COUNSEL)


async def proposed(world: World, text: str) -> dict[str, Any]:
    """A version that an admin proposed."""
    answer = await world.post("admin", PATH, {"text": text, "reason": "To be safe."})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def in_force(world: World, text: str) -> None:
    """A version that two admins put in force."""
    number = (await proposed(world, text))["number"]
    answer = await world.post("admin2", f"{PATH}/{number}/approve")
    assert (answer.status_code, answer.json().get("state")) == (200, "in_force"), answer.text


async def test_a_change_needs_two_admins(here: World) -> None:
    """A proposal changes nothing before another admin approves it; its proposer cannot."""
    await staffed(here)
    made = await proposed(here, TWO)
    assert (made["number"], made["state"], made["text"]) == (2, "proposed", TWO)
    alone = await here.post("admin", f"{PATH}/2/approve")
    assert (alone.status_code, alone.json()["code"]) == (403, "four_eyes")
    assert (await here.audit())[-1]["action"] == "refused.policies.approve"
    states = [one["state"] for one in (await here.get("engineer", PATH)).json()["items"]]
    assert states == ["proposed", "in_force"]
    assert (await here.post("admin2", f"{PATH}/2/approve")).status_code == 200
    again = await here.post("admin2", f"{PATH}/2/approve")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    told = [e["type"] for e in (await here.get("auditor", "/v1/events", limit=200)).json()["items"]]
    assert told[-2:] == ["clearance.policy.proposed", "clearance.policy.approved"]
    shown = (await here.get("auditor", f"{PATH}/1")).json()
    assert (shown["state"], shown["proposed_by"]) == ("earlier", None)
    assert "[interests]" in shown["text"]


async def test_two_accounts_of_one_admin_are_two_eyes(here: World) -> None:
    """The proposer's other account cannot approve, once the two are known to be one person's."""
    from sharing.records.accounts import link

    await staffed(here)
    await proposed(here, TWO)
    people = here.people
    await here.database.write(lambda u: link(u.session, people["admin"], people["admin2"], "x"))
    answer = await here.post("admin2", f"{PATH}/2/approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "four_eyes")


async def test_an_older_proposal_comes_too_late(here: World) -> None:
    """Behind a version that is in force, a proposal made before it is passed over."""
    await staffed(here)
    await proposed(here, TWO)
    await in_force(here, AUDITED)
    answer = await here.post("admin2", f"{PATH}/2/approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert (await here.get("admin", f"{PATH}/2")).json()["state"] == "passed_over"
    assert (await here.get("admin", f"{PATH}/9")).status_code == 404


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        (TWO.replace("= 2", "= 0"), "text:6", "a quorum of 0 is no gate"),
        (TWO.replace("= 2", "= 4"), "text:6", "asks for 4 people as legal_counsel, and 3 hold"),
        (TWO.replace("counsel", "cousel"), "text:6", "'legal_cousel' is no role"),
        (TWO.replace("AIDev", "Dev"), "text:3", "'ai:Development' is not known"),
        (TWO.replace("blind", "skip"), "text:7", "The four gates are always there"),
        (TWO + "[", "text:8", "is not TOML"),
    ],
)
async def test_a_bad_policy_is_refused_by_line(
    here: World, text: str, path: str, said: str
) -> None:
    """A policy that cannot be used is 422 with its line, its key and the cure, and is not kept."""
    await staffed(here)
    answer = await here.post("admin", PATH, {"text": text, "reason": "r"})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "invalid_body")
    assert told["errors"][0]["path"] == path
    assert said in told["errors"][0]["message"]
    assert len((await here.get("admin", PATH)).json()["items"]) == 1


async def test_a_dry_run_says_what_would_change(here: World) -> None:
    """A dry run counts the requests, open and past, that would need what they do not need now."""
    await staffed(here)
    open_ones = [(await here.submitted())["id"] for _ in range(2)]
    past = await here.submitted()
    await here.post("partner", f"/v1/requests/{past['id']}/withdraw")
    await proposed(here, TWO)
    found = (await here.get("auditor", f"{PATH}/2/dry-run")).json()
    assert (found["open"], found["past"]) == (2, 1)
    assert (
        "2 open requests would now need two legal_counsel approvals at legal_approval "
        "(instead of: one legal_counsel approval at legal_approval)." in found["sentences"]
    )
    counsel = [c for c in found["changes"] if c["kind"] == "legal_approval.approvals.legal_counsel"]
    assert [(c["requests"], c["count"]) for c in counsel] == [("open", 2), ("past", 1)]
    assert sorted(counsel[0]["ids"]) == sorted(open_ones)
    none = (await here.get("auditor", f"{PATH}/1/dry-run")).json()
    assert none["sentences"] == ["None of 2 open and 1 past requests would need anything else."]


async def test_a_change_is_for_new_requests(here: World) -> None:
    """A request keeps the policy that it was submitted under; the next one has the new one."""
    await staffed(here)
    old = await here.submitted()
    await in_force(here, TWO)
    new = await here.submitted()
    for view in (old, new):
        for stage in GATES:
            assert (await here.decide(view, stage)).status_code == 201
    await here.seen(old, "cleared")
    waiting = (await here.seen(new, "legal_approval"))["waiting_for"]
    assert waiting["needs"] == [{"role": "legal_counsel", "missing": 1}]
    assert set(waiting["people"]) == {here.people["counsel2"], here.people["counsel3"]}
    assert (await here.decide(new, "legal_approval", who="counsel2")).status_code == 201
    assert (await here.seen(new, "cleared"))["policy"] == 2
    assert (await here.seen(old))["policy"] == 1


async def test_first_opinions_are_hidden(here: World) -> None:
    """At a blind gate nobody sees what others decided before all have, in views or events; each
    sees their own, and an auditor sees all."""
    await staffed(here)
    await in_force(here, TWO)
    view = await here.submitted()
    for stage in GATES[:3]:
        await here.decide(view, stage)
    first = await here.decide(view, "legal_approval", reason="A secret opinion.")
    assert "A secret opinion." in first.text
    path = f"/v1/requests/{view['id']}"
    for who in ("counsel2", "legal_counsel", "auditor", "admin", "partner"):
        seen = await here.get(who, path)
        assert ("A secret opinion." in seen.text) == (who in ("legal_counsel", "auditor")), who
    hidden = (await here.get("counsel2", path)).json()["stages"][3]["decisions"][0]
    assert (hidden["outcome"], hidden["reason"], hidden["hidden"]) == (None, None, True)
    taken = [
        e["data"]
        for e in (await here.get("counsel2", "/v1/events", limit=200)).json()["items"]
        if e["type"] == "clearance.decision.taken"
    ]
    assert [data.get("outcome") for data in taken] == ["approved"] * 3 + [None]
    assert (await here.decide(view, "legal_approval", who="counsel2")).status_code == 201
    assert "A secret opinion." in (await here.get("counsel3", path)).text


async def test_a_role_beside_the_gates_own(here: World) -> None:
    """Where the policy asks for an auditor too, one may decide there and has it among their
    reviews; an engineer may not."""
    await staffed(here)
    await in_force(here, AUDITED)
    view = await here.submitted()
    roles = (await here.seen(view))["waiting_for"]["roles"]
    assert sorted(roles) == ["auditor", "purpose_reviewer"]
    mine = (await here.get("auditor", "/v1/reviews")).json()["items"]
    assert [(one["request"], one["stage"]) for one in mine] == [(view["id"], "purpose_review")]
    wrong = await here.decide(view, "purpose_review", who="engineer")
    assert (wrong.status_code, wrong.json()["why"]) == (403, "role")
    assert (await here.decide(view, "purpose_review", who="auditor")).status_code == 201
    assert (await here.get("auditor", "/v1/reviews")).json()["items"] == []
    await here.seen(view, "purpose_review")
    assert (await here.decide(view, "purpose_review")).status_code == 201
    await here.seen(view, "consent_verification")


async def test_too_soon_is_said_with_a_time(here: World) -> None:
    """During a cooling-off the trigger is 409 cooling_off, with the moment from which it may be."""
    await staffed(here)
    await in_force(here, '[[rule]]\nname = "a"\nexport.cooling_off_hours = 5\n')
    view = await here.cleared()
    answer = await here.post(
        "engineer", f"/v1/requests/{view['id']}/exports", {"digest": view["digest"]}
    )
    told = answer.json()
    assert (answer.status_code, told["code"]) == (409, "cooling_off")
    assert told["until"].endswith("Z")
    assert (await here.seen(view))["waiting_for"]["not_before"] == told["until"]


async def test_a_partner_at_risk(here: World) -> None:
    """A partner's risk is set by an admin, standard where nothing is said."""
    made = await here.post("admin", "/v1/partners", {"name": "P", "risk": "high"})
    assert (made.status_code, made.json()["risk"]) == (201, "high")
    plain = await here.post("admin", "/v1/partners", {"name": "Q"})
    assert plain.json()["risk"] == "standard"
    wrong = await here.post("admin", "/v1/partners", {"name": "R", "risk": "huge"})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "risk")


def test_a_file_is_checked_offline(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`policy check` needs no server: exit 0 with the rules, or 1 with line and key."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(TWO)
    bad.write_text(TWO.replace("= 2", "= 0"))
    assert cli.run(["policy", "check", str(good)]) == 0
    assert "Two lawyers look at training data" in capsys.readouterr().out
    assert cli.run(["policy", "check", str(bad)]) == 1
    said = f"{bad}: line 6, rule[1].legal_approval.approvals.legal_counsel: a quorum of 0"
    assert capsys.readouterr().err.startswith(said)


def test_the_command_line_drives_it(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`policy propose` sends the file and shows the dry run; `approve`, `dry-run` and `show` work
    on a number, `show` without one on the version in force."""
    view = {"number": 2, "state": "proposed", "reason": "To be safe.", "text": TWO}
    change = {"count": 1, "ids": ["req_1"]}
    tried = {"sentences": ["1 open request would now need more."], "changes": [change]}

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("dry-run"):
            return 200, tried
        listed = {"items": [view, {**view, "number": 1, "state": "in_force"}], "next": None}
        return 200, listed if (asked.method, asked.path) == ("GET", PATH) else view

    file = tmp_path / "ours.toml"
    file.write_text(TWO)
    with serving(answer) as api:
        for words in (
            ["propose", str(file), "--reason", "To be safe."],
            ["dry-run", "2"],
            ["approve", "2"],
            ["show"],
        ):
            assert cli.run(["policy", *words, "--url", api.url, "--token", "t"]) == 0
    assert api.calls[0].body == {"text": TWO, "reason": "To be safe."}
    asked = [(one.method, one.path) for one in api.calls]
    assert ("POST", f"{PATH}/2/approve") in asked
    assert asked[-1] == ("GET", f"{PATH}/1")
    told = capsys.readouterr().out
    assert told.count("1 open request would now need more.\n    req_1") == 2
    assert "clearance policy approve 2" in told
    assert TWO in told
