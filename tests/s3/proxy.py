"""A proxy that spoils what passes through it: errors, resets, silence, and slowness.

It speaks just enough HTTP to know where a request ends, and to count them. Each connection carries
one request, so that every fault is one request's."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

HEAD_MOST = 1 << 16
BITS = 512  # bytes of a slow answer at a time


class Fault(StrEnum):
    """What happens to one request."""

    ERROR = "500"
    BUSY = "503"
    RESET = "reset before it is passed on"
    LOST = "passed on, and the answer is lost"
    CUT = "half of the answer, then a reset"
    STALL = "half of the answer, then silence"
    SLOW = "the answer in small bits"


Choice = Callable[[str, str], Fault | None]  # of method and path


def none(method: str, path: str) -> Fault | None:
    """No fault."""
    return None


@dataclass(slots=True)
class Proxy:
    """A running proxy at `url`; `choose` may be changed at any time. `met` counts what happened."""

    url: str
    upstream: str
    choose: Choice = none
    stall_seconds: float = 30.0
    slow_seconds: float = 0.002
    met: dict[str, int] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self._one(reader, writer)
        with suppress(OSError):
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        body = await reader.readexactly(_length(head))
        fault = self.choose(method, path)
        if fault is not None:
            self.met[fault] = self.met.get(fault, 0) + 1
        match fault:
            case Fault.ERROR | Fault.BUSY:
                writer.write(_refusal(fault))
                await writer.drain()
            case Fault.RESET:
                _reset(writer)
            case _:
                await self._passed(head, body, writer, fault)

    async def _passed(
        self, head: bytes, body: bytes, writer: asyncio.StreamWriter, fault: Fault | None
    ) -> None:
        place = urlsplit(self.upstream)
        upstream, to = await asyncio.open_connection(place.hostname, place.port)
        line, rest = head.split(b"\r\n", 1)
        to.write(line + b"\r\nConnection: close\r\n" + rest + body)
        await to.drain()
        answer = await upstream.read()
        to.close()
        await self._answered(answer, writer, fault)

    async def _answered(
        self, answer: bytes, writer: asyncio.StreamWriter, fault: Fault | None
    ) -> None:
        half = len(answer) // 2
        match fault:
            case Fault.LOST:
                _reset(writer)
            case Fault.CUT:
                writer.write(answer[:half])
                await writer.drain()
                _reset(writer)
            case Fault.STALL:
                writer.write(answer[:half])
                await writer.drain()
                await asyncio.sleep(self.stall_seconds)
                _reset(writer)
            case Fault.SLOW:
                for start in range(0, len(answer), BITS):
                    writer.write(answer[start : start + BITS])
                    await writer.drain()
                    await asyncio.sleep(self.slow_seconds)
            case _:
                writer.write(answer)
                await writer.drain()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _refusal(fault: Fault) -> bytes:
    reason = "InternalError" if fault is Fault.ERROR else "SlowDown"
    body = f"<Error><Code>{reason}</Code></Error>".encode()
    return (
        f"HTTP/1.1 {fault} {reason}\r\nContent-Type: application/xml\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection with a reset, not politely."""
    found = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def proxied(upstream: str) -> Iterator[Proxy]:
    """A proxy before `upstream` on a free port of 127.0.0.1, for as long as the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    made = Proxy("", upstream)

    async def start() -> asyncio.Server:
        return await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=HEAD_MOST)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(server: asyncio.Server) -> None:
    server.close()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
