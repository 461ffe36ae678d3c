"""Heartbeats while something long goes on elsewhere, so that slow is not taken for dead (F3)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

from workflows.timeouts import BEAT, BEATS


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Beats until the block is left, several times within the silence that is allowed."""
    allowed = activity.info().heartbeat_timeout or BEATS * BEAT
    pause = min(BEAT, allowed / BEATS).total_seconds()

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(pause)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
