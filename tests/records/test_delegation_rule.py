"""The rules of delegation that the database keeps by itself, tried with hand-written SQL.

Two people act as one where one acts for the other: whatever stands in the way of either is written
by hand, and the database must refuse the decision, the clearance or the release.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from sharing.stages import GATES
from tests.records import by_hand
from tests.records.by_hand import AT, Hand
from tests.records.conftest import Console
from tests.records.test_release_rule import FIRST, release
from tests.records.test_release_rule import world as cleared_world

BOSS, DEPUTY, STEWARD = "per_purpose_review", "per_deputy", "per_consent_verification"
Change = Callable[[Hand], object]


def world(hand: Hand) -> None:
    """A request, its four deciders, and a deputy to whom the reviewer's role is handed."""
    by_hand.begin(hand)
    by_hand.deciders(hand)
    by_hand.person(hand, "deputy", "auditor")
    by_hand.person(hand, "third", "purpose_reviewer")
    by_hand.request(hand)
    assert by_hand.delegate(hand, BOSS, DEPUTY) is None


def ended(hand: Hand) -> None:
    """The delegation was taken back, but the grant was left as it was."""
    hand.row("delegation_end", delegation_id=f"dlg_{BOSS}_{DEPUTY}", ended_by=BOSS, at=hand.at(AT))


def lost(hand: Hand) -> None:
    """Who handed the role on holds it no longer."""
    hand.run("UPDATE role_grant SET valid_until = :at WHERE person_id = :p",
             at=hand.at(AT + timedelta(milliseconds=1)), p=BOSS)  # fmt: skip


def sponsored(hand: Hand) -> None:
    """Who handed the role on wants the sharing."""
    hand.run("UPDATE request SET sponsor = :p", p=BOSS)


def sponsored_by_name(hand: Hand) -> None:
    """Who handed the role on is named as the one who wants the sharing."""
    hand.run("UPDATE request SET sponsor = (SELECT upper(name) FROM person WHERE id = :p)", p=BOSS)


def sponsored_deputy(hand: Hand) -> None:
    """The deputy is."""
    hand.run("UPDATE request SET sponsor = (SELECT name FROM person WHERE id = :p)", p=DEPUTY)


def staff(hand: Hand) -> None:
    """Who handed the role on works for the partner."""
    hand.run("UPDATE person SET partner_id = 'ptr' WHERE id = :p", p=BOSS)


def staff_as_twin(hand: Hand) -> None:
    """Another account of who handed the role on works for the partner."""
    by_hand.person(hand, "staffer", "auditor", partner_id="ptr")
    by_hand.link(hand, "per_staffer", BOSS)


def decided(hand: Hand) -> None:
    """Who handed the role on has decided at another gate."""
    by_hand.grant(hand, BOSS, "consent_steward")
    assert by_hand.decide(hand, "consent_verification", "approved", who=BOSS) is None


def decided_as_twin(hand: Hand) -> None:
    """Another account of theirs has decided at another gate."""
    by_hand.link(hand, STEWARD, BOSS)
    assert by_hand.decide(hand, "consent_verification", "approved") is None


BARRED: Mapping[str, Change] = {
    "recused": lambda hand: by_hand.recuse(hand, BOSS),
    "recused themselves": lambda hand: by_hand.recuse(hand, DEPUTY),
    "sponsor": sponsored,
    "sponsor by name": sponsored_by_name,
    "sponsor by name themselves": sponsored_deputy,
    "partner staff": staff,
    "partner staff as a twin": staff_as_twin,
    "role lost": lost,
    "decided": decided,
    "decided as a twin": decided_as_twin,
}


def decision(connection: Connection, change: Change) -> str | None:
    """What the database says to the deputy's decision."""
    hand = Hand(connection)
    world(hand)
    change(hand)
    return by_hand.decide(hand, "purpose_review", "approved", who=DEPUTY)


async def test_a_deputy_may_decide(console: Console) -> None:
    """Where nothing stands in the way of either, the deputy's decision is taken."""
    assert await console(decision, lambda hand: None) is None


@pytest.mark.parametrize("name", BARRED)
async def test_what_bars_one_bars_both(console: Console, name: str) -> None:
    """A decision for somebody who must not decide is refused, whoever takes it."""
    said = await console(decision, BARRED[name])
    assert "not_eligible" in (said or "")


async def test_a_waiver_lets_both(console: Console) -> None:
    """An interest that two disinterested people waived bars neither of the two."""

    def waived(hand: Hand) -> None:
        by_hand.recuse(hand, BOSS)
        given = by_hand.waive(hand, BOSS, "per_conflict_signoff", "per_legal_approval")
        assert given == [None, None]

    assert await console(decision, waived) is None


def boss_behind_deputy(connection: Connection) -> str | None:
    """What the database says to a decision elsewhere by somebody for whom another decided."""
    hand = Hand(connection)
    world(hand)
    assert by_hand.decide(hand, "purpose_review", "approved", who=DEPUTY) is None
    by_hand.grant(hand, BOSS, "consent_steward")
    return by_hand.decide(hand, "consent_verification", "approved", who=BOSS)


async def test_two_who_act_as_one_decide_once(console: Console) -> None:
    """Who decided through another has decided, and decides nowhere else on this request."""
    assert "not_eligible" in (await console(boss_behind_deputy) or "")


def clearance(connection: Connection, change: Change, act: str) -> str | None:
    """What the database says to a clearance with a deputy's approval in it, once more is known."""
    hand = Hand(connection)
    world(hand)
    hand.people["purpose_review"] = DEPUTY
    for stage in GATES:
        assert by_hand.decide(hand, stage, "approved") is None
    hand.run("UPDATE gate SET outcome = 'approved'")
    change(hand)
    return hand.refused_row(act, **by_hand.clearance(hand))


@pytest.mark.parametrize(
    "name",
    [
        "none",
        "recused",
        "sponsor",
        "sponsor by name",
        "partner staff",
        "partner staff as a twin",
        "role lost",
    ],
)
async def test_a_clearance_looks_at_both(console: Console, name: str) -> None:
    """What becomes known of either behind the decision keeps the clearance from being given."""
    change = BARRED.get(name, lambda hand: None)
    said = await console(clearance, change, "clearance")
    assert (said is None) if name == "none" else ("not_cleared" in (said or ""))


def released(connection: Connection, name: str) -> bool:
    """True where the database lets the bytes of a request go that a deputy helped to clear."""
    hand = Hand(connection)
    by_hand_decide = by_hand.deciders

    def with_deputy(hand: Hand) -> None:
        by_hand_decide(hand)
        by_hand.person(hand, "deputy", "auditor")
        by_hand.grant(hand, BOSS, "engineer")
        assert by_hand.delegate(hand, BOSS, DEPUTY) is None
        hand.people["purpose_review"] = DEPUTY

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_hand, "deciders", with_deputy)
        cleared_world(hand)
    if name == "boss triggers":
        hand.run("UPDATE export SET triggered_by = :p", p=BOSS)
    if name == "boss confirms":
        hand.run("UPDATE export SET needs_confirmation = :yes, confirmed_by = :p, confirmed_at = "
                 "triggered_at", yes=True, p=BOSS)  # fmt: skip
    if name in BARRED:
        BARRED[name](hand)
    return release(hand)


@pytest.mark.parametrize(
    "name",
    [
        "none",
        "boss triggers",
        "boss confirms",
        "recused",
        "sponsor by name",
        "partner staff as a twin",
    ],
)
async def test_a_release_looks_at_both(console: Console, name: str) -> None:
    """Who decided through another exports nothing of it; what is known of them holds it back."""
    assert await console(released, name) is (name == "none")


CHAINS: Mapping[str, tuple[str, str, dict[str, object]]] = {
    "a chain": (DEPUTY, "per_third", {}),
    "a circle": (DEPUTY, BOSS, {}),
    "somebody who has it twice": ("per_third", DEPUTY, {}),
    "to oneself": (BOSS, BOSS, {}),
    "of what one does not hold": ("per_legal_approval", FIRST, {}),
    "to who handed it on": ("per_third", BOSS, {}),
    "an engineer's": ("per_third", FIRST, {"role": "engineer"}),
    "the past": ("per_third", FIRST, {"valid_from": AT - timedelta(days=1)}),
    "no time": ("per_third", FIRST, {"valid_until": AT}),
}


def chain(connection: Connection, name: str) -> str | None:
    """What the database says to a delegation beside the first one."""
    hand = Hand(connection)
    world(hand)
    by_hand.person(hand, "first", "engineer")
    who, to, changes = CHAINS[name]
    dated = {k: hand.at(v) if k.startswith("valid") else v for k, v in changes.items()}  # type: ignore[arg-type]
    return by_hand.delegate(hand, who, to, **dated)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CHAINS)
async def test_no_chain_is_written(console: Console, name: str) -> None:
    """A delegation of more than one step, to oneself, of nothing, or in the past is no row."""
    assert await console(chain, name) is not None


def after_an_end(connection: Connection) -> str | None:
    """What the database says to a delegation to somebody whose former one was taken back."""
    hand = Hand(connection)
    world(hand)
    ended(hand)
    later = hand.at(AT + timedelta(seconds=1))
    return by_hand.delegate(hand, "per_third", DEPUTY, granted=False, at=later, valid_from=later)


async def test_what_was_taken_back_is_in_nobodys_way(console: Console) -> None:
    """Behind the end of a delegation another may be made."""
    assert await console(after_an_end) is None
