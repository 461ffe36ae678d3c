"""The process: purpose > consent > conflict > legal > (trigger) > export.

One workflow a request, so that one history is the whole story of one request. Nothing is decided
here: activities judge and record, and this file only puts them in order and waits for people.
"""

import contextlib
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ApplicationError

from sharing.orders import Order
from sharing.stages import ENDED, ExportState, Outcome, RequestState, Stage
from workflows.case import Amended, Ended
from workflows.controlling import Controlling
from workflows.export import ExportRun
from workflows.gate import WaitingRoom, findings, refusal
from workflows.messages import (
    Decided,
    ExportEnd,
    Opening,
    Standing,
    Submitted,
    Survey,
    Triggered,
    export_workflow,
)
from workflows.timeouts import ANSWER, RECORD, SURVEY

A_MOMENT = timedelta(seconds=5)
SURVEYED_AT_SUBMISSION_V1 = "surveyed-at-submission-v1"


@workflow.defn
class ShareRequest(Controlling):
    """One request, from submission to delivery or refusal."""

    @workflow.init
    def __init__(self, request_id: str) -> None:
        super().__init__(request_id)

    @workflow.run
    async def run(self, request_id: str) -> RequestState | None:
        """The six stages, in order."""
        await self._submission()
        while self._state not in ENDED:
            try:
                self._survey()
                await self._gate(Stage.PURPOSE_REVIEW)
                await self._gate(Stage.CONSENT_VERIFICATION)
                await self._gate(Stage.CONFLICT_SIGNOFF)
                await self._gate(Stage.LEGAL_APPROVAL)
                await self._delivery()
            except Amended:
                continue
            except Ended:
                break
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    # The stages

    async def _submission(self) -> None:
        if not self._submitting:
            await self._resume()
        await workflow.wait_condition(lambda: self._state is not None or self._refused is not None)
        if self._refused is not None:
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise self._refused

    async def _resume(self) -> None:
        """Takes up a request whose earlier run was lost: terminated, or gone with the engine. The
        gates that are closed in the database are passed with the outcomes that it knows."""
        standing: Standing | None = await workflow.execute_local_activity(
            "load_standing", self._id, result_type=Standing, **RECORD
        )
        if standing is not None and self._state is None:
            self._adopt(standing)

    def _survey(self) -> None:
        """Has the scope's consent counted as it is at submission. Nobody waits for the report."""
        if self._state is RequestState.SUBMITTED and self._is_to_survey():
            workflow.start_activity(
                "survey_consent",
                Survey(self._id, self._digest),
                summary="count consent at submission",
                cancellation_type=workflow.ActivityCancellationType.ABANDON,
                **SURVEY,
            )

    def _is_to_survey(self) -> bool:
        """Asked where the recorder did not say so: its answer costs no event, a patch costs two."""
        return self._asked_to_survey or workflow.patched(SURVEYED_AT_SUBMISSION_V1)

    async def _gate(self, stage: Stage) -> None:
        """Opens a gate, waits for its outcome or its deadline, and returns if it was approved."""
        amendments, self._opening = self._amendments, stage
        opening = Opening(self._id, self._digest, stage, workflow.now().isoformat())
        opened = await findings(opening)
        self._opening = None
        self._unless_changed(amendments)
        if opened.moved:
            async with self._lock:
                await self._look_again()
            self._unless_changed(amendments)
        room = WaitingRoom.behind(stage, self._digest, opened)
        if opened.outcome is not None:
            self._wait = timedelta(seconds=opened.wait_seconds)
        self._room, self._state, self._accepted = room, RequestState(stage), opened.accepted
        workflow.set_current_details(f"Waits at **{stage}** until {room.until:%Y-%m-%d %H:%M} UTC")
        await self._reminded(room, amendments)
        await self._until(lambda: room.outcome is not None, amendments, room.until - workflow.now())
        match room.outcome:
            case Outcome.APPROVED:
                await self._until(lambda: self._accepted, amendments, room.until - workflow.now())
                return
            case Outcome.RETURNED:
                self._state = RequestState.RETURNED
                await self._until(lambda: False, amendments, self._wait)
            case Outcome.REFUSED:
                self._state = RequestState.REFUSED
        raise Ended

    async def _delivery(self) -> None:
        """Waits for an engineer's trigger, and runs exports until one is delivered."""
        amendments, until = self._amendments, workflow.now() + self._wait
        while True:
            resumed, self._resuming = self._resuming, None
            self._state = RequestState.CLEARED
            self._export = resumed.export if resumed else None
            self._confirmed = resumed.confirmed if resumed else False
            workflow.set_current_details("**Cleared**: waits for an engineer to trigger the export")
            await self._until(lambda: self._export is not None, amendments, until - workflow.now())
            end = await self._exported(amendments, until)
            if end.state is ExportState.DELIVERED:
                self._state = RequestState.DELIVERED
                return
            self._unless_changed(amendments)
            if end.code == "not_cleared":
                self._state = RequestState.REVOKED
                raise Ended

    async def _exported(self, amendments: int, until: datetime) -> ExportEnd:
        export = self._export
        if export is None:  # cancelled before this run came to it
            return ExportEnd("", ExportState.CANCELLED)
        self._state = RequestState.EXPORTING
        if self._unconfirmed:
            workflow.set_current_details("**Triggered**: waits for a second engineer to confirm")
            await self._until(
                lambda: self._confirmed or self._export is None, amendments, until - workflow.now()
            )
        if self._export is None:
            return ExportEnd(export.export_id, ExportState.CANCELLED)
        workflow.set_current_details("**Exporting**")
        self._exporting = True
        try:
            return await workflow.execute_child_workflow(
                ExportRun.run,
                export.export_id,
                id=export_workflow(export.export_id),
                priority=Priority(priority_key=export.priority),
                static_summary=f"Export for {self._id}",
            )
        finally:
            self._exporting = False

    def _begin(self, submitted: Submitted) -> None:
        self._digest, self._state = submitted.digest, RequestState.SUBMITTED
        self._asked_to_survey = submitted.survey

    # What people do

    @workflow.update
    async def submit(self, order: Order) -> None:
        """Records the first revision; the answer means that it is kept."""
        self._demand_own(order)
        self._submitting = True
        async with self._lock:
            if self._state is not None:
                return
            try:
                submitted = await workflow.execute_activity(
                    "record_submission", order, result_type=Submitted, **ANSWER
                )
            except Exception as failure:
                self._refused = _cause(failure)
                raise
            self._begin(submitted)

    @workflow.update
    async def amend(self, order: Order) -> None:
        """Records a new revision: the gates begin again with its digest."""
        async with self._ready(order):
            submitted = await workflow.execute_activity(
                "record_revision", order, result_type=Submitted, **ANSWER
            )
            self._begin(submitted)
            self._room, self._amendments = None, self._amendments + 1

    @workflow.update
    async def decide(self, order: Order) -> None:
        """Records a decision at the gate that waits."""
        async with self._ready(order):
            room = self._open_room(order)
            decided = await workflow.execute_activity(
                "record_decision", order, result_type=Decided, **ANSWER
            )
            self._wait = timedelta(seconds=decided.wait_seconds)
            self._accepted, room.outcome = decided.accepted, decided.outcome

    @decide.validator
    def _decidable(self, order: Order) -> None:
        if self._settled(order):
            self._open_room(order)

    @workflow.update
    async def take_back(self, order: Order) -> None:
        """Records that an approval no longer counts; its gate waits again."""
        async with self._ready(order):
            await workflow.execute_activity("record_taking_back", order, **ANSWER)
            await self._look_again()

    @workflow.signal
    async def look_again(self) -> None:
        """The database knows something that happened elsewhere: an interest became known, and a
        gate lost its decision by it."""
        async with self._lock:
            await workflow.wait_condition(lambda: self._state is not None)
            if self._state not in ENDED:
                await self._look_again()

    @workflow.update
    async def trigger(self, order: Order) -> None:
        """Records an engineer's trigger; the export starts, or waits for a second engineer."""
        async with self._ready(order):
            if not self._clear:  # cleared in the database a moment before this workflow hears of it
                with contextlib.suppress(TimeoutError):
                    await workflow.wait_condition(lambda: self._clear, timeout=A_MOMENT)
            if not self._clear:
                raise self._why_not_clear()
            self._export = await workflow.execute_activity(
                "record_trigger", order, result_type=Triggered, **ANSWER
            )

    @trigger.validator
    def _triggerable(self, order: Order) -> None:
        if self._settled(order) and (self._room is None or self._room.outcome is None):
            raise refusal("not_cleared", f"The request waits at {self._state}.")

    @workflow.update
    async def confirm(self, order: Order) -> None:
        """Records a second engineer's confirmation."""
        async with self._ready(order):
            if not self._is_under_way(order):
                raise refusal("wrong_state", "This export is not under way.")
            await workflow.execute_activity("record_confirmation", order, **ANSWER)
            self._confirmed = True

    @workflow.update
    async def cancel(self, order: Order) -> None:
        """Records that an export stops. The export worker sees it at its next commit."""
        async with self._ready(order):
            await workflow.execute_activity("record_cancellation", order, **ANSWER)
            if self._is_under_way(order) and self._unconfirmed:
                self._export = None

    @workflow.update
    async def withdraw(self, order: Order) -> None:
        """Records that the partner withdraws; a running export stops at its next commit."""
        async with self._ready(order):
            await workflow.execute_activity("record_withdrawal", order, **ANSWER)
            self._state = RequestState.WITHDRAWN

    @workflow.query
    def state(self) -> RequestState | None:
        """Where the request stands, as the engine sees it. The database is the authority."""
        return self._state


def _cause(failure: BaseException) -> ApplicationError:
    """The refusal behind a failed activity."""
    cause: BaseException | None = failure
    while cause is not None and not isinstance(cause, ApplicationError):
        cause = cause.__cause__
    return cause or refusal("storage_failed", "The submission could not be recorded.")
