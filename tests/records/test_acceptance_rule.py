"""What the database itself asks of an acceptance, and of a clearance about its acceptance, tried
with hand-written SQL."""

from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import Connection

from sharing.stages import GATES
from tests.records import by_hand
from tests.records.by_hand import AGREED, AT, DIGEST, LATER, OTHER, Hand
from tests.records.conftest import Console

NEWER = "b" * 64


def newer(hand: Hand) -> None:
    """Counsel adds a term: from now on another agreement is the current version."""
    hand.row("agreement", request_id="req", digest=NEWER, terms="{}", drafted_at=hand.at(AT))
    by_hand.agreed(hand, NEWER, number=2)


def at_the_end(hand: Hand) -> None:
    """A request at its last gate with four approvals, where nothing is accepted yet but the first
    version by the submission."""
    by_hand.begin(hand)
    by_hand.deciders(hand)
    by_hand.request(hand)
    for stage in GATES:
        assert by_hand.decide(hand, stage, "approved") is None
    hand.run("UPDATE request SET state = 'legal_approval'")


def other_partner(hand: Hand) -> None:
    """Somebody else."""
    hand.row("partner", id="ptr_other", name="O", created_at=hand.at(AT))


def revised(hand: Hand) -> None:
    """The request has another scope by now."""
    by_hand.revise(hand)


def key(hand: Hand, **changes: object) -> None:
    """A signatory's key of the partner."""
    hand.row("partner_key", **{"id": "key", "partner_id": "ptr", "key": "k", "signatory": "s",
             "added_by": "x", "added_at": hand.at(AT), **changes})  # fmt: skip


def link(hand: Hand, **changes: object) -> None:
    """A link for the second version."""
    hand.row("acceptance_link", **{"id": "lnk", "hash": "h", "request_id": "req", "digest": DIGEST,
             "agreement_digest": NEWER, "name": "n", "email": "e", "made_by":
             hand.people["legal_approval"], "made_at": hand.at(AT),
             "expires_at": hand.at(LATER), **changes})  # fmt: skip


SIGNED = {"method": "signature", "key_id": "key", "agreement_digest": NEWER, "id": "acc_2"}
LINKED = {"method": "link", "link_id": "lnk", "agreement_digest": NEWER, "id": "acc_2"}


def even_newer(hand: Hand) -> None:
    """A third version."""
    hand.row("agreement", request_id="req", digest="9" * 64, terms="{}", drafted_at=hand.at(AT))
    by_hand.agreed(hand, "9" * 64, number=3)


# What is wrong with the key or the link, what with the acceptance itself, and what happened since.
CREDENTIAL: Mapping[str, Callable[[Hand], dict[str, object]]] = {
    "revoked": lambda hand: {"revoked_at": hand.at(AT)},
    "others_key": lambda _: {"partner_id": "ptr_other"},
    "used": lambda hand: {"used_at": hand.at(AT)},
    "expired": lambda hand: {"expires_at": hand.at(AT)},
    "older_link": lambda _: {"agreement_digest": AGREED},
    "other_scope": lambda _: {"digest": OTHER},
}
ROW: Mapping[str, dict[str, object]] = {
    "no_evidence": {"key_id": None, "link_id": None},
    "as_submission": {"method": "submission"},
    "unknown_method": {"method": "nod"},
    "other_partner": {"partner_id": "ptr_other"},
}
SINCE: Mapping[str, Callable[[Hand], object]] = {"revised": revised, "even_newer": even_newer}


def refused(connection: Connection, method: str, flaw: str) -> str | None:
    """What the database says to an acceptance with one flaw, or none."""
    hand = Hand(connection)
    at_the_end(hand)
    newer(hand)
    other_partner(hand)
    changes = CREDENTIAL[flaw](hand) if flaw in CREDENTIAL else {}
    (key if method == "signature" else link)(hand, **changes)
    if flaw in SINCE:
        SINCE[flaw](hand)
    row = {**(SIGNED if method == "signature" else LINKED), **ROW.get(flaw, {})}
    return hand.refused_row("acceptance", **by_hand.acceptance(hand, **row))


EITHER = ("no_evidence", "as_submission", "unknown_method", "other_partner", "revised",
          "even_newer")  # fmt: skip
CASES = [
    *(("signature", flaw) for flaw in (*EITHER, "revoked", "others_key")),
    *(("link", flaw) for flaw in (*EITHER, "used", "expired", "older_link", "other_scope")),
]


@pytest.mark.parametrize("method", ["signature", "link"])
async def test_what_is_in_order_is_accepted(console: Console, method: str) -> None:
    """A key of the partner's and a fresh link each accept the current version."""
    assert await console(refused, method, "none") is None


@pytest.mark.parametrize(("method", "flaw"), CASES)
async def test_one_flaw_is_enough(console: Console, method: str, flaw: str) -> None:
    """Each flaw alone makes the database refuse the acceptance by name."""
    assert "stale_digest" in (await console(refused, method, flaw) or "")


def older(connection: Connection) -> str | None:
    """What the database says to a submission's acceptance once there is a second version."""
    hand = Hand(connection)
    by_hand.begin(hand)
    by_hand.deciders(hand)
    by_hand.request(hand, accepted=False)
    newer(hand)
    return hand.refused_row("acceptance", **by_hand.acceptance(hand))


def nobodys(connection: Connection) -> str | None:
    """What the database says to a submission's acceptance of what the machine drafted later."""
    hand = Hand(connection)
    by_hand.begin(hand)
    by_hand.deciders(hand)
    by_hand.request(hand, accepted=False, made_by=None)
    return hand.refused_row("acceptance", **by_hand.acceptance(hand))


@pytest.mark.parametrize("tried", [older, nobodys])
async def test_a_submission_accepts_only_what_came_with_it(
    console: Console, tried: Callable[[Connection], str | None]
) -> None:
    """Neither an older version nor one that the partner never ordered counts as submitted."""
    assert "stale_digest" in (await console(tried) or "")


def cleared(connection: Connection, accepted: str) -> str | None:
    """What the database says to a clearance whose four approvals are in order."""
    hand = Hand(connection)
    by_hand.begin(hand)
    by_hand.deciders(hand)
    by_hand.request(hand, accepted=False)
    if accepted == "newer":
        newer(hand)
        key(hand)
        row = by_hand.acceptance(hand, **SIGNED)
    elif accepted == "other_scope":
        by_hand.revise(hand)
        by_hand.agreed(hand, digest=OTHER)
        row = by_hand.acceptance(hand, digest=OTHER)
    else:
        row = by_hand.acceptance(hand)
    if accepted != "nothing":
        hand.row("acceptance", **row)
    hand.run("UPDATE request SET digest = :digest", digest=DIGEST)
    for stage in GATES:
        assert by_hand.decide(hand, stage, "approved") is None
    hand.run("UPDATE request SET state = 'legal_approval'")
    if accepted == "superseded":
        newer(hand)
    return hand.refused_row("clearance", **by_hand.clearance(hand))


async def test_what_was_accepted_is_cleared(console: Console) -> None:
    """Four approvals and the acceptance of the approved version are a clearance."""
    assert await console(cleared, "current") is None


@pytest.mark.parametrize("accepted", ["nothing", "newer", "other_scope", "superseded"])
async def test_no_clearance_without_the_acceptance(console: Console, accepted: str) -> None:
    """Without an acceptance, or with one of another version, of another scope, or of a version
    that is not the last one any more, the database refuses the clearance by name."""
    said = await console(cleared, accepted) or ""
    assert "not_cleared" in said
    assert "accepted" in said
