"""A file on its way to somebody, counted: how much of it was sent, and whether it ended."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.responses import (
    ContentStream,
    FileResponse,
    MalformedRangeHeader,
    RangeNotSatisfiable,
    Response,
    StreamingResponse,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.ranges import asked, no_such_part

Ended = Callable[[int, bool], Awaitable[None]]  # bytes sent, and whether they were all of it
_FOUND = frozenset({200, 206})


class _NoSuchPart(Exception):
    """The file, of `size` bytes, ends before the part that was asked for."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


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
        # Without what a server may offer beside: it would send the file and count nothing.
        plain = {**scope, "extensions": {}}
        await _counted(self._answered, self._ended, plain, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except _NoSuchPart as unmet:
            await no_such_part(unmet.size)(scope, receive, send)

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        """Starlette's own step, because it answers 400 to what RFC 9110 has ignored, and both of
        its refusals are plain text. An empty list means the whole file."""
        if "," in http_range:
            try:
                return super()._parse_range_header(http_range, file_size)
            except MalformedRangeHeader:
                return []
            except RangeNotSatisfiable:
                raise _NoSuchPart(file_size) from None
        part = asked({"range": http_range}, file_size, None)
        if part is None:
            raise _NoSuchPart(file_size)
        return [(part.start, part.end)] if part.partial else []


class CountedStream(StreamingResponse):
    """The same of what is streamed from elsewhere."""

    def __init__(self, content: ContentStream, ended: Ended, **named: Any) -> None:
        super().__init__(content, **named)
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it, as any ASGI response; to a HEAD only what stands before it."""
        if scope["method"] == "HEAD":
            bare = Response(status_code=self.status_code)
            bare.raw_headers = self.raw_headers
            await bare(scope, receive, send)
            return
        await _counted(super().__call__, self._ended, scope, receive, send)


async def _counted(
    answer: ASGIApp, ended: Ended, scope: Scope, receive: Receive, send: Send
) -> None:
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
        await answer(scope, receive, counted)
    finally:
        await asyncio.shield(ended(sent, whole))
