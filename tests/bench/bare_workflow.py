"""The least that could be called four decisions in Temporal: the peer of the bench `requests`.

Four updates of one activity each, two more activities after them, no rule, no record.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

QUEUE = "bench-bare"
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


def execute(what: Callable[[str], Awaitable[str]], text: str) -> Awaitable[str]:
    """Starts one activity."""
    return workflow.execute_activity(what, text, start_to_close_timeout=TIMEOUT)


@workflow.defn
class BareRequest:
    """Takes four votes, does two more things, ends."""

    def __init__(self) -> None:
        self.votes: list[Vote] = []

    @workflow.run
    async def run(self, text: str) -> int:
        """How many votes were taken."""
        await workflow.wait_condition(lambda: len(self.votes) == 4)
        await asyncio.gather(*(execute(note, text) for _ in range(2)))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return len(self.votes)

    @workflow.update
    async def decide(self, vote: Vote) -> int:
        """Takes one vote."""
        await execute(note, vote.reason)
        self.votes.append(vote)
        return len(self.votes)
