"""A file on its way to somebody, counted: how much of it was sent, and whether it ended."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

Ended = Callable[[int, bool], Awaitable[None]]  # bytes sent, and whether they were all of it
_FOUND = frozenset({200, 206})


class CountedFile(FileResponse):
    """A file or parts of it by `Range`, read in threads; `ended` is told when it is over, also
    where the other side went away. What counts as sent was handed to the connection: up to a few
    buffers of it may never have arrived."""

    chunk_size = 1 << 20  # each costs a hop to a thread and back, whatever its size

    def __init__(self, path: Path, ended: Ended) -> None:
        headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
        super().__init__(
            path, media_type="application/octet-stream", headers=headers, filename=path.name
        )
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it, as any ASGI response."""
        sent, whole, found = 0, False, False

        async def counted(message: Message) -> None:
            nonlocal sent, whole, found
            await send(message)
            if message["type"] == "http.response.start":
                found = message["status"] in _FOUND
            elif found:
                sent += len(message["body"])
                whole = not message.get("more_body", False)

        try:
            # Without what a server may offer beside: it would send the file and count nothing.
            await super().__call__({**scope, "extensions": {}}, receive, counted)
        finally:
            await asyncio.shield(self._ended(sent, whole))
