"""A caller who says a thing again until it is answered, and remembers what was."""

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx2

Json = dict[str, Any]
PATIENCE = 120.0  # seconds until an answer must have come, whatever is being killed
LATER = frozenset({502, 503, 504})


@dataclass(slots=True)
class Acknowledged:
    """What the servers said yes to, by kind: ids in the order of the answers."""

    requests: list[str] = field(default_factory=list)
    decisions: list[tuple[str, str]] = field(default_factory=list)  # request, decision
    exports: list[tuple[str, str]] = field(default_factory=list)  # request, export
    in_flight: int = 0  # changes that wait for an answer just now


@dataclass(frozen=True, slots=True)
class Caller:
    """One token at one address, which may go away for a while."""

    url: str
    token: str
    book: Acknowledged

    async def get(self, path: str) -> Json:
        """What is there, once somebody answers."""
        return await self._until_answered("GET", path, None)

    async def post(self, path: str, body: object) -> Json:
        """Done once, however often it has to be said; fails where it is refused."""
        return await self._until_answered("POST", path, body)

    async def _until_answered(self, method: str, path: str, body: object) -> Json:
        changes = method == "POST"
        headers = {"Authorization": f"Bearer {self.token}"}
        if changes:
            headers["Idempotency-Key"] = uuid.uuid4().hex
        self.book.in_flight += changes
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._again_and_again(method, path, headers, body)
        finally:
            self.book.in_flight -= changes

    async def _again_and_again(
        self, method: str, path: str, headers: dict[str, str], body: object
    ) -> Json:
        while True:
            try:
                async with httpx2.AsyncClient(trust_env=False, timeout=60.0) as http:
                    answer = await http.request(method, self.url + path, headers=headers, json=body)
            except httpx2.TransportError:
                await asyncio.sleep(0.2)
                continue
            if answer.status_code in LATER:
                await asyncio.sleep(0.2)
                continue
            assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
            found: Json = answer.json()
            return found
