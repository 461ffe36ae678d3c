"""The least that could be called four decisions in Temporal: the peer of the bench `requests`.

Four updates of one activity each, one activity before and one after, no rule, no record.
"""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

TIMEOUT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Vote:
    """A decision without meaning, about as large as a real one."""

    stage: str
    actor: str
    digest: str
    reason: str


@activity.defn
async def note(text: str) -> str:
    """Does nothing, durably."""
    return text


@workflow.defn
class BareRequest:
    """Opens, takes four votes, closes."""

    def __init__(self) -> None:
        self.votes: list[Vote] = []

    @workflow.run
    async def run(self, text: str) -> int:
        """How many votes were taken."""
        await workflow.execute_activity(note, text, start_to_close_timeout=TIMEOUT)
        await workflow.wait_condition(lambda: len(self.votes) == 4)
        await workflow.execute_activity(note, text, start_to_close_timeout=TIMEOUT)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return len(self.votes)

    @workflow.update
    async def decide(self, vote: Vote) -> int:
        """Takes one vote."""
        await workflow.execute_activity(note, vote.reason, start_to_close_timeout=TIMEOUT)
        self.votes.append(vote)
        return len(self.votes)
