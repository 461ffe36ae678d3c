"""Two workers, two queues, two sets of secrets: one records decisions, one moves bytes."""

import asyncio
import logging
from datetime import date, timedelta

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from sharing.consent_feed import Follower
from sharing.keys import public_text, signing_key
from sharing.records import register, requests, signing_keys
from sharing.records.database import Database
from sharing.records.decisions import reopened_ids
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.activities.agreement import Agreements
from workflows.activities.conflict import ConflictSignoff
from workflows.activities.consent import ConsentVerification
from workflows.activities.decisions import Decisions
from workflows.activities.exports import Exports
from workflows.activities.indexing import Indexing
from workflows.activities.legal import LegalApproval
from workflows.activities.previews import Previews
from workflows.activities.purpose import PurposeReview
from workflows.activities.reminders import Reminders
from workflows.activities.shards import ExportPlane
from workflows.activities.steering import Steering
from workflows.activities.submission import Submissions
from workflows.client import connect, look_again, take_up
from workflows.dry_run import DryRunExport
from workflows.export import ExportRun
from workflows.indexing import IndexDataset
from workflows.messages import CONTROL_QUEUE, EXPORT_QUEUE
from workflows.preview import PreviewScope
from workflows.refusals import RefusalInterceptor
from workflows.sandbox import Sandbox
from workflows.share_request import ShareRequest

FINISH = timedelta(seconds=10)
SWEEP = timedelta(minutes=5)
LOG = logging.getLogger(__name__)


def control_worker(
    client: Client, database: Database, settings: Settings, follower: Follower | None = None
) -> Worker:
    """Runs the process and records what people decide. It holds no storage setting."""
    submissions, exports = Submissions(database), Exports(database)
    decisions = Decisions(database, settings)
    agreement = Agreements(database, settings)
    consent = ConsentVerification(database, settings, follower)
    steering = Steering(database)
    return Worker(
        client,
        task_queue=CONTROL_QUEUE,
        workflows=[ShareRequest, ExportRun, IndexDataset, DryRunExport, PreviewScope],
        activities=[
            submissions.record_submission,
            submissions.record_revision,
            submissions.record_withdrawal,
            submissions.record_lapse,
            submissions.load_standing,
            PurposeReview(database, settings).purpose_findings,
            consent.survey_consent,
            consent.consent_findings,
            ConflictSignoff(database, settings).conflict_findings,
            LegalApproval(database, settings).legal_findings,
            decisions.record_decision,
            decisions.record_taking_back,
            Reminders(database, settings).record_reminder,
            agreement.record_terms,
            agreement.record_acceptance,
            exports.record_trigger,
            exports.record_confirmation,
            exports.record_cancellation,
            exports.record_export_end,
            steering.record_pause,
            steering.record_resumption,
            steering.record_limit,
        ],
        workflow_runner=Sandbox(),
        interceptors=[RefusalInterceptor()],
        graceful_shutdown_timeout=FINISH,
    )


def export_worker(client: Client, database: Database, settings: Settings) -> Worker:
    """Moves bytes. It cannot decide, and asks the database for the clearance at every step."""
    plane, indexing = ExportPlane(database, settings), Indexing(database, settings)
    return Worker(
        client,
        task_queue=EXPORT_QUEUE,
        activities=[
            plane.plan_export,
            plane.export_shard,
            plane.release_package,
            plane.deliver_package,
            plane.erase_staging,
            plane.dry_run_export,
            indexing.index_dataset,
            Previews(database, settings).make_previews,
        ],
        interceptors=[RefusalInterceptor()],
        max_concurrent_activities=plane.at_once,
        max_heartbeat_throttle_interval=timedelta(milliseconds=500),
        graceful_shutdown_timeout=FINISH,
    )


async def run_control(settings: Settings) -> None:
    """The control worker until it is cancelled."""
    async with Database(settings.database_url) as database:
        follower = Follower(database, settings)
        await follower.begin()
        client = await connect(settings)
        beside = [
            asyncio.create_task(_sweep(client, database)),
            asyncio.create_task(follower.follow()),
        ]
        try:
            await _run(control_worker(client, database, settings, follower))
        finally:
            for task in beside:
                task.cancel()


async def run_export(settings: Settings) -> None:
    """The export worker until it is cancelled; it makes its seal's public key known first."""
    async with Database(settings.database_url) as database:
        key = public_text(signing_key(settings.signing_key, "CLEARANCE_SIGNING_KEY"))
        await database.write(lambda unit: _register(unit, key))
        await _run(export_worker(await connect(settings), database, settings))


async def _run(worker: Worker) -> None:
    """As the main task: leaving a worker by its context would drop a fatal error."""
    running = asyncio.ensure_future(worker.run())
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await worker.shutdown()
        await running


async def _sweep(client: Client, database: Database) -> None:
    """Now and then, makes sure that every open request has a running workflow. One that somebody
    terminated, or that the engine lost, is delayed by this and nothing worse. Once a day, reminds
    those whose yearly statement runs out."""
    reminded: date | None = None
    while True:
        try:
            if reminded != (today := now().date()):
                await database.write(register.remind)
                reminded = today
            reopened = await database.read(reopened_ids)
            for request_id in await database.read(requests.open_ids):
                await _taken_up(client, request_id, again=request_id in reopened)
        except Exception:  # looking again later is all that this can do, and it must go on
            LOG.warning("open requests could not be looked after", exc_info=True)
        await asyncio.sleep(SWEEP.total_seconds())


async def _taken_up(client: Client, request_id: str, *, again: bool) -> None:
    try:
        await (look_again if again else take_up)(client, request_id)
    except RPCError as failure:
        LOG.warning("request %s could not be taken up: %s", request_id, failure.message)


def _register(unit: Unit, key: str) -> None:
    if signing_keys.register(unit.session, "seal", key):
        unit.audit("system:export", "key.registered", None, purpose="seal", key=key)
