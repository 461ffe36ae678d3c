"""One call: who makes it, on which route, and the few things that all routes do with it."""

from asyncio import timeout
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import idempotency
from api.answers import event_stream, json_answer
from api.backend import Backend
from api.idempotency import Answer, Json, Ticket
from sharing.eligibility import Actor
from sharing.errors import NotFound
from sharing.orders import Order, Verb, signed
from sharing.records import parties
from sharing.records.parties import Principal
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.stages import Role
from workflows.client import EngineUnreachable

T = TypeVar("T")
NEWS_SECONDS = 5.0


class Call(Request):
    """An authenticated call that its role allows. FastAPI hands it to a route as its request, for
    it is one; `sent` is its whole body, within the limit."""

    def __init__(
        self,
        request: Request,
        backend: Backend,
        principal: Principal,
        ticket: Ticket | None,
        body: bytes,
    ) -> None:
        super().__init__(request.scope, request.receive)
        self.backend, self.principal, self.ticket, self.sent = backend, principal, ticket, body

    async def body(self) -> bytes:
        """What was sent. It was read before the call was let in."""
        return self.sent

    @property
    def partner_id(self) -> str | None:
        """The partner to which everything shown must belong; None for people inside."""
        return self.principal.partner_id if self.principal.role is Role.PARTNER else None

    async def read(self, query: Callable[[Session], T]) -> T:
        """Asks the database."""
        return await self.backend.database.read(query)

    async def create(
        self,
        work: Callable[[Unit], Json],
        status: int = 201,
        secret: Mapping[str, str] | None = None,
    ) -> Response:
        """Does `work` in one transaction, once for each Idempotency-Key, and answers with what it
        returns. `secret` is added to the answer and never stored."""
        made = await idempotency.create(self.backend, self.ticket, status, work)
        return answered(Answer(made.status, {**made.body, **(secret or {})}, made.replayed))

    async def act(self, doing: Callable[[], Awaitable[Answer]]) -> Response:
        """Does what goes through the engine, once for each Idempotency-Key."""
        return answered(await idempotency.act(self.backend, self.ticket, doing))

    def streaming(self, events: AsyncIterator[bytes]) -> Response:
        """Server-sent events; raises Refused for who holds too many streams open."""
        return event_stream(self.backend.streams.held(self.principal.id, events))

    async def log(self, action: str, request_id: str | None = None, **detail: Any) -> None:
        """Notes an act that changes no row of ours; raises StorageFailed if it cannot."""
        await self.backend.database.write(
            lambda unit: unit.audit(self.principal.id, action, request_id, **detail)
        )

    def id_for(self, prefix: str, *scope: str) -> str:
        """A new id; the same one again for the same Idempotency-Key (and `scope`)."""
        if self.ticket is None:
            return new_id(prefix)
        return self.backend.derived_id(prefix, self.ticket.client, self.ticket.key, *scope)

    async def order(
        self,
        verb: Verb,
        order_id: str,
        request_id: str,
        digest: str = "",
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Signs an order and has it recorded; raises Refused if the worker will not."""
        await self.backend.engine.tell(self.signed(verb, order_id, request_id, digest, body))

    def signed(
        self,
        verb: Verb,
        order_id: str,
        request_id: str,
        digest: str = "",
        body: Mapping[str, Any] | None = None,
    ) -> Order:
        """An order in the caller's name, with the API's signature."""
        order = Order(
            order_id,
            verb,
            request_id,
            self.partner_id or self.principal.id,
            now().isoformat(),
            digest,
            body or {},
        )
        return signed(order, self.backend.signer)

    def actor(self, session: Session) -> Actor:
        """The person who calls, in no other role than that of the token; raises NotFound."""
        person = parties.actor(session, self.principal.person_id or "")
        if person is None:
            raise NotFound("person", self.principal.id)
        return replace(person, roles=person.roles & {self.principal.role})

    async def look_again(self, request_ids: Iterable[str]) -> None:
        """Lets the process know that the database knows more than it does. Where the engine does
        not answer now, the control worker finds out by itself, within minutes."""
        for request_id in request_ids:
            with suppress(EngineUnreachable, TimeoutError):
                async with timeout(NEWS_SECONDS):
                    await self.backend.engine.look_again(request_id)


def answered(answer: Answer) -> Response:
    """The answer as HTTP; one that was given before says so."""
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else None
    return json_answer(answer.body, answer.status, headers)
