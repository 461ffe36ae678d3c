"""Acts of people that meet at the same moment: each gets one definite answer."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path

import httpx2
import pytest
from temporalio.testing import WorkflowEnvironment

from api.app import create_app
from api.engine import Temporal
from sharing.orders import Verb
from sharing.records import parties, requests
from sharing.records.database import Database
from sharing.stages import GATES, Role
from tests.faults.depot import Depot, outcome
from tests.walk import BODY, index
from tests.workflows.conftest import running, secret, settings
from workflows.messages import request_workflow

pytestmark = pytest.mark.slow

# How long a decision comes before its deadline, in seconds: close by, then ever further behind it,
# as a busy machine lets the deadline pass late.
AHEAD, CLOSE = (0.2, 0.1, 0.05, 0.02, 0.01, 0.0, -0.02, -0.1, -0.5, -2.0, -8.0), 7


async def test_decision_in_flight_while_the_partner_withdraws(depot: Depot) -> None:
    """A decision that is under way while the case closes gets an answer, and the record agrees
    with it (F20)."""
    answers = Counter[str]()
    for number in range(10):
        order = depot.world.submission()
        await depot.send(order)
        request, stage = order.request_id, GATES[0]
        await depot.at(request, stage)
        acts = [
            outcome(depot.tell(Verb.WITHDRAW, request, "partner")),
            outcome(depot.send(depot.world.decision(request, order.digest, stage))),
        ]
        done = await asyncio.gather(*(acts if number % 2 else acts[::-1]))
        withdrew, decided = done if number % 2 else done[::-1]
        assert withdrew == "done"
        assert decided in ("done", "wrong_state", "wrong_stage")
        assert len(await depot.decisions(request)) == (decided == "done")
        await depot.at(request, "withdrawn")
        answers[decided] += 1
    assert len(answers) > 1, f"always {answers}: the race was none"


async def after(pause: float, act: Awaitable[object]) -> None:
    """Does something after a pause, if that is above 0."""
    await asyncio.sleep(max(pause, 0))
    await act


async def test_decision_at_the_deadline(
    time_skipping: WorkflowEnvironment,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A decision that comes as the deadline passes is taken or too late, never both (F13)."""
    answers = Counter[bool]()
    chosen = settings(tmp_path, sqlite_url)
    async with (
        Database(sqlite_url) as database,
        running(time_skipping, database, chosen, monkeypatch) as office,
    ):
        await index(office.world)
        for ahead in AHEAD:
            if len(answers) == 2 and answers.total() >= CLOSE:
                break  # each of the two came first once
            request, digest = await office.submitted()
            handle = office.client.get_workflow_handle(request_workflow(request))
            decides = office.decide(request, digest, GATES[0])
            _, answer = await asyncio.gather(
                after(ahead, time_skipping.fast_forward(handle)), outcome(after(-ahead, decides))
            )
            gate = (await database.read(lambda s, r=request: requests.gates_of(s, r)))[0]  # type: ignore[misc]
            taken = await database.read(lambda s, r=request: requests.decisions_of(s, r))  # type: ignore[misc]
            assert (answer, gate.outcome, len(taken)) in (
                ("done", "approved", 1),
                ("too_late", "expired", 0),
                ("wrong_state", "expired", 0),
            )
            answers[answer == "done"] += 1
    assert len(answers) == 2, f"always {answers}: the race was none"


async def test_same_key_at_two_servers(depot: Depot, sqlite_url: str, tmp_path: Path) -> None:
    """One Idempotency-Key sent to two API processes at once, many times: one case (F4)."""
    office = depot.office
    chosen = office.settings
    address = office.client.service_client.config.target_host
    object.__setattr__(chosen, "temporal_address", address)
    object.__setattr__(chosen, "decision_key", secret())
    token = await depot.world.database.write(
        lambda u: parties.issue_token(u.session, Role.PARTNER, partner_id=depot.world.partner)
    )
    before = await depot.read(requests.open_ids)
    servers = [create_app(chosen, Temporal(chosen)) for _ in range(2)]
    async with (
        servers[0].router.lifespan_context(servers[0]),
        servers[1].router.lifespan_context(servers[1]),
    ):
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "the-same"}
        clients = [
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=server),
                base_url="http://clearance.test",
                headers=headers,
            )
            for server in servers
        ]
        answers = await asyncio.gather(
            *(client.post("/v1/requests", json=dict(BODY)) for client in clients * 10)
        )
        other = await clients[1].post("/v1/requests", json={**BODY, "title": "Another"})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert other.status_code == 422
    assert len(await depot.read(requests.open_ids)) == len(before) + 1
