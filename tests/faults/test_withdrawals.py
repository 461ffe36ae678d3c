"""Withdrawals aimed at every moment of an export: before the release they keep the subject out of
the package, after it they are recall items; never neither, never both."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import Session, select
from temporalio.testing import WorkflowEnvironment

from sharing.export.pseudonyms import Pseudonyms
from sharing.keys import secret
from sharing.orders import Verb
from sharing.records import consents, datasets
from sharing.records.database import Database
from sharing.records.datasets import DatasetObject
from sharing.records.exports import shards_of
from sharing.records.places import among
from sharing.records.recalls import RecallItem
from sharing.records.unit import Unit
from tests.faults.aimed import AFTER, BEFORE, INSIDE, Aimed, Crowd, words
from tests.faults.cases import cleared
from tests.faults.depot import Depot
from tests.faults.depot import depot as made
from tests.faults.test_races import pseudonyms_in
from tests.faults.watched import Watched
from tests.records.desk import Desk, at_desk
from tests.records.exporting import Exporting
from workflows import worker

pytestmark = pytest.mark.slow

PEOPLE, EACH = 110, 2
# Steps of the export worker: how often somebody withdraws right before it, and how many at once.
STEPS = {
    "is_released": (2, 1), "planned": (1, 2), "survey": (1, 1), "plan": (1, 2),
    "take_shard": (4, 1), "choose": (4, 1), "commit_shard": (4, 1), "take_release": (2, 1),
    "proven": (1, 4), "hold": (2, 1), "release": (2, 2), "released": (1, 2), "delivered": (1, 1),
}  # fmt: skip
RACES = 510  # on each kind of database, so more than a thousand in all


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    """A desk over a dataset in which the two photographs of one subject never lie together."""
    desk = await at_desk(database, tmp_path, subjects=1)
    rows = [
        {"dataset_id": desk.world.dataset, "index_version": 2, "position": n, "path": f"{n:04}.jpg",
         "subject": f"s{n % PEOPLE:03}", "bytes": 10, "modified_ns": 0,
         "media_type": "image/jpeg", "taken_at": None}
        for n in range(2 * PEOPLE)
    ]  # fmt: skip

    def fill(unit: Unit) -> None:
        datasets.append_objects(unit.session, rows)
        datasets.publish_index(unit.session, desk.world.dataset, 2)

    await database.write(fill)
    return desk


@pytest.fixture
async def crowd(desk: Desk, database_url: str) -> AsyncIterator[Crowd]:
    """Everybody in that dataset, of whom nobody was asked yet."""
    everybody = [f"s{n:03}" for n in range(PEOPLE)]
    async with Database(database_url) as elsewhere:
        yield Crowd(desk.database, elsewhere, everybody, random.Random(20141123))


def inside(session: Session, export: str) -> Counter[str]:
    """The objects that a release holds by subject, as the database knows it."""
    counted: Counter[str] = Counter()
    for shard in shards_of(session, export):
        rows = session.execute(
            select(DatasetObject.position, DatasetObject.subject).where(
                DatasetObject.index_version == 2,
                DatasetObject.position >= shard.first,
                DatasetObject.position <= shard.last,
            )
        ).all()
        held = among(shard.places, shard.first, np.array([row[0] for row in rows]))
        counted.update(row[1] for row, there in zip(rows, held, strict=True) if there)
    return counted


def items(session: Session, export: str) -> dict[str, int]:
    """Subjects with a recall item for an export, and their objects."""
    rows = session.exec(select(RecallItem).where(RecallItem.export_id == export))
    return {row.subject: row.objects for row in rows}


async def test_withdrawals_at_every_moment_of_an_export(desk: Desk, crowd: Crowd) -> None:
    """At least 510 withdrawals on each kind of database, each known to have met the moment that it
    was aimed at: whoever withdrew before a release is in no shard of it, whoever withdrew in it or
    after it has one item with the objects that went out, for each release, and nobody else has."""
    while crowd.hits.total() < RACES:
        await crowd.agree(crowd.subjects)
        request, digest = await desk.cleared(index=2)
        export = Exporting(desk, request, digest, await desk.triggered(request, digest))
        aimed = Aimed(crowd, export, EACH)
        await aimed.run()
        objects = crowd.out[export.export]
        assert await desk.database.read(lambda s, e=export: inside(s, e.export)) == objects  # type: ignore[misc]
        assert 0 < len(objects) < PEOPLE
        for earlier, due in crowd.due.items():
            found = await desk.database.read(lambda s, e=earlier: items(s, e))  # type: ignore[misc]
            assert found == {subject: crowd.out[earlier][subject] for subject in due}
    assert len(crowd.out) > 1
    assert set(crowd.hits) == {*BEFORE, INSIDE, AFTER}
    assert min(crowd.hits.values()) >= EACH * len(crowd.out)


@pytest.fixture
async def depot(
    temporal: WorkflowEnvironment,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Depot]:
    """An office with photographs of 60 people, on each kind of database."""
    async with made(
        temporal, database, tmp_path, monkeypatch, people=60, shard_objects=24
    ) as depot:
        yield depot


async def test_withdrawals_before_every_step_of_the_export_worker(
    depot: Depot, database_url: str
) -> None:
    """Through the real workflow: somebody withdraws before each step that the worker takes, singly
    or four at once. Whoever was before the release is not in the package that is delivered, whoever
    came after it has a recall item, and nobody else has."""
    willing, early, late = list(depot.subjects), set[str](), set[str]()
    left = {step: times for step, (times, _) in STEPS.items()}
    request, digest = await cleared(depot)
    order = depot.world.order(Verb.TRIGGER, request, depot.world.people["engineer"], digest)

    async def before(step: str) -> None:
        if not left.get(step):
            return
        left[step] -= 1
        people = [willing.pop() for _ in range(STEPS[step][1])]
        over = await depot.released(order.id)
        await depot.world.database.write(lambda u: consents.append(u, words(people, "withdrawn")))
        assert await depot.released(order.id) == over, "the release came between"
        (late if over else early).update(people)

    async with (
        Watched(database_url, before) as watched,
        worker.export_worker(depot.office.client, watched, depot.office.settings),
    ):
        await depot.send(order)
        row = await depot.ended(order.id)
    assert (row.state, row.detail) == ("delivered", None)
    assert not any(left.values()), "a moment was not met"
    await depot.world.say(willing[0], "withdrawn")
    late.add(willing.pop(0))
    names = Pseudonyms(secret(depot.office.settings.pseudonym_key, "key"), depot.world.partner)
    out = {names.subject(subject) for subject in set(depot.subjects) - early}
    assert pseudonyms_in(row.location) == out
    assert await depot.read(lambda s: items(s, order.id)) == dict.fromkeys(late, 2)
