"""A database beside which something happens before each step that the export worker takes."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlmodel import Session

from sharing.records.database import Database
from sharing.records.unit import Unit

Before = Callable[[str], Awaitable[None]]


class Watched(Database):
    """Calls `before` with the step's name, and goes on once that has been done."""

    def __init__(self, url: str, before: Before) -> None:
        super().__init__(url)
        self._before = before

    async def read(self, query: Callable[[Session], Any]) -> Any:
        """See Database."""
        await self._step(query)
        return await super().read(query)

    async def write(self, work: Callable[[Unit], Any]) -> Any:
        """See Database."""
        await self._step(work)
        return await super().write(work)

    async def _step(self, act: Callable[..., Any]) -> None:
        """The export worker's steps are lambdas that call one function of a module of ours."""
        code = getattr(act, "__code__", None)
        if code is not None and code.co_names[:1] in (("runs",), ("releases",)):
            await self._before(code.co_names[1])
