"""Refusals cross Temporal by name: raised as ours in an activity, and ours again at the client."""

from datetime import datetime, timedelta
from typing import Any

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from sharing.errors import CoolingOff, NotCleared, NotEligible, NotFound, NotYet, Refused


class RefusalInterceptor(Interceptor):
    """Makes every Refused of an activity final: trying again would be refused again. A NotYet is
    tried again, under the name of what it waits for."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wraps activities."""
        return _Refusing(next)


class _Refusing(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        try:
            return await self.next.execute_activity(input)
        except Refused as refused:
            raise ApplicationError(
                refused.detail, _beside(refused), type=refused.code, non_retryable=True
            ) from None
        except NotYet as later:
            raise _later(later) from None


def _later(later: NotYet) -> ApplicationError:
    """What a person holds up on purpose is no failure, and no line in a log each time."""
    if later.seconds is None:
        return ApplicationError(later.detail, type=later.code)
    return ApplicationError(
        later.detail,
        type=later.code,
        next_retry_delay=timedelta(seconds=later.seconds),
        category=ApplicationErrorCategory.BENIGN,
    )


def _beside(refused: Refused) -> str:
    """What a refusal says beside its code and its words."""
    match refused:
        case NotEligible():
            return refused.why
        case CoolingOff():
            return refused.until.isoformat()
    return ""


def refusal_in(failure: BaseException | None) -> Refused | None:
    """The refusal at the bottom of a failure that Temporal handed us; None if there is none."""
    while failure is not None:
        if isinstance(failure, ApplicationError) and failure.type and failure.non_retryable:
            return _named(failure)
        failure = failure.__cause__
    return None


def _named(failure: ApplicationError) -> Refused:
    why = failure.details[0] if failure.details else ""
    match failure.type:
        case "not_eligible":
            return NotEligible(str(why), failure.message)
        case "cooling_off":
            return CoolingOff(failure.message, datetime.fromisoformat(str(why)))
        case "not_cleared":
            return NotCleared(failure.message)
        case "not_found":
            found = NotFound("thing", "")
            found.detail = failure.message
            return found
        case code:
            return Refused(code or "refused", failure.message)
