"""Idempotency-Key on calls that change something: the same key and body, the same answer, once."""

import hashlib
import json
from asyncio import Lock
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python
from starlette.requests import Request

from api.backend import Backend
from sharing.errors import Refused, bad_field
from sharing.records import idempotency
from sharing.records.unit import Unit

HEADER = "Idempotency-Key"
LONGEST_KEY = 255

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call comes to: its HTTP status, its JSON, and whether it was given before."""

    status: int
    body: Json
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """One client's key for one body."""

    client: str
    key: str
    body_hash: str


def ticket(request: Request, client: str, body: bytes) -> Ticket | None:
    """The call's key if it has one; raises Refused if that is no key."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise bad_field(HEADER, f"must be 1 to {LONGEST_KEY} printable characters, such as a UUID.")
    return Ticket(client, key, _hash(request, body))


def _hash(request: Request, body: bytes) -> str:
    """sha256 over address and body; JSON that says the same counts as the same."""
    with suppress(ValueError, RecursionError):
        body = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).hexdigest()


async def create(
    backend: Backend, held: Ticket | None, status: int, work: Callable[[Unit], Json]
) -> Answer:
    """Does `work` and keeps its answer in one transaction; of several at once, one does it."""

    def once(unit: Unit) -> Answer:
        if held is None:
            return Answer(status, work(unit))  # written as JSON once, by the answer
        row = idempotency.find(unit.session, held.client, held.key, held.body_hash)
        if row is not None and (given := idempotency.answer(row)) is not None:
            return Answer(row.status, given, replayed=True)
        body = to_jsonable_python(work(unit))
        idempotency.remember(unit.session, held.client, held.key, held.body_hash, status, body)
        return Answer(status, body)

    try:
        return await backend.database.write(once)
    except Refused as refused:
        if refused.code != "storage_conflict":
            raise
        # Another process wrote the same key or name in between: now it can be read.
        return await backend.database.write(once)


async def act(
    backend: Backend, held: Ticket | None, doing: Callable[[], Awaitable[Answer]]
) -> Answer:
    """Does what goes through the engine. `doing` must itself find what it did for the same ticket:
    the process may die between the act and the keeping of its answer."""
    if held is None:
        return await doing()
    lock = backend.under_way.setdefault((held.client, held.key), Lock())
    async with lock:
        row = await backend.database.read(
            lambda session: idempotency.find(session, held.client, held.key, held.body_hash)
        )
        if row is not None and (given := idempotency.answer(row)) is not None:
            return Answer(row.status, given, replayed=True)
        made = await doing()
        answer = Answer(made.status, to_jsonable_python(made.body))
        await backend.database.write(
            lambda unit: idempotency.remember(
                unit.session, held.client, held.key, held.body_hash, answer.status, answer.body
            )
        )
        return answer
