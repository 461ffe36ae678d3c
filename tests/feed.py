"""A consent source that lives elsewhere: a process of its own with a signed feed, which can lie.

    python -m tests.feed SEED PORT

SEED is the base64 of its Ed25519 seed; port 0 takes any that is free. The first line of stdout is
the port. `POST /said` adds events to the feed, `POST /lie` names a lie of LIES, or none."""

import base64
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Json = dict[str, Any]
Change = Callable[[Json, int], Json]
AGES_AGO = timedelta(hours=1)

# What is signed truly, and is wrong all the same.
CONTENTS: Mapping[str, Change] = {
    "backwards": lambda answer, after: {**answer, "next": max(after - 1, 0)},
    "endless": lambda answer, after: {**answer, "events": [], "next": after, "complete": False},
    "malformed": lambda answer, after: {
        **answer,
        "events": [*answer["events"], {"subject": "s000", "action": "given"}],
        "next": answer["next"] + 1,
    },
    "behind": lambda answer, after: {
        **answer,
        "at": (datetime.now(UTC) - AGES_AGO).isoformat(),
    },
    "more_than_asked": lambda answer, after: {**answer, "events": answer["events"] * 10_000},
}
# What is wrong with how it is signed or sent.
WAYS = ("wrong_key", "unsigned", "changed", "old_signature", "replayed", "truncated", "error",
        "moved", "slow", "huge")  # fmt: skip
LIES = (*CONTENTS, *WAYS)


@dataclass(slots=True)
class Feed:
    """What was said, in order, and how this feed answers just now."""

    key: Ed25519PrivateKey
    events: list[Json] = field(default_factory=list)
    lie: str = ""
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    asked: int = 0

    def page(self, after: int, limit: int) -> Json:
        """The events behind a cursor: the cursor is how many came before."""
        events = self.events[after : after + limit]
        last = after + len(events)
        return {
            "events": events,
            "next": last,
            "complete": last >= len(self.events),
            "at": datetime.now(UTC).isoformat(),
        }

    def signed(self, challenge: str, after: int, body: bytes) -> str:
        """The signature header of an answer."""
        key = Ed25519PrivateKey.generate() if self.lie == "wrong_key" else self.key
        t = int(time.time() - (AGES_AGO.total_seconds() if self.lie == "old_signature" else 0))
        signature = key.sign(f"{t}.{challenge}.{after}.".encode() + body)
        return f"t={t},v1={base64.b64encode(signature).decode()}"

    def answer(self, challenge: str, after: int, limit: int) -> tuple[str, bytes]:
        """The header and the body, true or not."""
        if self.lie == "replayed" and self.answers:
            return self.answers[-1]
        page, change = self.page(after, limit), CONTENTS.get(self.lie)
        body = json.dumps(change(page, after) if change else page).encode()
        header = self.signed(challenge, after, body)
        if self.lie == "changed":
            body = body.replace(b'"given"', b'"refused"').replace(b"true", b"false")
        if not self.lie:
            self.answers.append((header, body))
        return header, body


class Handler(BaseHTTPRequestHandler):
    """One call."""

    feed: Feed

    def do_GET(self) -> None:
        """The feed."""
        feed, parts = self.feed, urlsplit(self.path)
        feed.asked += 1
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if feed.lie in ("error", "moved"):
            self.send_response(500 if feed.lie == "error" else 302)
            self.send_header("Location", self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        challenge = self.headers["Clearance-Challenge"]
        header, body = feed.answer(challenge, int(query["after"]), int(query["limit"]))
        self.send_response(200)
        if feed.lie != "unsigned":
            self.send_header("Clearance-Signature", header)
        self.send_header("Content-Length", str(len(body) + (2**40 if feed.lie == "huge" else 0)))
        self.end_headers()
        self._send(body)

    def _send(self, body: bytes) -> None:
        lie = self.feed.lie
        if lie == "truncated":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        while lie == "slow" and self.feed.lie == "slow":  # until it is told to be honest again
            time.sleep(0.05)
        self.wfile.write(body)
        while lie == "huge":  # until whoever listens has had enough
            self.wfile.write(b" " * 2**20)

    def do_POST(self) -> None:
        """What the test wants of it."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/said":
            self.feed.events += body
        else:
            self.feed.lie = body
        answer = json.dumps({"asked": self.feed.asked}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class Server(ThreadingHTTPServer):
    """Forgets whoever hangs up on it."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that gave up is no news."""


def main(seed: str, port: str) -> None:
    """Serves until it is killed."""
    Handler.feed = Feed(Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed)))
    server = Server(("127.0.0.1", int(port)), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
