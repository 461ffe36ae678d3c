"""Records the histories that every later version must be able to replay.

`uv run python -m tests.replay.record [SCENARIO ...]` plays each on a real server, and writes its
history to tests/replay/histories/<workflow>/<scenario>.v<VERSION>.json. Raise VERSION and run it
when a change of command order is meant and gated with `workflow.patched`: earlier histories stay.
"""

import asyncio
import base64
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from sharing.orders import Order, Verb
from sharing.records import exports
from sharing.records.database import Database
from sharing.records.migrate import migrate
from sharing.settings import Settings
from sharing.stages import GATES, Outcome, Stage
from tests.engine import skipped_time_server
from tests.photos import fill
from tests.signing import Signatory, signatory
from tests.workflows.conftest import Office, running
from tests.workflows.test_reopened import another, counted, interest_known, take_back
from workflows import client as verbs
from workflows import worker
from workflows.codec import converter

HISTORIES = Path(__file__).parent / "histories"
VERSION = 5
# Not a secret: it opens recorded tests, and nothing else.
PAYLOAD_KEY = base64.b64encode(bytes(range(32))).decode()

Scenario = Callable[[Office], Awaitable[str]]


def replay_converter() -> DataConverter:
    """What decodes the recorded payloads."""
    return converter(PAYLOAD_KEY)


async def cleared(office: Office) -> str:
    """Four approvals; then nobody triggers, and the clearance runs out."""
    request, _ = await office.cleared()
    return request


async def refused(office: Office) -> str:
    """Refused at the second gate."""
    request, digest = await office.submitted()
    await office.decide(request, digest, Stage.PURPOSE_REVIEW)
    await office.at(request, Stage.CONSENT_VERIFICATION)
    await office.decide(request, digest, Stage.CONSENT_VERIFICATION, Outcome.REFUSED)
    return request


async def returned_and_revised(office: Office) -> str:
    """Returned, revised, and then left to expire at the first gate."""
    request, digest = await office.submitted()
    await office.decide(request, digest, Stage.PURPOSE_REVIEW, Outcome.RETURNED)
    await office.at(request, "returned")
    await verbs.amend(office.client, office.world.submission(request, number=2, retention_days=9))
    await office.at(request, Stage.PURPOSE_REVIEW)
    return request


async def withdrawn(office: Office) -> str:
    """Withdrawn by the partner while it waits."""
    request, _ = await office.submitted()
    order = office.world.order(Verb.WITHDRAW, request, office.world.partner)
    await verbs.withdraw(office.client, order)
    return request


async def resumed(office: Office) -> str:
    """Terminated behind our back, and taken up again by the next decision."""
    request, digest = await office.submitted()
    await office.client.get_workflow_handle(f"share-request:{request}").terminate()
    for stage in GATES:
        await office.at(request, stage)
        await office.decide(request, digest, stage)
    return request


async def expired(office: Office) -> str:
    """Nobody decides: reminded, escalated, expired."""
    request, _ = await office.submitted()
    return request


async def delivered(office: Office) -> str:
    """All the way to a delivered package."""
    return await _exported(office)


async def paused(office: Office) -> str:
    """Paused before the second engineer confirms, resumed after that, delivered."""
    request, export = await _triggered(office)
    await verbs.pause(office.client, _of(office, Verb.PAUSE, "engineer", request, export))
    await verbs.confirm(
        office.client, _of(office, Verb.CONFIRM, "second_engineer", request, export)
    )
    await verbs.resume(office.client, _of(office, Verb.RESUME, "engineer", request, export))
    await _ended(office, export)
    return request


async def cancelled(office: Office) -> str:
    """Triggered, cancelled while it waits for the second engineer; the clearance runs out."""
    request, digest = await office.cleared()
    world = office.world
    trigger = world.order(Verb.TRIGGER, request, world.people["engineer"], digest)
    await verbs.trigger(office.client, trigger)
    await verbs.cancel(
        office.client,
        world.order(Verb.CANCEL, request, world.people["engineer"], digest, export=trigger.id),
    )
    return request


async def reopened(office: Office) -> str:
    """Cleared; counsel takes the approval back and approves again; then a second conflict officer's
    interest becomes known, the first one approves instead, and the clearance runs out."""
    request, digest = await office.submitted()
    second = await another(office, Stage.CONFLICT_SIGNOFF)
    for stage in GATES:
        await office.at(request, stage)
        actor = second if stage is Stage.CONFLICT_SIGNOFF else None
        await office.decide(request, digest, stage, actor=actor)
    await office.at(request, "cleared")
    await take_back(office, request, (await counted(office, request))[-1])
    await office.at(request, Stage.LEGAL_APPROVAL)
    await office.decide(request, digest, Stage.LEGAL_APPROVAL)
    await office.at(request, "cleared")
    await interest_known(office, second)
    await verbs.look_again(office.client, request)
    await office.at(request, Stage.CONFLICT_SIGNOFF)
    await office.decide(request, digest, Stage.CONFLICT_SIGNOFF)
    await office.at(request, "cleared")
    return request


async def _exported(office: Office) -> str:
    request, export = await _triggered(office)
    await verbs.confirm(
        office.client, _of(office, Verb.CONFIRM, "second_engineer", request, export)
    )
    await _ended(office, export)
    await _keep(office.client, f"export:{export}", "export_run", "delivered")
    return request


async def _triggered(office: Office) -> tuple[str, str]:
    request, digest = await office.cleared()
    world = office.world
    trigger = world.order(Verb.TRIGGER, request, world.people["engineer"], digest)
    await verbs.trigger(office.client, trigger)
    return request, trigger.id


def _of(office: Office, verb: Verb, who: str, request: str, export: str) -> Order:
    return office.world.order(verb, request, office.world.people[who], export=export)


async def _ended(office: Office, export: str) -> None:
    for _ in range(500):
        row = await office.world.database.read(lambda s: exports.get(s, export))
        if row.ended_at is not None:
            break
        await asyncio.sleep(0.02)


async def accepted(office: Office) -> str:
    """Counsel adds a term and approves, then the partner accepts; the clearance runs out."""
    there, request, digest = await _approved_with_a_term(office)
    await verbs.accept(office.client, await there.yes(request, digest))
    await office.at(request, "cleared")
    return request


async def never_accepted(office: Office) -> str:
    """Counsel adds a term and approves, and the partner never answers."""
    _, request, _ = await _approved_with_a_term(office)
    return request


async def _approved_with_a_term(office: Office) -> tuple[Signatory, str, str]:
    there = await signatory(office.world)
    request, digest = await office.submitted()
    for stage in GATES[:-1]:
        await office.at(request, stage)
        await office.decide(request, digest, stage)
    await office.at(request, Stage.LEGAL_APPROVAL)
    await verbs.add_terms(office.client, await there.term(request, digest))
    await office.decide(request, digest, Stage.LEGAL_APPROVAL)
    return there, request, digest


SCENARIOS: tuple[Scenario, ...] = (
    cleared,
    refused,
    returned_and_revised,
    withdrawn,
    resumed,
    delivered,
    paused,
    cancelled,
    accepted,
    never_accepted,
    expired,
    reopened,
)
# The version from which on a scenario is played, where that is not 1.
SINCE = {"accepted": 2, "never_accepted": 2, "expired": 3, "reopened": 3, "paused": 4}


async def _keep(client: Client, workflow_id: str, kind: str, scenario: str) -> None:
    handle = client.get_workflow_handle(workflow_id)
    await handle.result()
    history = await handle.fetch_history()
    file = HISTORIES / kind / f"{scenario}.v{VERSION}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    # Who recorded it is nobody's business, and would make every recording differ.
    file.write_text(re.sub(r"\d+@[\w.-]+", "recorder", history.to_json()) + "\n")
    print(f"{file.relative_to(HISTORIES)}: {len(history.events)} events")


async def main(home: Path, *only: str) -> None:
    """Plays and keeps every scenario, or those that are named."""
    url = f"sqlite+aiosqlite:///{home}/record.sqlite3"
    await asyncio.to_thread(migrate, url)
    fill(home / "store" / "photos", 3)
    chosen = Settings(
        home=home,
        database_url=url,
        payload_keys=PAYLOAD_KEY,
        signing_key=PAYLOAD_KEY,
        pseudonym_key=PAYLOAD_KEY,
        shard_objects=4,
        pack_processes=1,
    ).resolved()
    async with (
        await skipped_time_server() as server,
        Database(url) as database,
        running(server, database, chosen, pytest.MonkeyPatch(), special_category=True) as office,
        worker.export_worker(office.client, database, chosen),
    ):
        with server.with_time_skipping_disabled():
            await verbs.index_dataset(office.client, office.world.dataset, timedelta(seconds=20))
        for subject in ("s000", "s001", "s002"):
            await office.world.say(subject)
        for scenario in (one for one in SCENARIOS if not only or one.__name__ in only):
            with server.with_time_skipping_disabled():
                request = await scenario(office)
            handle = office.client.get_workflow_handle(f"share-request:{request}")
            if (await handle.describe()).close_time is None:
                with suppress(RPCError):  # it has just ended by itself
                    await server.fast_forward(handle)
            await _keep(office.client, handle.id, "share_request", scenario.__name__)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder), *sys.argv[1:]))
    os._exit(0)  # the SDK's threads may crash an interpreter that is being taken down
