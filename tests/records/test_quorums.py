"""Gates that need more people than one, on each kind of database."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from sharing.errors import CoolingOff, NotCleared, NotEligible, Refused
from sharing.orders import Verb
from sharing.quorum import Need
from sharing.records import clearances, decisions, parties, requests, statements
from sharing.records.accounts import link
from sharing.records.unit import Unit
from sharing.stages import GATES, Outcome, Role, Stage
from tests.records import by_hand
from tests.records.by_hand import AT, OTHER, Hand
from tests.records.conftest import Console
from tests.records.desk import Desk
from workflows.activities.decisions import Decisions

LAW = Stage.LEGAL_APPROVAL
BOTH = """[[rule]]
name = "Two lawyers and an auditor"
[rule.legal_approval]
approvals = { legal_counsel = 2, auditor = 1 }
[rule.export]
engineers = 2
"""


async def at_law(desk: Desk, policy: str = BOTH) -> tuple[str, str, str]:
    """A request at its last gate, under a policy: its id, its digest, and a second lawyer."""
    second = await desk.world.person("second-counsel", Role.LEGAL_COUNSEL)
    number = await desk.world.force(policy)
    request, digest = await desk.submitted(policy=number)
    await desk.passed(request, digest, *GATES[:3])
    await desk.opened(request, digest, LAW)
    return request, digest, second


async def lacking(desk: Desk, request: str) -> dict[Role, int]:
    """Whom the last gate still waits for."""
    found = await desk.database.read(lambda s: decisions.lacking(s, requests.get(s, request), LAW))
    return {need.role: need.approvals for need in found}


async def state(desk: Desk, request: str) -> str:
    """Where a request stands."""
    return (await desk.world.request(request)).state


async def test_all_roles_and_all_people_are_needed(desk: Desk) -> None:
    """A gate that needs two lawyers and an auditor is approved by the last of the three, in
    whatever order they come, and the clearance names all six who approved."""
    request, digest, second = await at_law(desk)
    people = desk.world.people
    await desk.decided(request, digest, LAW)
    assert await lacking(desk, request) == {Role.LEGAL_COUNSEL: 1, Role.AUDITOR: 1}
    await desk.decided(request, digest, LAW, actor=people["auditor"], role=Role.AUDITOR)
    assert await lacking(desk, request) == {Role.LEGAL_COUNSEL: 1}
    assert await state(desk, request) == LAW
    await desk.decided(request, digest, LAW, actor=second, role=Role.LEGAL_COUNSEL)
    assert await state(desk, request) == "cleared"
    sealed = await desk.database.read(lambda s: clearances.approvals(s, requests.get(s, request)))
    assert len({one.actor for one in sealed}) == 6
    export = await desk.triggered(request, digest)
    row = await desk.world.request(request)
    assert (row.state, row.waiting_stage, bool(export)) == ("exporting", "export", True)


async def test_needs_are_pinned_when_the_gate_opens(desk: Desk) -> None:
    """What differs from one approval in the gate's own role is a row of the gate, and a policy that
    comes into force later changes nothing for this request."""
    request, _, _ = await at_law(desk)
    await desk.world.force("title = 'nothing'\n")
    need = await desk.database.read(lambda s: decisions.needs(s, requests.get(s, request), LAW))
    assert need == (Need(Role.LEGAL_COUNSEL, 2), Need(Role.AUDITOR, 1))
    first = await desk.database.read(
        lambda s: decisions.needs(s, requests.get(s, request), Stage.PURPOSE_REVIEW)
    )
    assert first == (Need(Role.PURPOSE_REVIEWER, 1),)


async def test_one_person_counts_once(desk: Desk) -> None:
    """Nobody fills two places of a gate: not by a second role, and not by a second account."""
    request, digest, second = await at_law(desk)
    counsel = desk.world.people["legal_counsel"]

    def grant(unit: Unit) -> None:
        parties.grant_roles(unit.session, counsel, [Role.AUDITOR])
        link(unit.session, counsel, second, "x")

    await desk.database.write(grant)
    await desk.decided(request, digest, LAW)
    for actor, role in ((counsel, Role.AUDITOR), (second, Role.LEGAL_COUNSEL)):
        with pytest.raises(NotEligible) as refused:
            await desk.decided(request, digest, LAW, actor=actor, role=role)
        assert refused.value.why == "same_person"
    assert await lacking(desk, request) == {Role.LEGAL_COUNSEL: 1, Role.AUDITOR: 1}


async def test_the_same_decision_again_counts_once(desk: Desk) -> None:
    """A decision that is replayed is the decision that it was (I17, F19)."""
    request, digest, _ = await at_law(desk)
    order = desk.world.decision(request, digest, LAW)
    for _ in range(3):
        await Decisions(desk.database, desk.settings).record_decision(order)
    assert await lacking(desk, request) == {Role.LEGAL_COUNSEL: 1, Role.AUDITOR: 1}


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.RETURNED])
async def test_one_refusal_refuses(desk: Desk, outcome: Outcome) -> None:
    """One refusal ends the request, one return returns it, however many have approved."""
    request, digest, second = await at_law(desk)
    await desk.decided(request, digest, LAW)
    await desk.decided(request, digest, LAW, outcome, second, Role.LEGAL_COUNSEL)
    assert await state(desk, request) == outcome


async def test_a_role_that_nobody_asked_for(desk: Desk) -> None:
    """Somebody in a role that no need names is refused because of the role."""
    request, digest, _ = await at_law(desk)
    with pytest.raises(NotEligible) as refused:
        await desk.decided(
            request, digest, LAW, actor=desk.world.people["engineer"], role=Role.ENGINEER
        )
    assert refused.value.why == "role"


async def test_a_partial_quorum_loses_one(desk: Desk) -> None:
    """An approval that is taken back is missing again, and the gate still waits; whoever took it
    back may give it anew."""
    request, digest, second = await at_law(desk)
    order = desk.world.decision(request, digest, LAW)
    keeper = Decisions(desk.database, desk.settings)
    await keeper.record_decision(order)
    await desk.decided(request, digest, LAW, actor=second, role=Role.LEGAL_COUNSEL)
    assert await lacking(desk, request) == {Role.AUDITOR: 1}
    counsel = desk.world.people["legal_counsel"]
    await keeper.record_taking_back(
        desk.world.order(Verb.TAKE_BACK, request, counsel, decision=order.id)
    )
    assert await lacking(desk, request) == {Role.LEGAL_COUNSEL: 1, Role.AUDITOR: 1}
    assert await state(desk, request) == LAW
    await desk.opened(request, digest, LAW)
    await desk.decided(request, digest, LAW)
    await desk.decided(request, digest, LAW, actor=desk.world.people["auditor"], role=Role.AUDITOR)
    assert await state(desk, request) == "cleared"


async def test_a_cleared_quorum_loses_one(desk: Desk) -> None:
    """One approval that is taken back behind the clearance takes the clearance away, and only that
    one approval has to come again."""
    request, digest, second = await at_law(desk)
    keeper, people = Decisions(desk.database, desk.settings), desk.world.people
    await desk.decided(request, digest, LAW)
    await desk.decided(request, digest, LAW, actor=people["auditor"], role=Role.AUDITOR)
    last = desk.world.decision(request, digest, LAW, actor=second, role=Role.LEGAL_COUNSEL)
    await keeper.record_decision(last)
    await keeper.record_taking_back(
        desk.world.order(Verb.TAKE_BACK, request, second, decision=last.id)
    )
    assert await state(desk, request) == LAW
    with pytest.raises((NotCleared, Refused)):
        await desk.triggered(request, digest)
    await desk.opened(request, digest, LAW)
    assert await lacking(desk, request) == {Role.LEGAL_COUNSEL: 1}
    await desk.decided(request, digest, LAW, actor=second, role=Role.LEGAL_COUNSEL)
    assert await state(desk, request) == "cleared"


async def test_cooling_off(desk: Desk) -> None:
    """Where a policy asks for time, a gate takes a refusal but no approval before it is over, and
    says until when; its deadline begins behind it."""
    request, digest, _ = await at_law(
        desk, '[[rule]]\nname = "a"\nlegal_approval = { cooling_off_hours = 24, days = 2 }\n'
    )
    with pytest.raises(CoolingOff) as refused:
        await desk.decided(request, digest, LAW)
    gate = await desk.database.read(lambda s: requests.gate(s, requests.get(s, request), LAW))
    assert gate is not None
    assert refused.value.until == gate.opened_at + timedelta(hours=24)
    assert timedelta(days=2.9) < gate.until - gate.opened_at < timedelta(days=3.1)
    await desk.decided(request, digest, LAW, Outcome.REFUSED)


async def test_cooling_off_before_the_trigger(desk: Desk) -> None:
    """Where a policy asks for time before the export, nobody triggers it sooner."""
    number = await desk.world.force('[[rule]]\nname = "a"\nexport.cooling_off_hours = 5\n')
    request, digest = await desk.submitted(policy=number)
    await desk.passed(request, digest, *GATES)
    with pytest.raises(CoolingOff):
        await desk.triggered(request, digest)
    assert await state(desk, request) == "cleared"


async def test_a_revision_is_judged_under_what_is_in_force(desk: Desk) -> None:
    """A submission that was drawn up under another version than the one in force is refused; a
    request keeps its own version, and its next revision takes the new one."""
    before, digest = await desk.submitted()
    await desk.opened(before, digest, Stage.PURPOSE_REVIEW)
    number = await desk.world.force(BOTH.replace("legal_counsel = 2, ", ""))
    with pytest.raises(Refused) as refused:
        await desk.submitted()
    assert refused.value.code == "stale_digest"
    row = await desk.database.read(lambda s: requests.revision(s, requests.get(s, before)))
    assert (row.policy, row.digest) == (1, digest)
    await desk.revised(before, 2, policy=number)
    row = await desk.database.read(lambda s: requests.revision(s, requests.get(s, before)))
    assert row.policy == number


async def test_how_long_a_declaration_is_good(desk: Desk) -> None:
    """Whoever declares under a policy that says for how many days does so for that long."""
    number = await desk.world.force("[interests]\nregister_days = 10\n")
    request, digest = await desk.submitted(policy=number)
    await desk.passed(request, digest, Stage.PURPOSE_REVIEW)
    reviewer = desk.world.people["purpose_reviewer"]
    row = await desk.database.read(lambda s: statements.latest(s, reviewer))
    assert row is not None
    assert row.valid_until - row.at == timedelta(days=10)


def approved(connection: Connection) -> list[str | None]:
    """What the database says to those who approve policies past all our code."""
    hand = Hand(connection)
    by_hand.begin(hand)
    for name in ("ada", "bob", "twin"):
        by_hand.person(hand, name, "admin")
    by_hand.person(hand, "eve", "engineer")
    by_hand.person(hand, "staff", "admin", partner_id="ptr")
    by_hand.link(hand, "per_twin", "per_ada")
    for number in (2, 3):
        hand.row("policy_version", number=number, text="t", sha256="x", reason="r",
                 proposed_by="per_ada", proposed_at=hand.at(AT))  # fmt: skip
    tries = [(3, "ada"), (3, "twin"), (3, "eve"), (3, "staff"), (3, "bob"), (2, "bob")]
    return [
        hand.refused_row(
            "policy_approval", number=number, approved_by=f"per_{who}", approved_at=hand.at(AT)
        )
        for number, who in tries
    ]


async def test_the_database_keeps_four_eyes(console: Console) -> None:
    """The database takes no approval by the proposer under either account, by somebody who is no
    admin or who works for a partner, and none of a version older than the one in force."""
    said = await console(approved)
    assert said.pop(4) is None
    assert all("four_eyes" in (words or "") for words in said)


def backdated(connection: Connection) -> str | None:
    """What the database says to a revision under a version that is not in force."""
    hand = Hand(connection)
    by_hand.begin(hand)
    by_hand.person(hand, "ada", "admin")
    by_hand.person(hand, "bob", "admin")
    by_hand.request(hand)
    hand.row("policy_version", number=2, text="t", sha256="x", reason="r",
             proposed_by="per_ada", proposed_at=hand.at(AT))  # fmt: skip
    hand.row("policy_approval", number=2, approved_by="per_bob", approved_at=hand.at(AT))
    assert connection.execute(text("SELECT policy FROM revision")).scalar() == 1
    return hand.refused_row(
        "revision", request_id="req", number=2, digest=OTHER, dataset_id="dst", index_version=1,
        body="{}", submitted_at=hand.at(AT), policy=1,
    )  # fmt: skip


async def test_no_revision_under_an_older_policy(console: Console) -> None:
    """The database takes no revision that names another version than the one in force."""
    assert "rule for revision" in (await console(backdated) or "")
