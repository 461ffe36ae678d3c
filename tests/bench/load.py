"""A load generator light enough not to be what is measured: `python -m tests.bench.load`.

Reads one JSON object from stdin (`host, port, path, headers, body, connections, seconds`), keeps
each connection busy with one POST after the other, and prints `Outcome` as JSON. In `body`, the
twelve zeros of COUNTER become a number that is never used twice.
"""

import asyncio
import gc
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, cast

COUNTER = b"000000000000"
WARM_UP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """Latencies in milliseconds; `statuses` counts the answers by HTTP status."""

    rate: float
    p50: float
    p99: float
    statuses: dict[str, int]


class Connection(asyncio.Protocol):
    """One keep-alive connection: sends a POST, reads to the end of its answer, sends the next."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buffer = b""
        self.transport: asyncio.Transport | None = None
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first request."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class is not one
        self.send()

    def send(self) -> None:
        """Sends the next request."""
        assert self.transport is not None
        self.sent_at = time.perf_counter()
        self.transport.write(self.load.next_request())

    def data_received(self, data: bytes) -> None:
        """Counts the answer once all of it is here."""
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self.buffer = b""
        if self.load.answered(head[9:12].decode(), time.perf_counter() - self.sent_at):
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that hangs up ends the measurement: its figure would be worth nothing."""
        if not self.load.done.done():
            self.load.done.set_exception(exc or ConnectionError("The server closed a connection."))


class Load:
    """The requests that all connections share, and what was seen of the answers."""

    def __init__(self, order: dict[str, Any]) -> None:
        body = order["body"].encode()
        headers = {"Host": "bench", "Content-Type": "application/json", **order["headers"]}
        headers["Content-Length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.template: bytes = f"POST {order['path']} HTTP/1.1\r\n{lines}\r\n".encode() + body
        self.number = 0
        self.latencies: list[float] = []
        self.statuses: dict[str, int] = {}
        self.begin = time.perf_counter() + WARM_UP_SECONDS
        self.end: float = self.begin + order["seconds"]
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes:
        """A request whose body was never sent before."""
        self.number += 1
        return self.template.replace(COUNTER, b"%012d" % self.number, 1)

    def answered(self, status: str, seconds: float) -> bool:
        """Counts one answer; False when the time is over."""
        now = time.perf_counter()
        if self.begin <= now < self.end:
            self.latencies.append(seconds)
            self.statuses[status] = self.statuses.get(status, 0) + 1
        if now >= self.end and not self.done.done():
            self.done.set_result(None)
        return now < self.end

    def outcome(self) -> Outcome:
        """What was measured between the warm-up and the end."""
        ordered = sorted(self.latencies)
        return Outcome(
            rate=len(ordered) / (self.end - self.begin),
            p50=ordered[len(ordered) // 2] * 1000,
            p99=ordered[len(ordered) * 99 // 100] * 1000,
            statuses=self.statuses,
        )


async def drive(order: dict[str, Any]) -> Outcome:
    """Opens the connections and waits for the end."""
    load = Load(order)
    loop = asyncio.get_running_loop()
    transports = [
        (await loop.create_connection(lambda: Connection(load), order["host"], order["port"]))[0]
        for _ in range(order["connections"])
    ]
    await load.done
    for transport in transports:
        transport.abort()
    return load.outcome()


if __name__ == "__main__":
    import uvloop

    gc.disable()
    print(json.dumps(asdict(uvloop.run(drive(json.load(sys.stdin))))))
