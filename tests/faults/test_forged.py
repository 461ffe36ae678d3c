"""Somebody with nothing but Temporal's port changes nothing, in any state of a request (I27)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from sharing.orders import Order, Verb
from sharing.records import requests
from tests.faults.attacker import forged, garbage, insider, plain, recorded, started, told
from tests.faults.cases import OPEN, STATES, Case, brought
from tests.faults.depot import Depot
from tests.faults.snapshot import Snapshot, carried_on, snapshot
from tests.signing import signatory
from workflows.messages import request_workflow

pytestmark = pytest.mark.slow
SETTLED = 1.0  # seconds in which a workflow that was started by hand has done what it can


@dataclass(frozen=True, slots=True)
class Targets:
    """A case in each state, as it was before anybody touched it, and genuine orders that were
    given for others."""

    depot: Depot
    cases: list[Case]
    before: list[Snapshot]
    others: list[Order]

    async def unharmed(self) -> None:
        """Fails if anything about any of them has changed."""
        after = [await snapshot(self.depot, case) for case in self.cases]
        for case, was, now in zip(self.cases, self.before, after, strict=True):
            assert now == was, case.state


@pytest.fixture(scope="module")
async def targets(depot: Depot) -> AsyncIterator[Targets]:
    """The targets of every attack in this file. When all of them are over, each case goes on to
    its proper end by its people's own acts: no attack stands in anybody's way for good."""
    others: list[Order] = []
    for state in ("delivered", "withdrawn", "cancelled"):
        others += await recorded(depot, (await brought(depot, state)).request)
    others += await _about_agreements(depot)
    others.append(await _taken_back(depot))
    others += await _steered(depot)
    cases = [await brought(depot, state) for state in STATES]
    yield Targets(depot, cases, [await snapshot(depot, case) for case in cases], others)
    await carried_on(depot, cases)


async def _taken_back(depot: Depot) -> Order:
    """A genuine order by which somebody took an approval back, of another request too."""
    case = await brought(depot, "consent_verification")
    (taken,) = await depot.world.database.read(lambda s: requests.decisions_of(s, case.request))
    order = depot.world.order(Verb.TAKE_BACK, case.request, taken.actor_id, decision=taken.id)
    await depot.send(order)
    return order


async def _steered(depot: Depot) -> list[Order]:
    """Genuine orders by which an engineer steered another request's export."""
    case = await brought(depot, "running")
    engineer, fast = depot.world.people["engineer"], 1_000_000_000
    said: dict[str, Any] = {"export": case.export}
    limited = {**said, "limit_bytes_per_second": fast}
    orders = []
    for verb, body in ((Verb.PAUSE, said), (Verb.LIMIT, limited), (Verb.RESUME, said)):
        orders.append(depot.world.order(verb, case.request, engineer, **body))
        await depot.send(orders[-1])
    return orders


async def _about_agreements(depot: Depot) -> list[Order]:
    """Genuine orders about the agreement of a request that is none of the targets. What they say
    of an agreement would fit the targets' own as well: it is the same text."""
    there, case = await signatory(depot.world), await brought(depot, "legal_approval")
    early = await there.yes(case.request, case.digest)
    term = await there.term(case.request, case.digest)
    await depot.send(term)
    yes = await there.yes(case.request, case.digest)
    await depot.send(yes)
    return [early, term, yes]


async def test_orders_that_the_api_did_not_sign(depot: Depot, targets: Targets) -> None:
    """Orders that the API did not sign change nothing, even if they are encrypted as ours are."""

    async def attack(case: Case) -> None:
        for order in forged(depot, case):
            answer = await told(depot, insider(depot), case.request, order, order.verb)
            # A submission that was recorded before is not looked at again.
            assert answer not in ("accepted", "unheard") or order.verb == Verb.SUBMIT, case.state

    await asyncio.gather(*map(attack, targets.cases))
    await targets.unharmed()


async def test_messages_in_the_clear(depot: Depot, targets: Targets) -> None:
    """Messages that were not encrypted with our key change nothing and hold up nobody."""

    async def attack(case: Case) -> None:
        for order in forged(depot, case):
            answer = await told(depot, plain(depot), case.request, order, order.verb)
            assert answer not in ("accepted", "unheard"), (case.state, order.verb)
        handle = plain(depot).get_workflow_handle(request_workflow(case.request))
        for thing in garbage():
            for name in ("decide", "trigger", "anything"):
                await handle.signal(name, thing)
                answer = await told(depot, plain(depot), case.request, thing, name)
                assert answer not in ("accepted", "unheard"), (case.state, name)

    # What has ended has no workflow that could be held up.
    await asyncio.gather(*(attack(case) for case in targets.cases if case.state in OPEN))
    await targets.unharmed()


async def test_genuine_orders_sent_again(depot: Depot, targets: Targets) -> None:
    """A genuine order that is copied from history and sent again counts once."""

    async def attack(case: Case) -> None:
        orders = await recorded(depot, case.request)
        assert orders
        for order in (*orders, *(order for order in orders if order.verb == Verb.TRIGGER)):
            answer = await told(depot, insider(depot), case.request, order, order.verb)
            assert answer != "unheard", (case.state, order.verb)

    await asyncio.gather(*(attack(case) for case in targets.cases if case.state in OPEN))
    await targets.unharmed()


async def test_genuine_orders_sent_to_another_request(depot: Depot, targets: Targets) -> None:
    """A genuine order does nothing to a request that it was not given for."""
    to_no_request = {Verb.AMEND, Verb.PREVIEW}  # the second one has tests/api/test_previews.py
    assert {order.verb for order in targets.others} == {*Verb} - to_no_request

    async def attack(case: Case) -> None:
        for order in targets.others:
            answer = await told(depot, insider(depot), case.request, order, order.verb)
            assert answer not in ("unheard", "accepted"), (case.state, order.verb)

    await asyncio.gather(*map(attack, targets.cases))
    await targets.unharmed()


async def test_started_twice(depot: Depot, targets: Targets) -> None:
    """A second workflow of a request, under its own id after the end or under another one before,
    decides nothing and releases nothing."""
    for case in targets.cases:
        own = request_workflow(case.request)
        begun = await started(depot, "ShareRequest", case.request, own)
        assert begun or case.state in OPEN
        if case.state != "running":  # its export would begin under the second one
            assert await started(depot, "ShareRequest", case.request, f"{own}:evil")
    await asyncio.sleep(SETTLED)
    await targets.unharmed()
