"""The export worker's part: plan, shards, release, deliver, erase. It cannot decide anything, and
it demands the clearance from the database again at every step."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from temporalio import activity

from sharing.consent_feed import Follower
from sharing.errors import Refused
from sharing.export import releases, runs
from sharing.export.deliver import deliver
from sharing.export.destination import DestinationFailed
from sharing.export.erase import erase
from sharing.export.pack import ShardResult, write_shard
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.releases import Run, Stale
from sharing.export.runs import Fenced
from sharing.export.seal import Sealed, SealRefused, seal
from sharing.export.source import Candidate, SourceFailed
from sharing.export.staging import Staging, local
from sharing.export.table_sources import tables
from sharing.keys import secret, signing_key
from sharing.records.database import Database
from sharing.settings import Settings
from workflows.activities import hands
from workflows.activities.pulse import beating
from workflows.messages import Plan, ReleaseAttempt, ShardTask


class ExportPlane:
    """Moves bytes, with storage settings and keys that no other process has."""

    def __init__(
        self, database: Database, settings: Settings, follower: Follower | None = None
    ) -> None:
        self._database = database
        self._follower = follower or Follower(database, settings)
        self._shard_objects = settings.shard_objects
        self._silence = settings.takeover_seconds
        self._store = local(settings.store_url, "CLEARANCE_STORE_URL")
        self._tables = tables(settings, self._store)
        self._root = local(settings.delivery_url, "CLEARANCE_DELIVERY_URL")
        self._pseudonym_key = secret(settings.pseudonym_key, "CLEARANCE_PSEUDONYM_KEY")
        self._signing_key = signing_key(settings.signing_key, "CLEARANCE_SIGNING_KEY")
        self._tidying = set[asyncio.Task[None]]()
        self._packers = hands.processes(settings.pack_processes)
        self._threads = hands.threads(2)

    @activity.defn
    async def plan_export(self, export_id: str) -> Plan:
        """Cuts the scope into shards, once. Nothing is left to be made of what was released."""
        async with beating():
            if await self._database.read(lambda s: releases.is_released(s, export_id)):
                return Plan(0, self._silence)
            known = await self._database.read(lambda s: runs.planned(s, export_id))
            if known is None:
                await self._follower.up_to_date()
                objects, counted = await self._database.read(lambda s: runs.survey(s, export_id))
                known = await self._database.write(
                    lambda u: runs.plan(u, export_id, objects, self._shard_objects, counted)
                )
            return Plan(known, self._silence)

    @activity.defn
    async def export_shard(self, task: ShardTask) -> None:
        """One shard: ask every subject again, strip, hash, pack, commit. A shard that was
        committed already stays as it is."""
        async with beating(), self._tidied(task.export_id):
            fenced = await self._database.write(
                lambda u: runs.take_shard(u, task.export_id, task.number)
            )
            if fenced is None:
                return
            await self._follower.up_to_date()
            chosen = await self._database.read(lambda s: runs.choose(s, fenced))
            packed = await self._packed(task, fenced, chosen.candidates)
            await self._database.write(lambda u: runs.commit_shard(u, fenced, chosen, packed))

    async def _packed(
        self, task: ShardTask, fenced: Fenced, candidates: tuple[Candidate, ...]
    ) -> ShardResult:
        with _told():
            return await self._packers.run(
                write_shard,
                self._store / local(fenced.location, "location"),
                Staging(self._root, task.export_id).attempt(task.number, fenced.fence),
                task.number,
                candidates,
                packing=fenced.packing,
                category=fenced.category,
                pseudonyms=Pseudonyms(self._pseudonym_key, fenced.partner_id),
                age_recipient=fenced.age_recipient,
                attempt=str(fenced.fence),
                progress=None,
                columns=fenced.table.found(self._tables) if fenced.table else None,
            )

    @activity.defn
    async def release_package(self, export_id: str) -> ReleaseAttempt:
        """Puts the package together, seals it, and releases it in one transaction that looks at
        everything again. Where consent ended meanwhile it names the shards to make again."""
        async with beating(), self._tidied(export_id):
            if await self._database.read(lambda s: releases.is_released(s, export_id)):
                return ReleaseAttempt(released=True)
            run = await self._database.write(lambda u: releases.take_release(u, export_id))
            if isinstance(run, Stale):
                return ReleaseAttempt(released=False, stale=run.shards)
            await self._follower.up_to_date()
            proven = await self._database.read(lambda s: releases.proven(s, run))
            if isinstance(proven, Stale):
                await self._database.write(lambda u: releases.hold(u, run, proven))
                return ReleaseAttempt(released=False, stale=proven.shards)
            with _told():
                sealed = await self._threads.run(self._sealed, export_id, proven)
            await self._follower.up_to_date()  # sealing may have taken long
            demanded = self._follower.demanded
            outcome = await self._database.write(
                lambda u: releases.release(u, proven, sealed, demanded)
            )
            if isinstance(outcome, Stale):
                return ReleaseAttempt(released=False, stale=outcome.shards)
            return ReleaseAttempt(released=True)

    def _sealed(self, export_id: str, run: Run) -> Sealed:
        staging = Staging(self._root, export_id)
        package = staging.package(run.fence)
        for shard in run.shards:
            staging.gather(
                staging.attempt(shard.result.number, shard.fence),
                package,
                (*(file.path for file in shard.result.files), shard.result.manifest),
            )
        return seal(package, [s.result for s in run.shards], run.header, self._signing_key)

    @activity.defn
    async def deliver_package(self, export_id: str) -> None:
        """Hands over what was released. It may not give up: the bytes count as gone."""
        async with beating():
            released = await self._database.read(lambda s: releases.released(s, export_id))
            staging = Staging(self._root, export_id)
            destination = self._root / released.partner_id / export_id

            def hand_over() -> None:
                deliver(
                    staging.folder / f"package.{released.fence}",
                    destination,
                    released.envelope.encode(),
                )
                erase(staging.folder)

            await self._threads.run(hand_over)
            await self._database.write(lambda u: releases.delivered(u, export_id, str(destination)))

    @activity.defn
    async def erase_staging(self, export_id: str) -> None:
        """Erases whatever a run left in staging that ended without a release. It does not give up
        either: a destination that fails is tried again until it is there."""
        async with beating():
            if not await self._database.read(lambda s: runs.ended_in_vain(s, export_id)):
                return
            await self._threads.run(erase, Staging(self._root, export_id).folder)
            await self._database.write(lambda u: runs.erased(u, export_id))

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
        folder = Staging(self._root, export_id).folder
        try:
            for some in (self._packers, self._threads):
                await asyncio.to_thread(some.wait)
            if await self._database.read(lambda s: runs.is_over(s, export_id)):
                await asyncio.to_thread(erase, folder)
        except Exception as failure:
            logging.getLogger(__name__).warning("%s is left in staging: %s", export_id, failure)


@contextmanager
def _told() -> Iterator[None]:
    """Failures of disks become refusals with a cure."""
    try:
        yield
    except (DestinationFailed, SourceFailed) as failure:
        raise Refused(failure.code, str(failure)) from failure
    except SealRefused as failure:
        raise Refused("seal_refused", str(failure)) from failure
