"""Long computing that must not hold up the event loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.util.concurrency import await_, in_greenlet

T = TypeVar("T")


def beside(work: Callable[[], T]) -> T:
    """Runs `work`, which must not touch the session: in a thread where the session is one of an
    event loop (PostgreSQL's), so that the loop goes on; here where it has a thread of its own."""
    return await_(asyncio.to_thread(work)) if in_greenlet() else work()
