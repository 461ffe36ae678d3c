"""The transaction in which bytes leave: it looks at everything once more, and happens once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from sharing.errors import NotCleared, Refused
from sharing.export import releases, runs
from sharing.export.pack import ShardResult
from sharing.export.releases import Stale
from sharing.orders import Verb
from sharing.records import audit, clocks, exports, interests
from sharing.records.database import Database
from sharing.records.parties import RoleGrant
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Role
from tests.records.desk import at_desk
from tests.records.exporting import SEALED, Exporting, exporting
from workflows.activities.exports import Exports


@pytest.fixture
async def export(database: Database, tmp_path: Path) -> Exporting:
    """An export with all its shards packed, on each of the two kinds of database."""
    there = await exporting(await at_desk(database, tmp_path))
    await there.all_packed()
    return there


async def test_release_happens_once(export: Exporting) -> None:
    """A packed export is released by one row, one audit entry and one event, also when the same
    attempt is made again."""
    run = await export.attempt()
    assert await export.release(run) is None
    assert await export.release(run) is None
    row = await export.released()
    assert row is not None
    assert (row.objects, row.fence, row.digest) == (10, run.fence, export.digest)
    entries = await export.desk.database.read(lambda s: audit.page(s, 0, 10_000, export.request))
    assert [e.action for e in entries].count("export.released") == 1


async def test_who_is_superseded_holds_nothing_back(export: Exporting) -> None:
    """An attempt that wakes up behind a newer one sends no shard back to be made again."""
    old, new = await export.attempt(), await export.attempt()
    await export.desk.database.write(lambda u: releases.hold(u, old, Stale((0,))))
    shards = await export.desk.database.read(lambda s: exports.shards_of(s, export.export))
    assert all(shard.result is not None for shard in shards)
    assert await export.release(new) is None


async def test_superseded_attempt_releases_nothing(export: Exporting) -> None:
    """An attempt that a later one has taken over from is refused by the database; the later one
    releases (I19)."""
    earlier, later = await export.attempt(), await export.attempt()
    with pytest.raises(Refused) as refused:
        await export.release(earlier)
    assert refused.value.code == "not_cleared"
    assert await export.released() is None
    assert await export.release(later) is None


async def test_who_withdrew_is_not_released(export: Exporting) -> None:
    """A withdrawal between shard and release holds the release, names the shard, and once that
    was made again without the subject the rest is released (I8, I9)."""
    await export.desk.world.say("s004", "withdrawn")
    assert await export.release(await export.attempt()) == Stale((1,))
    assert await export.released() is None
    again = await export.packed(1)
    assert {c.subject for c in again.candidates} == {"s002", "s003"}
    assert again.excluded == {"withdrawn": 2}
    assert await export.release(await export.attempt()) is None
    row = await export.row()
    assert row.excluded == {"withdrawn": 2}


async def test_attempt_that_died_names_the_shards_again(export: Exporting) -> None:
    """Shards that were found stale stay to be made again, whoever asks next."""
    await export.desk.world.say("s004", "withdrawn")
    await export.release(await export.attempt())
    stale = await export.desk.database.write(lambda u: releases.take_release(u, export.export))
    assert stale == Stale((1,))


async def test_superseded_shard_is_not_committed(database: Database, tmp_path: Path) -> None:
    """Of two attempts at one shard only the later one's files count."""
    there = await exporting(await at_desk(database, tmp_path))
    await there.planned()
    earlier = await database.write(lambda u: runs.take_shard(u, there.export, 0))
    assert earlier is not None
    chosen = await database.read(lambda s: runs.choose(s, earlier))
    later = await database.write(lambda u: runs.take_shard(u, there.export, 0))
    assert later is not None
    result = ShardResult(0, (), 9, 9, "m", "x", ())
    with pytest.raises(Refused) as refused:
        await database.write(lambda u: runs.commit_shard(u, earlier, chosen, result))
    assert refused.value.code == "superseded"
    await database.write(lambda u: runs.commit_shard(u, later, chosen, result))
    assert await database.write(lambda u: runs.take_shard(u, there.export, 0)) is None


async def test_planning_twice_is_planning_once(database: Database, tmp_path: Path) -> None:
    """The same plan made again, even with another size, leaves the shards as they are."""
    there = await exporting(await at_desk(database, tmp_path))
    assert [await there.planned(6), await there.planned(2)] == [4, 4]


async def cancelled(export: Exporting) -> None:
    """An engineer stops the export."""
    world = export.desk.world
    order = world.order(
        Verb.CANCEL, export.request, world.people["engineer"], export.digest, export=export.export
    )
    await Exports(export.desk.database).record_cancellation(order)


async def recused(export: Exporting) -> None:
    """A tie of the conflict officer to the partner becomes known."""
    world = export.desk.world
    await world.declare_interest(world.people["conflict_officer"], "Northlight Vision")
    await export.desk.database.write(lambda u: interests.recuse(
        u.session, export.request, interests.matches(u.session, world.partner)))  # fmt: skip


async def ended(export: Exporting, role: Role) -> None:
    """A person loses a role."""
    who = export.desk.world.people[role]

    def end(unit: Unit) -> None:
        for grant in unit.session.exec(select(RoleGrant).where(RoleGrant.person_id == who)):
            grant.valid_until = now()

    await export.desk.database.write(end)


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (cancelled, "export_cancelled"),
        (lambda export: export.desk.withdrawn(export.request), "export_cancelled"),
        (recused, "not_cleared"),
        (lambda export: ended(export, Role.ENGINEER), "not_cleared"),
        (lambda export: ended(export, Role.LEGAL_COUNSEL), "not_cleared"),
    ],
)
async def test_what_happens_before_release_counts(
    export: Exporting, happens: Callable[[Exporting], Any], code: str
) -> None:
    """Cancelled, withdrawn, a decider recused or out of office, the engineer out of office: each
    of these before the release, and nothing leaves (I4, I21)."""
    run = await export.attempt()
    await happens(export)
    with pytest.raises(Refused) as refused:
        await export.release(run)
    assert refused.value.code == code
    assert await export.released() is None


async def test_clearance_that_ran_out_releases_nothing(
    export: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the clearance has run out neither shard nor release goes on (I22)."""
    run = await export.attempt()
    later = now() + timedelta(days=31)
    monkeypatch.setattr(clocks, "now", lambda: later)
    with pytest.raises(NotCleared, match="ran out"):
        await export.release(run)
    with pytest.raises(NotCleared):
        await export.packed(0)


async def test_no_release_without_its_audit_entry(export: Exporting) -> None:
    """While the audit log cannot be written, nothing is released (F14)."""
    run = await export.attempt()

    def with_broken_log(unit: Unit) -> None:
        releases.release(unit, run, SEALED)
        unit.audit("tester", "unwritable", None, detail={1: "a key that is no text"})

    with pytest.raises(Exception, match=r"keys must be strings|encode"):
        await export.desk.database.write(with_broken_log)
    assert await export.released() is None
    assert await export.release(run) is None
