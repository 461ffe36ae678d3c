"""A small HTTP server that answers as told and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]


@dataclass
class Asked:
    """One call that came in."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


@dataclass
class Served:
    """A running server: its address, and the calls so far."""

    url: str
    calls: list[Asked] = field(default_factory=list)


def _said(raw: bytes, headers: dict[str, str]) -> Any:
    if headers.get("content-type") == "application/x-ndjson":
        return [json.loads(line) for line in raw.splitlines()]
    return json.loads(raw) if raw else None


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[Served]:
    """Serves on a free port of 127.0.0.1 until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, _said(raw, headers), headers)
            served.calls.append(asked)
            status, body = answer(asked)
            data = json.dumps(body).encode()
            kind = "application/problem+json" if status >= 400 else "application/json"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _any  # noqa: N815 (the names that http.server looks for)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Served(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
