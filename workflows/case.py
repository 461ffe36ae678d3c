"""What a running request knows of itself, and how it waits: for people, and for its own turn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from sharing.orders import Order
from sharing.stages import AT_A_GATE, ENDED, Outcome, RequestState, Stage
from workflows.gate import WaitingRoom, refusal
from workflows.messages import Due, Lapse, Standing, Told, Triggered
from workflows.timeouts import RECORD

A_WHILE = timedelta(seconds=30)


class Amended(Exception):
    """The partner changed the scope: every decision is void, and the gates begin again."""


class Ended(Exception):
    """The request came to its end before delivery."""


class Case:
    """The state of one request's workflow. The database is the authority: this only remembers what
    was recorded there, so that it knows what to wait for next."""

    def __init__(self, request_id: str) -> None:
        self._id = request_id
        self._lock = asyncio.Lock()
        self._state: RequestState | None = None  # None until the submission is recorded
        self._refused: ApplicationError | None = None
        self._submitting = False
        self._resuming: Standing | None = None  # until the first wait of a resumed run
        self._digest = ""
        self._asked_to_survey = False
        self._amendments = 0
        self._opening: Stage | None = None  # the gate whose findings are being gathered
        self._room: WaitingRoom | None = None
        self._wait = timedelta()
        self._export: Triggered | None = None
        self._confirmed = False
        self._exporting = False  # while the export's own workflow runs

    async def _until(self, met: Callable[[], bool], amendments: int, patience: timedelta) -> None:
        """Waits for something; a deadline that passes ends the request as expired (F12)."""
        if not met():
            self._resuming = None
            try:
                await workflow.wait_condition(
                    lambda: met() or self._changed(amendments), timeout=max(patience, timedelta())
                )
            except TimeoutError:
                async with self._lock:  # a decision in flight is recorded first: one answer (F13)
                    if not met() and not self._changed(amendments):
                        await self._expire()
        self._unless_changed(amendments)

    async def _reminded(self, room: WaitingRoom, amendments: int) -> None:
        """While nobody decides: waits for the moments at which people are reminded and others are
        told, one timer at a time, so that a gate that is decided before costs no event more. A
        reminder that cannot be recorded holds up neither a decision nor the deadline."""

        def over() -> bool:
            return room.outcome is not None or self._changed(amendments)

        while room.told_at is not None and not over():
            self._resuming = None
            if await self._met(over, room.told_at - workflow.now()):
                return
            room.told_at = await self._tell(room, over)

    async def _tell(self, room: WaitingRoom, over: Callable[[], bool]) -> datetime | None:
        telling = workflow.start_activity(
            "record_reminder",
            Due(self._id, room.digest, room.stage),
            result_type=Told,
            summary="remind, or tell others",
            cancellation_type=workflow.ActivityCancellationType.ABANDON,
            **RECORD,
        )
        await self._met(lambda: telling.done() or over(), room.until - workflow.now())
        return _more(telling)

    async def _met(self, met: Callable[[], bool], patience: timedelta) -> bool:
        """Waits for something; False where that took too long."""
        try:
            await workflow.wait_condition(met, timeout=max(patience, timedelta()))
        except TimeoutError:
            return False
        return True

    async def _expire(self) -> None:
        if self._state is None or self._state in ENDED:
            raise Ended
        if self._room is not None:
            self._room.outcome = self._room.outcome or Outcome.EXPIRED
        await workflow.execute_activity(
            "record_lapse", Lapse(self._id, self._digest, self._state), **RECORD
        )
        self._state = RequestState.EXPIRED
        raise Ended

    def _changed(self, amendments: int) -> bool:
        return self._amendments != amendments or self._state is RequestState.WITHDRAWN

    def _unless_changed(self, amendments: int) -> None:
        if self._state is RequestState.WITHDRAWN:
            raise Ended
        if self._amendments != amendments:
            raise Amended

    def _open_room(self, order: Order) -> WaitingRoom:
        if self._room is None:
            raise refusal("wrong_stage", "The request waits at no gate just now.")
        self._room.demand_open(order, workflow.now())
        return self._room

    @contextlib.asynccontextmanager
    async def _ready(self, order: Order) -> AsyncIterator[None]:
        """One act at a time, and only once this run knows where the request stands."""
        self._demand_own(order)
        async with self._lock:
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._settled(order), timeout=A_WHILE)
            if self._state is None:
                raise refusal("not_found", "There is no such request.")
            if self._state in ENDED:
                raise refusal("wrong_state", f"The request is {self._state}.")
            try:
                yield
            except ActivityError as failure:
                if not _refused(failure):
                    await self._look_again()
                raise

    async def _look_again(self) -> None:
        """An act may have been recorded although the news of it was lost, as when the database
        goes away while it commits: this run goes on from what the database knows."""
        standing: Standing | None = await workflow.execute_local_activity(
            "load_standing", self._id, result_type=Standing, **RECORD
        )
        if standing is None:
            return
        if not self._exporting or standing.state in AT_A_GATE:
            self._adopt(standing)
            self._amendments += 1
        elif standing.state is RequestState.WITHDRAWN:
            self._state = standing.state

    def _adopt(self, standing: Standing) -> None:
        """What the database knows becomes what this run knows."""
        self._digest, self._state, self._room = standing.digest, standing.state, None
        self._resuming = standing if standing.state not in ENDED else None

    def _demand_own(self, order: Order) -> None:
        """What was ordered for another request, and copied from there, is nothing to this one."""
        if order.request_id != self._id:
            raise refusal("not_found", "This order is about another request.")

    def _is_under_way(self, order: Order) -> bool:
        """True where the order is about the export that this run waits for."""
        export = self._export
        return export is not None and export.export_id == order.body.get("export")

    @property
    def _clear(self) -> bool:
        return self._state is RequestState.CLEARED and self._export is None

    def _why_not_clear(self) -> ApplicationError:
        if self._export is not None:
            return refusal(
                "export_live",
                "An export of this request is under way, or its staging is still being erased: "
                "try again when that has ended.",
            )
        return refusal("not_cleared", "The request is not cleared, or is exported already.")

    @property
    def _unconfirmed(self) -> bool:
        return bool(self._export and self._export.needs_confirmation and not self._confirmed)

    def _settled(self, order: Order) -> bool:
        """False while this run does not know yet what the database may know already: it is being
        taken up again, or the gate that the order is about is just being opened."""
        if self._state in ENDED:
            return True
        if self._state is None or self._resuming is not None:
            return False
        about = (order.body.get("stage"), order.digest)
        return self._opening is None or about != (self._opening, self._digest)


def _more(telling: workflow.ActivityHandle[Told]) -> datetime | None:
    """When there is more to tell; None too where telling failed, or is left to itself."""
    if not telling.done():
        telling.cancel()
    elif telling.exception() is None:
        told_at = telling.result().told_at
        return datetime.fromisoformat(told_at) if told_at else None
    return None


def _refused(failure: ActivityError) -> bool:
    """True where nothing was recorded, by name; False where nobody knows."""
    return isinstance(failure.cause, ApplicationError) and failure.cause.non_retryable
