"""Heartbeats while something long goes on elsewhere, so that slow is not taken for dead (F3)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio import activity

from workflows.timeouts import BEAT, BEATS


@dataclass(slots=True)
class Pulse:
    """What each beat says: how far the work has come."""

    said: tuple[str, int, int] | tuple[()] = ()

    def tell(self, step: str, done: int, total: int) -> None:
        """From now on beats say this; to be called from any thread."""
        self.said = (str(step), done, total)


@asynccontextmanager
async def beating() -> AsyncIterator[Pulse]:
    """Beats until the block is left, several times within the silence that is allowed."""
    pulse = Pulse()
    allowed = activity.info().heartbeat_timeout or BEATS * BEAT
    pause = min(BEAT, allowed / BEATS).total_seconds()

    async def beat() -> None:
        while True:
            activity.heartbeat(*pulse.said)
            await asyncio.sleep(pause)

    task = asyncio.create_task(beat())
    try:
        yield pulse
    finally:
        task.cancel()
