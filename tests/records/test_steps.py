"""Each step as it is recorded: once however often it is sent, and refused without a trace."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.conflict import Organisation
from sharing.orders import Order, Verb, signed
from sharing.records import parties, requests
from sharing.stages import GATES, Outcome
from tests.records.desk import Desk
from tests.records.exporting import exporting
from tests.records.refusals import record, refusal, sizes
from tests.signing import signatory

REVIEW, CONSENT, LEGAL = GATES[0], GATES[1], GATES[3]


async def every_order(desk: Desk) -> list[Order]:
    """One order of each verb, each of which would be recorded as it is."""
    world = desk.world
    there = await exporting(desk)
    exported = {"export": there.export}
    revised, _ = await desk.submitted()
    await desk.opened(revised, (await world.request(revised)).digest, REVIEW)
    decided, digest = await desk.submitted()
    await desk.opened(decided, digest, REVIEW)
    withdrawn, _ = await desk.submitted()
    cleared, cleared_digest = await desk.cleared()
    engineer = world.people["second_engineer"]
    there_signs = await signatory(world)
    legal = [await desk.submitted() for _ in range(2)]
    for request, its in legal:
        await desk.passed(request, its, *GATES[:3])
        await desk.opened(request, its, LEGAL)
        await record(desk, await there_signs.term(request, its))
    approved, approved_digest = await desk.submitted()
    await desk.passed(approved, approved_digest, REVIEW)
    (taken,) = await desk.database.read(lambda s: requests.decisions_of(s, approved))
    return [
        await there_signs.term(*legal[0], action="visit"),
        await there_signs.yes(*legal[1]),
        world.submission(),
        world.submission(revised, 2, title="Another"),
        world.decision(decided, digest, REVIEW),
        world.order(Verb.TAKE_BACK, approved, taken.actor_id, decision=taken.id),
        world.order(Verb.WITHDRAW, withdrawn, world.partner),
        world.order(Verb.TRIGGER, cleared, engineer, cleared_digest),
        world.order(Verb.CANCEL, there.request, engineer, there.digest, **exported),
    ]


async def test_no_step_without_the_apis_signature(desk: Desk) -> None:
    """Whatever is sent past the API is refused by name and changes nothing, also where one field
    of an order that the API did sign was changed; the signed order then goes through (I27)."""
    stranger = Ed25519PrivateKey.generate()
    for order in await every_order(desk):
        for forged in (
            replace(order, signature=""),
            signed(order, stranger),
            replace(order, actor=desk.world.people["admin"]),
            replace(order, id="ord_other"),
            replace(order, body={**order.body, "reason": "changed"}),
        ):
            assert await refusal(desk, record(desk, forged)) == "forged_order", order.verb
        await record(desk, order)


async def test_every_step_counts_once(desk: Desk) -> None:
    """The same order recorded again, as after a lost answer, changes nothing and says the same."""
    for order in await every_order(desk):
        first = await record(desk, order)
        before = await desk.database.read(sizes)
        assert await record(desk, order) == first
        assert await desk.database.read(sizes) == before, order.verb


async def test_withdrawing_twice_is_withdrawing_once(desk: Desk) -> None:
    """A second withdrawal changes nothing; after another end there is nothing to withdraw."""
    request, digest = await desk.submitted()
    await desk.withdrawn(request)
    before = await desk.database.read(sizes)
    await desk.withdrawn(request)
    assert await desk.database.read(sizes) == before
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    await desk.decided(request, digest, REVIEW, Outcome.REFUSED)
    assert await refusal(desk, desk.withdrawn(request)) == "wrong_state"


async def test_another_partner_changes_nothing(desk: Desk) -> None:
    """Another partner's revision or withdrawal of this request is refused."""
    other = await desk.database.write(
        lambda u: (
            parties.add_partner(u.session, "Other", None, [(Organisation("O"), None)], None).id
        )
    )
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    stranger = replace(desk, world=replace(desk.world, partner=other))
    assert await refusal(desk, stranger.withdrawn(request)) == "wrong_state"
    assert await refusal(desk, stranger.revised(request, 2, title="Mine")) == "stale_digest"


async def test_an_idempotency_key_is_for_one_body(desk: Desk) -> None:
    """A key that was used with another body is refused, and no second request is made (I16)."""
    order = desk.world.submission()
    keyed = {**order.body, "key": "k1", "body_hash": "one"}
    first = signed(replace(order, body=keyed), desk.world.key)
    await record(desk, first)
    other = desk.world.submission()
    again = signed(replace(other, body={**keyed, "body_hash": "two"}), desk.world.key)
    assert await refusal(desk, record(desk, again)) == "idempotency_mismatch"


async def test_a_digest_is_the_bodys_own(desk: Desk) -> None:
    """A submission whose digest is not that of its body is refused, signed or not."""
    order = desk.world.submission()
    wrong = signed(replace(order, digest="d" * 64), desk.world.key)
    assert await refusal(desk, record(desk, wrong)) == "stale_digest"


async def test_a_dataset_that_is_not_there(desk: Desk) -> None:
    """A scope over a dataset that nobody holds is refused by field."""
    assert await refusal(desk, desk.submitted(dataset="no-such-photos")) == "invalid_body"


@pytest.mark.parametrize("number", [1, 3])
async def test_revisions_follow_each_other(desk: Desk, number: int) -> None:
    """A revision that is not the next one is refused: somebody changed the request meanwhile."""
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    amendment = desk.world.submission(request, number, title="Another")
    order = signed(replace(amendment, verb=Verb.AMEND), desk.world.key)
    assert await refusal(desk, record(desk, order)) == "stale_digest"
