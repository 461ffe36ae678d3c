"""The export worker's part: plan, shards, release, deliver, erase. It cannot decide anything, and
it demands the clearance from the database again at every step."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

from temporalio import activity

from sharing.consent_feed import Follower
from sharing.dry_run import DryRun
from sharing.errors import NotYet, Refused
from sharing.export import erasures, releases, room, runs
from sharing.export.bucket import DestinationAway, SourceAway, joined, place
from sharing.export.bucket_depot import depot_at, sealed_by, write
from sharing.export.canary import Planted
from sharing.export.canary import planted as drawings
from sharing.export.destination import DestinationFailed
from sharing.export.dry_run import dry_run
from sharing.export.pace import Stopped
from sharing.export.pack import ShardResult
from sharing.export.plan import Bounds, Piece
from sharing.export.planting import asked, recorded
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.pushing import push
from sharing.export.releases import Stale
from sharing.export.runs import Fenced
from sharing.export.seal import SealRefused
from sharing.export.source import Candidate, SourceFailed
from sharing.export.stopwatch import Spent, Step
from sharing.export.table_sources import tables
from sharing.keyring import keyring
from sharing.keys import public_text, signing_key
from sharing.records import pseudonym_keys, signing_keys
from sharing.records.database import Database
from sharing.settings import Settings
from workflows.activities import attempts, hands
from workflows.activities.pulse import beating
from workflows.activities.underway import UnderWay
from workflows.messages import Plan, ReleaseAttempt, ShardDone, ShardTask


class ExportPlane:
    """Moves bytes, with storage settings and keys that no other process has."""

    def __init__(
        self, database: Database, settings: Settings, follower: Follower | None = None
    ) -> None:
        self._database = database
        self._follower = follower or Follower(database, settings)
        self._bounds = Bounds(settings.shard_objects, settings.shard_bytes)
        self._silence = settings.takeover_seconds
        self._window = settings.window_shards
        self._store = place(settings.store_url, "CLEARANCE_STORE_URL")
        self._tables = tables(settings, self._store)
        self._depot = depot_at(settings.delivery_url, "CLEARANCE_DELIVERY_URL")
        self._keyring = keyring(settings.pseudonym_key)
        self._signing_key = signing_key(settings.signing_key, "CLEARANCE_SIGNING_KEY")
        self._public_key = public_text(self._signing_key)
        self._tidying = set[asyncio.Task[None]]()
        self._object_seconds = settings.object_seconds
        self._late = Spent()  # a commit's time is known when it is over: the next one records it
        self._under_way = UnderWay(database, settings.export_bytes_per_second)
        self._room = settings.delivery_url, settings.staging_bytes_max
        self._packers = hands.processes(settings.pack_processes, self._under_way.board)
        self._threads = hands.threads(2)

    @property
    def at_once(self) -> int:
        """How many activities a worker takes: a shard for each packing process, one whose subjects
        are asked meanwhile, and one for whatever else there is."""
        return self._packers.number + 2

    @activity.defn
    async def plan_export(self, export_id: str) -> Plan:
        """Cuts the scope into shards, once. Nothing is left to be made of what was released."""
        async with beating(), self._under_way.phase(export_id, "plan"):
            if await self._database.read(lambda s: releases.is_released(s, export_id)):
                return Plan(0, self._silence, self._window)
            known = await self._database.read(lambda s: runs.planned(s, export_id))
            if known is None:
                await self._database.write(
                    lambda u: pseudonym_keys.settle_for(u, export_id, self._keyring)
                )
                await self._follower.up_to_date()
                pieces, counted = await self._database.read(
                    lambda s: runs.survey(s, export_id, self._bounds)
                )
                await self._reserve(export_id, pieces)
                known = await self._database.write(
                    lambda u: runs.plan(u, export_id, pieces, counted)
                )
            total = await self._database.read(lambda s: runs.total(s, export_id))
            return Plan(known, self._silence, self._window, objects=total)

    async def _reserve(self, export_id: str, pieces: Sequence[Piece]) -> None:
        objects, size = sum(p.objects for p in pieces), sum(p.bytes for p in pieces)
        await self._database.write(lambda u: room.reserve(u, export_id, objects, size, *self._room))

    @activity.defn
    async def dry_run_export(self, request_id: str) -> DryRun:
        """Counts what an export would come to, and writes nothing."""
        await self._follower.up_to_date()
        return await self._database.read(
            lambda s: dry_run(s, request_id, self._bounds, *self._room)
        )

    @activity.defn
    async def export_shard(self, task: ShardTask) -> ShardDone:
        """One shard: ask every subject again, strip, hash, pack, commit. A shard that was
        committed already stays as it is."""
        async with beating(), self._tidied(task.export_id):
            spent = Spent()
            with spent.on(Step.SELECT):
                fenced = await self._database.write(
                    lambda u: runs.take_shard(u, task.export_id, task.number)
                )
                if fenced is None:
                    counted = await self._database.read(
                        lambda s: runs.committed(s, task.export_id, task.number)
                    )
                    return ShardDone(*counted)
            async with attempts.told(self._database, fenced):
                return await self._attempt(task, fenced, spent)

    async def _attempt(self, task: ShardTask, fenced: Fenced, spent: Spent) -> ShardDone:
        with spent.on(Step.SELECT):
            await self._follower.up_to_date()
            chosen = await self._database.read(lambda s: runs.choose(s, fenced))
        try:
            packed = await self._packed(task, fenced, chosen.candidates)
        except Stopped:
            raise await self._database.read(lambda s: runs.why_stopped(s, fenced)) from None
        spent.update(self._late)
        self._late.clear()
        with self._late.on(Step.COMMIT):
            await self._database.write(
                lambda u: runs.commit_shard(u, fenced, chosen, packed, spent)
            )
        excluded = sum(chosen.excluded.values()) + len(packed.unread)
        return ShardDone(packed.objects, packed.bytes, excluded)

    async def _packed(
        self, task: ShardTask, fenced: Fenced, candidates: tuple[Candidate, ...]
    ) -> ShardResult:
        key = await self._database.write(
            lambda u: pseudonym_keys.settle(u, fenced.partner_id, self._keyring)
        )
        planted = await self._planted(fenced, candidates, key)
        of_attempt = task.export_id, task.number, fenced.fence
        with _told():
            async with self._under_way.shard(task.export_id, fenced.steered) as pace:
                return await self._packers.run(
                    write,
                    joined(self._store, fenced.location, "location"),
                    self._depot.attempt(*of_attempt),
                    task.number,
                    candidates,
                    packing=fenced.packing,
                    category=fenced.category,
                    pseudonyms=Pseudonyms(key, fenced.partner_id),
                    age_recipient=fenced.age_recipient,
                    attempt=str(fenced.fence),
                    progress=pace,
                    watch=self._depot.watch(*of_attempt, self._object_seconds),
                    planted=planted,
                    columns=fenced.table.found(self._tables) if fenced.table else None,
                )

    async def _planted(
        self, fenced: Fenced, candidates: tuple[Candidate, ...], key: bytes
    ) -> tuple[Planted, ...]:
        """The canaries of a shard, on record. One of which nothing else goes gets none."""
        planting = await self._database.read(lambda s: asked(s, fenced))
        if planting is None or not candidates:
            return ()
        position = candidates[0].consent_position
        made = await self._threads.run(drawings, key, planting, fenced.number, position)
        await self._database.write(lambda u: recorded(u, fenced, made))
        return made

    @activity.defn
    async def release_package(self, export_id: str) -> ReleaseAttempt:
        """Puts the package together, seals it, and releases it in one transaction that looks at
        everything again. Where consent ended meanwhile it names the shards to make again."""
        async with (
            beating(),
            self._under_way.phase(export_id, "release"),
            self._tidied(export_id),
        ):
            if await self._database.read(lambda s: releases.is_released(s, export_id)):
                return ReleaseAttempt(released=True)
            await self._database.read(lambda s: signing_keys.demand_standing(s, self._public_key))
            run = await self._database.write(lambda u: releases.take_release(u, export_id))
            if isinstance(run, Stale):
                return ReleaseAttempt(released=False, stale=run.shards)
            await self._follower.up_to_date()
            proven = await self._database.read(lambda s: releases.proven(s, run))
            if isinstance(proven, Stale):
                await self._database.write(lambda u: releases.hold(u, run, proven))
                return ReleaseAttempt(released=False, stale=proven.shards)
            spent = Spent()
            with _told(), spent.on(Step.SEAL):
                key = self._signing_key.private_bytes_raw()
                sealed = await self._packers.run(
                    sealed_by, self._depot, replace(proven, proof=None), key
                )
            await self._follower.up_to_date()  # sealing may have taken long
            demanded = self._follower.demanded
            outcome = await self._database.write(
                lambda u: releases.release(u, proven, sealed, demanded, spent)
            )
            if isinstance(outcome, Stale):
                return ReleaseAttempt(released=False, stale=outcome.shards)
            return ReleaseAttempt(released=True)

    @activity.defn
    async def deliver_package(self, export_id: str) -> None:
        """Hands over what was released. It may not give up: the bytes count as gone."""
        async with beating(), self._under_way.phase(export_id, "deliver"):
            released = await self._database.read(lambda s: releases.released(s, export_id))
            spent, pushed = Spent(), None
            with spent.on(Step.DELIVER):
                lies = await self._threads.run(self._depot.deliver, export_id, released)
                if released.push is not None:
                    envelope = released.envelope.encode()
                    pushed = await self._threads.run(push, lies, released.push, envelope)
            await self._database.write(
                lambda u: releases.delivered(u, export_id, str(lies), pushed, spent)
            )

    @activity.defn
    async def erase_staging(self, export_id: str) -> None:
        """Erases whatever a run left in staging that ended without a release. It does not give up
        either: a destination that fails is tried again until it is there."""
        async with beating():
            if not await self._database.read(lambda s: runs.ended_in_vain(s, export_id)):
                return
            spent = Spent()
            with spent.on(Step.ERASE):
                await self._erase_counted(export_id)
            left = await asyncio.to_thread(self._depot.found, export_id)
            await self._database.write(lambda u: erasures.done(u, export_id, left, spent))

    async def _erase_counted(self, export_id: str) -> None:
        """Whoever comes first counts: an attempt that was under way, or the run's own erasing."""
        there = await asyncio.to_thread(self._depot.found, export_id)
        await self._database.write(lambda u: erasures.begun(u, export_id, there))
        await asyncio.to_thread(self._depot.erase, export_id)

    @asynccontextmanager
    async def _tidied(self, export_id: str) -> AsyncIterator[None]:
        """An attempt that was taken for dead may wake up when its export has ended, and stage what
        nobody will ever deliver: that goes again."""
        try:
            yield
        except BaseException:
            task = asyncio.create_task(self._tidy(export_id))
            self._tidying.add(task)
            task.add_done_callback(self._tidying.discard)
            raise

    async def _tidy(self, export_id: str) -> None:
        try:
            for some in (self._packers, self._threads):
                await asyncio.to_thread(some.wait)
            if not await self._database.read(lambda s: runs.is_over(s, export_id)):
                return
            # Asked after that, for it may end between the two, and a state of an end stays.
            if await self._database.read(lambda s: runs.ended_in_vain(s, export_id)):
                await self._erase_counted(export_id)
            else:
                await asyncio.to_thread(self._depot.erase, export_id)
        except Exception as failure:
            logging.getLogger(__name__).warning("%s is left in staging: %s", export_id, failure)


@contextmanager
def _told() -> Iterator[None]:
    """Failures of disks become refusals with a cure; a store that is away is tried again."""
    try:
        yield
    except (DestinationAway, SourceAway) as failure:
        raise NotYet(failure.code, str(failure)) from failure
    except (DestinationFailed, SourceFailed) as failure:
        raise Refused(failure.code, str(failure)) from failure
    except SealRefused as failure:
        raise Refused("seal_refused", str(failure)) from failure
