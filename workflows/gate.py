"""The waiting room that all four gates share: open until a deadline, closed by one outcome."""

from dataclasses import dataclass
from datetime import datetime

from temporalio.exceptions import ApplicationError

from sharing.orders import Order
from sharing.stages import Outcome, Stage
from workflows.messages import Opened


def refusal(code: str, detail: str) -> ApplicationError:
    """A refusal by name, in the form that crosses Temporal."""
    return ApplicationError(detail, type=code, non_retryable=True)


@dataclass(slots=True)
class WaitingRoom:
    """One gate of one digest while people decide. Once it has an outcome, it keeps it."""

    stage: Stage
    digest: str
    until: datetime
    outcome: Outcome | None = None
    told_at: datetime | None = None  # when somebody is to be told that it waits

    @classmethod
    def behind(cls, stage: Stage, digest: str, opened: Opened) -> "WaitingRoom":
        """The room of a gate that was just opened, or that was closed before."""
        told_at = datetime.fromisoformat(opened.told_at) if opened.told_at else None
        return cls(stage, digest, datetime.fromisoformat(opened.until), opened.outcome, told_at)

    def demand_open(self, order: Order, now: datetime) -> None:
        """Raises unless this decision is about this gate, this digest, and in time (F5, F13)."""
        if order.body.get("stage") != self.stage:
            raise refusal("wrong_stage", f"The request waits at {self.stage}.")
        if order.digest != self.digest:
            raise refusal("stale_digest", "The request has changed since: read it again.")
        if self.outcome is Outcome.EXPIRED or now > self.until:
            raise refusal("too_late", f"The deadline of {self.stage} has passed.")
        if self.outcome is not None:
            raise refusal("already_decided", f"{self.stage} was {self.outcome}.")
