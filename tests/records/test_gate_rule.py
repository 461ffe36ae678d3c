"""The gate rule that the database keeps by itself, tried with hand-written SQL.

Every combination of what may stand behind a clearance is written row by row, past all our code,
and the database must let through exactly the one kind that is right.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from sharing.stages import GATES
from tests.records import by_hand
from tests.records.by_hand import AT, Hand
from tests.records.conftest import Console

GATE_STATES = ("approved", "refused", "undecided")
FLAWS = (
    "none", "recused", "role_lost", "sponsor", "stale_digest", "not_at_legal", "one_person_twice",
    "other_agreement", "partner_staff", "partner_staff_by_another_account", "accounts_joined",
)  # fmt: skip
Combination = tuple[Sequence[str], str]


def world(hand: Hand, flaw: str) -> None:
    """A request at its last gate, and the one flaw that decisions do not show yet, or none."""
    by_hand.begin(hand)
    by_hand.deciders(hand)
    steward, reviewer = hand.people["consent_verification"], hand.people["purpose_review"]
    if flaw == "role_lost":
        until = hand.at(AT + timedelta(seconds=5))
        hand.run("UPDATE role_grant SET valid_until = :u WHERE person_id = :p", u=until, p=steward)
    elif flaw == "one_person_twice":
        hand.people["legal_approval"] = reviewer
        by_hand.grant(hand, reviewer, "legal_counsel")
    by_hand.request(hand)


def spoil(hand: Hand, flaw: str) -> None:
    """What goes wrong behind the decisions: their own rule let them in, so the clearance's rule
    must look again."""
    hand.run("UPDATE request SET state = 'legal_approval'")
    if flaw == "recused":
        by_hand.recuse(hand, hand.people["conflict_signoff"])
    elif flaw == "sponsor":
        hand.run("UPDATE request SET sponsor = :who", who=hand.people["legal_approval"])
    elif flaw == "stale_digest":
        by_hand.revise(hand)
    elif flaw == "not_at_legal":
        hand.run("UPDATE request SET state = 'refused'")
    elif flaw == "linked_accounts":
        by_hand.link(hand, hand.people["legal_approval"], hand.people["consent_verification"])
    elif flaw == "partner_staff":
        hand.run("UPDATE person SET partner_id = 'ptr' WHERE id = :who",
                 who=hand.people["purpose_review"])  # fmt: skip
    elif flaw == "partner_staff_by_another_account":
        by_hand.person(hand, "elsewhere", "auditor", partner_id="ptr")
        by_hand.link(hand, hand.people["purpose_review"], "per_elsewhere")
    elif flaw == "accounts_joined":
        by_hand.link(hand, hand.people["purpose_review"], hand.people["legal_approval"])
    elif flaw == "other_agreement":
        hand.row("agreement", request_id="req", digest="b" * 64, terms="{}", drafted_at=hand.at(AT))


def cleared(hand: Hand, states: tuple[str, ...], flaw: str) -> Iterator[Combination]:
    """Goes on from what was decided so far; yields each combination that the database clears."""
    if len(states) == len(GATES):
        with hand.undone():
            spoil(hand, flaw)
            changes = {"agreement_digest": "b" * 64} if flaw == "other_agreement" else {}
            if hand.refused_row("clearance", **by_hand.clearance(hand, **changes)) is None:
                yield states, flaw
        return
    for state in GATE_STATES:
        with hand.undone():
            if state != "undecided":
                by_hand.decide(hand, GATES[len(states)], state)
            yield from cleared(hand, (*states, state), flaw)


def all_cleared(connection: Connection, flaw: str) -> list[Combination]:
    """Tries every combination of gate states with one flaw."""
    hand = Hand(connection)
    world(hand, flaw)
    return list(cleared(hand, (), flaw))


@pytest.mark.parametrize("flaw", FLAWS)
async def test_truth_table_of_clearances(console: Console, flaw: str) -> None:
    """Of 3 x 3 x 3 x 3 gate states times eleven flaws, 891 in all, exactly one is cleared."""
    taken = await console(all_cleared, flaw)
    assert taken == ([(("approved",) * 4, "none")] if flaw == "none" else [])
