"""The waiting room that all four gates share: open until a deadline, closed by one outcome."""

from dataclasses import dataclass
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from sharing.orders import Order
from sharing.stages import Outcome, Stage
from workflows.messages import Opened, Opening
from workflows.timeouts import RECORD, SURVEY

# What is judged in a few look-ups runs within the workflow task, which costs one event and not
# six. The consent of a whole scope may take minutes: it beats, and a worker may die under it.
AT_ONCE = {
    Stage.PURPOSE_REVIEW: "purpose_findings",
    Stage.CONFLICT_SIGNOFF: "conflict_findings",
    Stage.LEGAL_APPROVAL: "legal_findings",
}


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


async def findings(opening: Opening) -> Opened:
    """Has a gate's findings gathered, which opens it."""
    opened: Opened
    if opening.stage in AT_ONCE:
        opened = await workflow.execute_local_activity(
            AT_ONCE[opening.stage], opening, result_type=Opened, **RECORD
        )
    else:
        opened = await workflow.execute_activity(
            "consent_findings", opening, result_type=Opened, summary="count the scope", **SURVEY
        )
    return opened
