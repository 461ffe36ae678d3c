"""The process with a feed in it, as tests see it: started, told what to say and when to lie."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.keys import public_text
from tests.walk import said

Json = dict[str, Any]


@dataclass(slots=True)
class Elsewhere:
    """A consent source in a process of its own. `settings` are what follows it."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    process: asyncio.subprocess.Process | None = None
    port: int = 0
    said: list[Json] = field(default_factory=list)

    @property
    def settings(self) -> Json:
        """What a process must be told to follow it."""
        return {
            "consent_source_url": f"http://127.0.0.1:{self.port}/feed",
            "consent_source_key": public_text(self.key),
        }

    async def start(self) -> None:
        """Starts it, on the port that it had before, with all that was said."""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.feed"),
            base64.b64encode(self.key.private_bytes_raw()).decode(),
            str(self.port),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.port = int(await self.process.stdout.readline())
        await self._tell("said", self.said)

    async def kill(self) -> None:
        """Ends it at once."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def say(self, subject: str, action: str = "given", /, **changes: Any) -> None:
        """One subject says something, there and not here."""
        event = said(
            subject,
            action,
            **{"at": datetime.now(UTC).isoformat(), "source_id": f"e{len(self.said)}", **changes},
        )
        self.said.append(event)
        await self._tell("said", [event])

    async def lies(self, lie: str) -> None:
        """From now on it answers falsely, in one of the ways of tests.feed.LIES."""
        await self._tell("lie", lie)

    async def honest(self) -> None:
        """From now on it answers truly."""
        await self._tell("lie", "")

    async def asked(self) -> int:
        """How often it was asked for its feed."""
        return int((await self._tell("said", []))["asked"])

    async def _tell(self, what: str, body: Any) -> Json:
        url, data = f"http://127.0.0.1:{self.port}/{what}", json.dumps(body).encode()

        def call() -> Json:
            with urlopen(Request(url, data), timeout=30) as answer:
                found: Json = json.load(answer)
                return found

        return await asyncio.to_thread(call)


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """A consent source that is honest, for as long as the block lasts."""
    source = Elsewhere()
    try:
        await source.start()
        yield source
    finally:
        await source.kill()
