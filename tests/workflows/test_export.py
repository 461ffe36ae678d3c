"""Exports of real photographs, by both workers on a real server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.errors import NotEligible, Refused
from sharing.export import releases
from sharing.export.destination import DestinationFailed
from sharing.export.verify import Verification, verify
from sharing.keys import signing_key
from sharing.orders import Verb
from sharing.records import exports, interests, parties
from sharing.records.database import Database
from sharing.records.exports import Export
from sharing.records.unit import Unit
from sharing.stages import GATES, Role
from tests.faults.depot import until
from tests.photos import fill
from tests.workflows.conftest import Office, running, settings
from workflows import client as verbs
from workflows import sandbox, worker
from workflows.messages import export_workflow, request_workflow


@dataclass(slots=True)
class Depot:
    """An office with an export worker, photographs, and everyone's consent."""

    office: Office
    photos: Path
    subjects: list[str]

    async def triggered(self, request: str, digest: str, actor: str = "engineer") -> str:
        """An export under way."""
        order = self.office.world.order(
            Verb.TRIGGER, request, self.office.world.people[actor], digest
        )
        await verbs.trigger(self.office.client, order)
        return order.id

    async def ended(self, export: str) -> Export:
        """The export once it ended."""
        for _ in range(600):
            row = await self.office.world.database.read(lambda s: exports.get(s, export))
            if row.ended_at is not None:
                return row
            await asyncio.sleep(0.02)
        raise AssertionError(f"the export is {row.state} still")

    async def delivered(self, **changes: object) -> Path:
        """A whole package, from submission on."""
        order = self.office.world.submission(**changes)  # type: ignore[arg-type]
        request, digest = order.request_id, order.digest
        await verbs.submit(self.office.client, order)
        for stage in GATES:
            await self.office.at(request, stage)
            await self.office.decide(request, digest, stage)
        await self.office.at(request, "cleared")
        row = await self.ended(await self.triggered(request, digest))
        assert (row.state, row.detail) == ("delivered", None)
        assert row.location is not None
        return Path(row.location)

    def verified(self, package: Path) -> Verification:
        """The package as its recipient checks it."""
        key = signing_key(self.office.settings.signing_key, "key").public_key()
        return verify(package, key)


@pytest.fixture
async def depot(
    temporal: WorkflowEnvironment,
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Depot]:
    """Twelve people with two photographs each, who all said yes."""
    photos = tmp_path / "store" / "photos"
    subjects = fill(photos, 12)
    chosen = settings(tmp_path, database_url, shard_objects=5)
    async with (
        running(temporal, database, chosen, monkeypatch) as office,
        worker.export_worker(office.client, database, chosen),
    ):
        assert await verbs.index_dataset(office.client, office.world.dataset, timedelta(seconds=20))
        for subject in subjects:
            await office.world.say(subject)
        yield Depot(office, photos, subjects)


async def test_package_is_delivered_and_verifies(depot: Depot) -> None:
    """Everything in scope with consent is in the package, once, and the package verifies."""
    package = await depot.delivered()
    rows = parquet.read_table(package / "manifest.parquet").to_pylist()
    assert len(rows) == 24
    assert len({row["subject_pseudonym"] for row in rows}) == 12
    assert depot.verified(package).objects == 24


@pytest.mark.parametrize("action", ["withdrawn", "refused"])
async def test_who_said_no_is_left_out(depot: Depot, action: str) -> None:
    """A subject who withdrew or refused before the export is in no manifest."""
    await depot.office.world.say(depot.subjects[3], action)
    package = await depot.delivered()
    rows = parquet.read_table(package / "manifest.parquet").to_pylist()
    assert len(rows) == 22


async def test_payloads_belong_to_whom_the_library_says(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked outside of its sandbox, a workflow names the same owner of a payload as inside (I25):
    itself, and for what it sends to another workflow, that one."""
    asked: list[tuple[Any, Any, str]] = []
    outside = sandbox.Known.get_serialization_context

    def both(known: sandbox.Known, command: Any) -> Any:
        answer: Any = outside(known, command)
        inside: Any = known.inside.get_serialization_context(command)
        mine, theirs = ((one.namespace, one.workflow_id) for one in (answer, inside))
        asked.append((mine, theirs, known.get_info().workflow_id))
        return answer

    monkeypatch.setattr(sandbox.Known, "get_serialization_context", both)
    await depot.delivered()
    assert [one for one in asked if one[0] != one[1]] == []
    others = [one for one in asked if one[0][1] != one[2]]
    assert others
    assert len(asked) > 4 * len(others)


async def test_no_metadata_leaves(depot: Depot) -> None:
    """Nothing of the camera, the place or the subject's name is in any delivered byte."""
    package = await depot.delivered(delivery={"format": "objects"})
    whole = b"".join(file.read_bytes() for file in package.rglob("*") if file.is_file())
    for canary in (b"Canary camera", b"canary comment", b"s003", b"Exif"):
        assert canary not in whole


async def test_decider_cannot_trigger(depot: Depot) -> None:
    """Who decided on a request cannot trigger its export, whatever roles they hold (I21)."""
    counsel = depot.office.world.people["legal_counsel"]
    await depot.office.world.database.write(
        lambda u: parties.grant_roles(u.session, counsel, [Role.ENGINEER])
    )
    request, digest = await depot.office.cleared()
    with pytest.raises(NotEligible) as refused:
        await depot.triggered(request, digest, "legal_counsel")
    assert refused.value.why == "same_person"


async def test_one_live_export(depot: Depot) -> None:
    """A request that was exported cannot be exported again (I18)."""
    request, digest = await depot.office.cleared()
    await depot.ended(await depot.triggered(request, digest))
    with pytest.raises(Refused):
        await depot.triggered(request, digest)


async def test_interest_known_before_release_revokes(depot: Depot) -> None:
    """A decider whose interest becomes known after the clearance: nothing leaves (I4)."""
    world = depot.office.world
    request, digest = await depot.office.cleared()
    person = world.people["legal_counsel"]
    await world.declare_interest(person, "Northlight Vision")
    await world.database.write(
        lambda u: interests.recuse(u.session, request, interests.matches(u.session, world.partner))
    )
    row = await depot.ended(await depot.triggered(request, digest))
    assert row.state == "failed"
    await depot.office.at(request, "revoked")
    run = depot.office.client.get_workflow_handle(request_workflow(request))
    assert await run.result() == "revoked"  # which it is once what was staged has been erased
    assert not list((depot.office.settings.home / "delivered").rglob("*.tar"))


async def test_stale_shards_survive_the_attempt_that_found_them(depot: Depot) -> None:
    """An attempt at a release that found stale shards and died before saying so delays nothing:
    the next attempt names them again."""
    world = depot.office.world
    request, digest = await depot.office.cleared()
    export = await depot.triggered(request, digest)
    row = await depot.ended(export)
    assert row.state == "delivered"

    def forget(unit: Unit) -> object:
        held = exports.get(unit.session, export)
        held.state = "running"
        exports.shards_of(unit.session, export)[1].result = None
        unit.session.flush()
        found = releases.take_release(unit, export)
        held.state = "delivered"
        return found

    assert await world.database.write(forget) == releases.Stale((1,))


async def test_what_was_released_is_handed_over_whatever_becomes_of_the_run(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that somebody cancels between release and delivery goes on all the same: the partner
    gets what was released."""
    world, client = depot.office.world, depot.office.client
    request, digest = await depot.office.cleared()

    def full(*_: object) -> None:
        raise DestinationFailed("destination_full", "There is no room left.")

    with monkeypatch.context() as patched:
        patched.setattr("sharing.export.depot.deliver", full)
        export = await depot.triggered(request, digest)
        await until(
            lambda: world.database.read(lambda s: releases.is_released(s, export)), "the release"
        )
        await client.get_workflow_handle(export_workflow(export)).cancel()
    row = await depot.ended(export)
    assert row.state == "delivered"
    await depot.office.at(request, "delivered")
