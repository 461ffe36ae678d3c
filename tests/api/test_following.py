"""Following something over HTTP: what is begun is ended, whenever the caller has seen enough."""

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from api import http_client
from api.commands.export import followed
from api.http_client import Api

EXPORT = {"id": "exp_1", "state": "delivered", "progress": {}}


@contextmanager
def streaming(*, silent: bool = False) -> Iterator[str]:
    """A server with a finished export, whose events come one after another without an end, or do
    not come."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if not self.path.endswith("/events"):
                body = json.dumps(EXPORT).encode()
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.flush()
            while not over.wait(0.02):
                if silent:
                    continue
                try:
                    self.wfile.write(b'id: 1\nevent: export\ndata: {"state": "delivered"}\n\n')
                    self.wfile.flush()
                except OSError:
                    return

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()
            thread.join()


def test_whoever_stops_following_leaves_nothing_open() -> None:
    """An export that has ended is watched without leaving a stream for the loop to close, which at
    the end of the program meets another that closes it too."""

    dropped: list[str] = []

    async def watched() -> None:
        sys.set_asyncgen_hooks(finalizer=lambda one: dropped.append(repr(one)))
        async with Api(url) as api:
            assert (await followed(api, "exp_1"))["state"] == "delivered"

    with streaming() as url:
        asyncio.run(watched())
    assert [name for name in dropped if " Api." in name] == []


async def test_a_stream_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that went away without closing its stream says nothing ever more: the follower asks
    instead of waiting."""
    monkeypatch.setattr(http_client, "SILENCE", 0.3)
    with streaming(silent=True) as url:
        async with Api(url) as api, asyncio.timeout(60):
            assert (await followed(api, "exp_1"))["state"] == "delivered"
