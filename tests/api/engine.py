"""An engine in this very process: records orders by the workers' own activities, without Temporal.

It does at once what the workflow does in its time: the next gate opens as soon as one is approved.
"""

import base64
from dataclasses import replace
from datetime import timedelta
from functools import partial

from temporalio.testing import ActivityEnvironment

from sharing.dry_run import DryRun
from sharing.export.dry_run import dry_run
from sharing.export.plan import Bounds
from sharing.orders import Order, Verb
from sharing.records import requests
from sharing.records.database import Database
from sharing.records.decisions import next_gate
from sharing.records.requests import Request
from sharing.records.tables import now
from sharing.settings import Settings
from sharing.stages import GATES, RequestState, Stage
from workflows.activities.agreement import Agreements
from workflows.activities.conflict import ConflictSignoff
from workflows.activities.consent import ConsentVerification
from workflows.activities.decisions import Decisions
from workflows.activities.exports import Exports
from workflows.activities.hands import threads
from workflows.activities.legal import LegalApproval
from workflows.activities.previews import Previews
from workflows.activities.purpose import PurposeReview
from workflows.activities.steering import Steering
from workflows.activities.submission import Submissions
from workflows.client import EngineUnreachable
from workflows.messages import Opening, Progress


class DirectEngine:
    """Records what it is told; `away` makes it unreachable, `told` counts what reached it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        submissions, exports = Submissions(database), Exports(database)
        self._database, self._settings = database, settings
        self._record = {
            Verb.SUBMIT: submissions.record_submission,
            Verb.AMEND: submissions.record_revision,
            Verb.WITHDRAW: submissions.record_withdrawal,
            Verb.DECIDE: Decisions(database, settings).record_decision,
            Verb.ADD_TERMS: Agreements(database, settings).record_terms,
            Verb.ACCEPT: Agreements(database, settings).record_acceptance,
            Verb.TAKE_BACK: Decisions(database, settings).record_taking_back,
            Verb.TRIGGER: exports.record_trigger,
            Verb.CONFIRM: exports.record_confirmation,
            Verb.CANCEL: exports.record_cancellation,
            Verb.PAUSE: Steering(database).record_pause,
            Verb.RESUME: Steering(database).record_resumption,
            Verb.LIMIT: Steering(database).record_limit,
        }
        self._findings = {
            Stage.PURPOSE_REVIEW: PurposeReview(database, settings).purpose_findings,
            Stage.CONSENT_VERIFICATION: ConsentVerification(database, settings).consent_findings,
            Stage.CONFLICT_SIGNOFF: ConflictSignoff(database, settings).conflict_findings,
            Stage.LEGAL_APPROVAL: LegalApproval(database, settings).legal_findings,
        }
        self.away = False
        self.told: list[Order] = []
        self.indexed: list[str] = []
        self.counted: dict[str, Progress] = {}
        self.looked: list[str] = []

    async def tell(self, order: Order) -> None:
        """Records the order, then opens the gate that comes next."""
        await self.ready()
        self.told.append(order)
        await ActivityEnvironment().run(self._record[order.verb], order)
        if order.verb in (Verb.SUBMIT, Verb.AMEND, Verb.DECIDE, Verb.TAKE_BACK):
            await self._open_next(order.request_id)

    async def look_again(self, request_id: str) -> None:
        """Opens the gate that waits for nobody yet."""
        await self.ready()
        self.looked.append(request_id)
        await self._open_next(request_id)

    async def index_dataset(self, dataset_id: str, wait: timedelta) -> bool:
        """Notes that a scan was ordered."""
        await self.ready()
        self.indexed.append(dataset_id)
        return True

    async def dry_run(self, request_id: str) -> DryRun:
        """Counts as an export worker with an empty disk would."""
        await self.ready()
        bounds = Bounds(self._settings.shard_objects, self._settings.shard_bytes)
        return await self._database.read(lambda s: dry_run(s, request_id, bounds, "file:///", None))

    async def preview(self, order: Order) -> None:
        """Draws as an export worker would, with a key of its own."""
        await self.ready()
        key = base64.b64encode(bytes(32)).decode()
        settings = replace(self._settings, pseudonym_key=key)
        previews = Previews(self._database, settings, hand=threads(1))
        await ActivityEnvironment().run(previews.make_previews, order)

    async def counting(self, request_id: str) -> Progress | None:
        """How far `counted` says that a request's count has come."""
        return self.counted.get(request_id)

    async def ready(self) -> None:
        """Raises EngineUnreachable while `away`."""
        if self.away:
            raise EngineUnreachable("away")

    async def _open_next(self, request_id: str) -> None:
        request: Request = await self._database.read(partial(requests.get, request_id=request_id))
        if request.waiting_stage is not None:
            return
        stage = await self._database.read(partial(next_gate, request=request))
        if stage is None or request.state not in (RequestState.SUBMITTED, *GATES):
            return
        opening = Opening(request_id, request.digest, stage, now().isoformat())
        await ActivityEnvironment().run(self._findings[stage], opening)
