"""Exports that are paused, resumed and limited, and the room that they need, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from sharing.dry_run import DryRun
from sharing.errors import NotCleared, NotYet
from sharing.export import erasures, room, runs
from sharing.export.dry_run import dry_run
from sharing.export.erase import Found
from sharing.export.pack import ShardResult
from sharing.export.plan import Bounds
from sharing.orders import Order, Verb
from sharing.records import clearances, clocks, exports, heads, parties, pulses, steering
from sharing.records.export_views import export_view
from sharing.records.exports import Export
from sharing.records.pulses import Beat
from sharing.records.tables import now
from sharing.stages import Role
from tests.records.by_hand import Hand
from tests.records.conftest import Console
from tests.records.desk import Desk
from tests.records.exporting import Exporting, exporting
from tests.records.refusals import entries, record, refusal
from tests.records.test_release_rule import release, world

ELSEWHERE = "file:///nowhere/at/all"


def order(here: Exporting, verb: Verb, who: str = "engineer", **body: Any) -> Order:
    """What somebody orders of this export."""
    there = here.desk.world
    return there.order(verb, here.request, there.people[who], export=here.export, **body)


async def told(here: Exporting, verb: Verb, who: str = "engineer", **body: Any) -> None:
    """The same, recorded."""
    await record(here.desk, order(here, verb, who, **body))


async def view(here: Exporting) -> dict[str, Any]:
    """The export as people inside see it."""
    return await here.desk.database.read(
        lambda s: export_view(s, exports.get(s, here.export), inside=True)
    )


async def test_nothing_of_a_paused_export_is_released(desk: Desk) -> None:
    """A paused export is neither planned nor packed nor released, whatever attempt was under way;
    resumed, it goes out where it was."""
    here = await exporting(desk)
    await here.all_packed()
    run = await here.attempt()
    await told(here, Verb.PAUSE)
    for step in (here.release(run), here.attempt(), here.packed(0)):
        with pytest.raises(NotYet) as later:
            await step
        assert later.value.code == "export_paused"
    assert await here.released() is None
    await told(here, Verb.RESUME, "second_engineer")
    assert await here.release(await here.attempt()) is None
    assert await here.released() is not None
    said = await entries(desk, here.request)
    assert [w for w in said if w in ("export.paused", "export.resumed")] == [
        "export.paused",
        "export.resumed",
    ]


async def test_a_paused_export_is_not_planned(desk: Desk) -> None:
    """An export that is paused before its plan waits with it."""
    here = await exporting(desk)
    await told(here, Verb.PAUSE)
    with pytest.raises(NotYet):
        await here.planned()
    assert (await here.row()).shards is None


async def test_what_was_packed_when_it_was_paused_is_kept(desk: Desk) -> None:
    """A shard that was made already is committed although the export was paused meanwhile:
    committing leads nowhere by itself."""
    here = await exporting(desk)
    await here.planned()
    database = desk.database
    fenced = await database.write(lambda u: runs.take_shard(u, here.export, 0))
    assert fenced is not None
    chosen = await database.read(lambda s: runs.choose(s, fenced))
    await told(here, Verb.PAUSE)
    done = ShardResult(0, (), len(chosen.candidates), 1, "m", "x" * 64, ())
    await database.write(lambda u: runs.commit_shard(u, fenced, chosen, done))
    assert (await view(here))["progress"]["shards"]["done"] == 1


async def test_a_clearance_runs_out_while_it_is_paused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause stops no deadline: behind the clearance's end nothing is released, paused or not."""
    here = await exporting(desk)
    await here.all_packed()
    await told(here, Verb.PAUSE)
    clearance = await desk.database.read(lambda s: clearances.of(s, here.request, here.digest))
    assert clearance is not None
    later = clearance.valid_until + timedelta(seconds=1)
    monkeypatch.setattr(clocks, "now", lambda: later)
    with pytest.raises(NotCleared):
        await here.attempt()


async def test_an_order_from_before_a_pause_does_not_end_it(desk: Desk) -> None:
    """A signed order to resume that somebody kept from before the pause is refused; a pause that
    is recorded twice is one."""
    here = await exporting(desk)
    kept = order(here, Verb.RESUME)
    pause = order(here, Verb.PAUSE)
    await record(desk, pause)
    await record(desk, pause)
    assert await refusal(desk, record(desk, kept)) == "stale_order"
    assert (await here.row()).paused_at == datetime.fromisoformat(pause.at)


async def test_a_forged_order_pauses_nothing(desk: Desk) -> None:
    """What the API did not sign, or signed for another verb, changes nothing and is in the log."""
    here = await exporting(desk)
    forged = replace(order(here, Verb.PAUSE), actor=desk.world.people["second_engineer"])
    assert await refusal(desk, record(desk, forged)) == "forged_order"
    other = replace(order(here, Verb.LIMIT, limit_bytes_per_second=5000), verb=Verb.PAUSE)
    assert await refusal(desk, record(desk, other)) == "forged_order"


@pytest.mark.parametrize("verb", [Verb.PAUSE, Verb.RESUME, Verb.LIMIT])
async def test_who_may_steer(desk: Desk, verb: Verb) -> None:
    """Only an engineer who might trigger it steers an export: nobody who decided on it."""
    here = await exporting(desk)
    body: dict[str, Any] = {"limit_bytes_per_second": 5000} if verb is Verb.LIMIT else {}
    assert await refusal(desk, record(desk, order(here, verb, "auditor", **body))) == "not_eligible"
    counsel = desk.world.people["legal_counsel"]
    await desk.database.write(lambda u: parties.grant_roles(u.session, counsel, [Role.ENGINEER]))
    step = record(desk, order(here, verb, "legal_counsel", **body))
    assert await refusal(desk, step) == "not_eligible"
    await told(here, verb, "second_engineer", **body)


@pytest.mark.parametrize("verb", [Verb.PAUSE, Verb.RESUME, Verb.LIMIT])
async def test_what_left_is_not_steered(desk: Desk, verb: Verb) -> None:
    """After the release, and after a cancellation, there is nothing to steer."""
    here = await exporting(desk)
    await here.all_packed()
    assert await here.release(await here.attempt()) is None
    body: dict[str, Any] = {"limit_bytes_per_second": 5000} if verb is Verb.LIMIT else {}
    assert await refusal(desk, record(desk, order(here, verb, **body))) == "wrong_state"


async def test_a_paused_export_is_cancelled_like_any_other(desk: Desk) -> None:
    """Cancelling ends a paused export; it shows no pause any more, and is not resumed."""
    here = await exporting(desk)
    await told(here, Verb.PAUSE)
    assert (await view(here))["waiting_for"]["act"] == "resume"
    await told(here, Verb.CANCEL)
    shown = await view(here)
    assert (shown["state"], shown["paused_at"], shown["waiting_for"]) == ("cancelled", None, None)
    assert await refusal(desk, record(desk, order(here, Verb.RESUME))) == "wrong_state"


async def test_a_limit_is_recorded_and_audited(desk: Desk) -> None:
    """Each change of a limit is in the log with its number; the same limit again is none."""
    here = await exporting(desk)
    for wanted in (5000, 5000, None):
        await told(here, Verb.LIMIT, limit_bytes_per_second=wanted)
        assert (await here.row()).limit_bytes_per_second == wanted
    assert (await entries(desk, here.request)).count("export.limited") == 2


async def test_the_database_refuses_a_paused_release(console: Console) -> None:
    """Past all our code: a row of a release is refused while its export is paused, by a rule of its
    own, and taken once it is not."""

    def tried(connection: Connection) -> list[object]:
        hand = Hand(connection)
        world(hand)
        with hand.undone():
            before = release(hand)
        moment = hand.at(datetime.fromisoformat("2026-01-01T12:00:20+00:00"))
        hand.run("UPDATE export SET paused_at = :at, paused_by = 'x'", at=moment)
        row = {"export_id": "exp", "request_id": "req", "digest": "d" * 64, "fence": 2,
               "consent_position": 0, "objects": 1, "bytes": 1, "manifest_sha256": "m",
               "envelope": "{}", "released_at": hand.at(now())}  # fmt: skip
        said = hand.refused_row("release", **row) or ""
        paused = release(hand)
        half = hand.refused("UPDATE export SET paused_at = NULL")
        hand.run("UPDATE export SET paused_at = NULL, paused_by = NULL")
        return [before, "clearance: " in said, paused, half is not None, release(hand)]

    assert await console(tried) == [True, True, False, True, True]


async def test_room_is_kept_for_exports_under_way(desk: Desk) -> None:
    """What another export still needs is not there for this one: too little is refused with the
    numbers, before anything is planned; what it has written already counts no longer."""
    first = await exporting(desk)
    second = await exporting(desk)
    needs = room.needed(20, 200)

    async def asked(here: Exporting, most: int | None) -> str:
        def work(unit: Any) -> None:
            room.reserve(unit, here.export, 20, 200, ELSEWHERE, most)

        try:
            await desk.database.write(work)
        except Exception as refused:
            return getattr(refused, "code", "")
        return "kept"

    assert await asked(first, needs) == "kept"
    assert await asked(first, needs) == "kept", "the same again is no second one"
    assert await asked(second, needs * 2 - 1) == "staging_quota"
    assert (await second.row()).needs_bytes is None
    assert await asked(second, needs * 2) == "kept"
    there = await desk.database.read(lambda s: room.room(s, ELSEWHERE, None, but=first.export))
    assert (there.promised, there.held) == (needs, needs)
    await told(second, Verb.CANCEL)
    there = await desk.database.read(lambda s: room.room(s, ELSEWHERE, None, but=first.export))
    assert there.promised == 0


def test_too_little_room_is_told_with_the_numbers_and_the_cure() -> None:
    """The refusal names what is needed, what is free, what others need, and how much to free."""
    refused = room.Room(free=10_000, promised=4_000, held=4_000, most=None).short_of(7_500)
    assert refused is not None
    assert refused.code == "destination_full"
    for number in ("7,500", "10,000", "4,000", "1,500"):
        assert number in refused.detail
    assert room.Room(10_000, 4_000, 4_000, None).short_of(6_000) is None


def test_an_object_store_has_no_free_space() -> None:
    """Where the destination is no folder nothing is compared, and only a quota of our own holds."""
    assert room.free("s3://bucket/packages") is None
    assert room.Room(None, 5, 5, None).short_of(10**15) is None


async def test_erasing_is_proven(desk: Desk) -> None:
    """The log says once how much was erased, although it took two attempts, and that nothing was
    found afterwards; the export shows it."""
    here = await exporting(desk)
    await told(here, Verb.CANCEL)
    write = desk.database.write
    await write(lambda u: erasures.begun(u, here.export, Found(10, 1000)))
    with pytest.raises(NotYet):
        await write(lambda u: erasures.done(u, here.export, Found(4, 400)))
    assert (await view(here))["erased"] is None
    await write(lambda u: erasures.begun(u, here.export, Found(4, 400)))
    for _ in range(2):
        await write(lambda u: erasures.done(u, here.export, Found(0, 0)))
    assert (await entries(desk, here.request)).count("export.erased") == 1
    erased = (await view(here))["erased"]
    assert (erased["files"], erased["bytes"]) == (10, 1000)


async def test_a_dry_run_counts_and_changes_nothing(desk: Desk) -> None:
    """What would go, what would not and why, shards, room and time; no row anywhere changes."""
    here = await exporting(desk)
    await desk.world.say("s003", "withdrawn")

    async def asked() -> DryRun:
        def work(session: Any) -> DryRun:
            return dry_run(session, here.request, Bounds(6, 1000), ELSEWHERE, None)

        return await desk.database.read(work)

    heads_before = await desk.database.read(lambda s: heads.position(s.connection(), "audit"))
    found = await asked()
    assert (found.objects, found.bytes, found.shards) == (20, 200, 4)
    assert (found.covered_objects, dict(found.excluded)) == (18, {"withdrawn": 2})
    assert (found.obstacle, found.seconds, found.objects_per_second) == ("export_live", None, None)
    assert found.free_bytes is not None
    assert await desk.database.read(lambda s: heads.position(s.connection(), "audit")) == (
        heads_before
    )
    await desk.world.say("s003")
    await here.all_packed()
    assert await here.release(await here.attempt()) is None
    assert (await asked()).seconds is not None


async def test_progress_tells_rate_and_stalls(desk: Desk) -> None:
    """Rates come from the workers' last seconds; a running export that gives no sign of life for
    30 seconds is stalled, and a paused one is not."""
    here = await exporting(desk)
    await here.planned()

    def beat(objects: int, *, limited: bool = False) -> Beat:
        return Beat(here.export, pulses.SHARDS, objects, objects * 10, 1, 3, 30, limited, 1.0)

    for ago, objects in ((2, 5), (1, 3), (0, 2)):
        at = now() - timedelta(seconds=ago)
        await desk.database.write(lambda u: pulses.write(u, "w", [beat(objects)], at))  # noqa: B023
    shown = (await view(here))["progress"]
    assert shown["under_way"] == {"shards": 1, "objects": 3, "bytes": 30}
    assert shown["objects_per_second"] == pytest.approx(10 / 3, rel=0.3)
    assert shown["seconds_left"] == round((20 - 3) / shown["objects_per_second"])
    assert (shown["stalled"], shown["limited"]) == (False, False)

    def long_ago(unit: Any) -> None:
        row: Export = exports.get(unit.session, here.export)
        row.planned_at = row.triggered_at = now() - timedelta(minutes=1)
        pulses.forget(unit.session, here.export)
        unit.session.flush()
        pulses.write(unit, "w", [beat(0)], now())

    await desk.database.write(long_ago)
    assert (await view(here))["progress"]["stalled"] is True
    await desk.database.write(lambda u: pulses.write(u, "w", [beat(0, limited=True)], now()))
    shown = (await view(here))["progress"]
    assert (shown["stalled"], shown["limited"]) == (False, True)
    await told(here, Verb.PAUSE)
    shown = (await view(here))["progress"]
    assert (shown["stalled"], shown["seconds_left"]) == (False, None)


async def test_an_exports_limit_is_shared_by_its_workers(desk: Desk) -> None:
    """Each worker that makes shards of an export now gets its part of the limit; one that said
    nothing for three seconds gets none."""
    here = await exporting(desk)
    await told(here, Verb.LIMIT, limit_bytes_per_second=6000)
    beat = Beat(here.export, pulses.SHARDS, 1, 10, 1, 1, 10, False, 1.0)
    for worker, ago in (("one", 0), ("two", 1), ("gone", 10)):
        at = now() - timedelta(seconds=ago)
        await desk.database.write(lambda u: pulses.write(u, worker, [beat], at))  # noqa: B023
    found = await desk.database.read(lambda s: steering.steered(s, here.export))
    assert (found.wanted, found.limit, found.workers) == (True, 6000, 2)
