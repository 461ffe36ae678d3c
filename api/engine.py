"""The workflow engine as the API sees it: the verbs, and whether it answers."""

import asyncio
from datetime import timedelta
from typing import Protocol

from temporalio.client import Client
from temporalio.service import RPCError

from sharing.dry_run import DryRun
from sharing.orders import Order, Verb
from sharing.settings import Settings
from workflows import client as verbs
from workflows.client import EngineUnreachable
from workflows.messages import Progress

CONNECT_SECONDS = 5.0


class Engine(Protocol):
    """What records orders. All of it raises sharing.errors.Refused and EngineUnreachable."""

    async def tell(self, order: Order) -> None:
        """Returns once the order is recorded in the database."""

    async def look_again(self, request_id: str) -> None:
        """Lets a request's process know that the database knows more than it does."""

    async def index_dataset(self, dataset_id: str, wait: timedelta) -> bool:
        """Scans a dataset; True when that was done within `wait`."""

    async def dry_run(self, request_id: str) -> DryRun:
        """What an export of a request would come to now."""

    async def preview(self, order: Order) -> None:
        """Has small pictures of a few photos made, where there are none."""

    async def counting(self, request_id: str) -> Progress | None:
        """How far the count of a request's scope has come; None where nobody can tell."""

    async def ready(self) -> None:
        """Returns if the engine answers now."""


class Temporal:
    """The Temporal server of the settings. It is looked for at the first need, and again at each
    need until it is found: the API serves what it can while the server is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._looking = asyncio.Lock()

    async def tell(self, order: Order) -> None:
        """Sends the order to its request's workflow."""
        await _TELL[order.verb](await self._connected(), order)

    async def look_again(self, request_id: str) -> None:
        """Signals the request's workflow."""
        await verbs.look_again(await self._connected(), request_id)

    async def index_dataset(self, dataset_id: str, wait: timedelta) -> bool:
        """Has the export worker scan a dataset."""
        return await verbs.index_dataset(await self._connected(), dataset_id, wait)

    async def dry_run(self, request_id: str) -> DryRun:
        """Asks an export worker, which knows the destination."""
        return await verbs.dry_run(await self._connected(), request_id)

    async def preview(self, order: Order) -> None:
        """Asks an export worker, which can read where the photos lie."""
        await verbs.preview(await self._connected(), order)

    async def counting(self, request_id: str) -> Progress | None:
        """Asks for the last heartbeat."""
        try:
            return await verbs.counting(await self._connected(), request_id)
        except EngineUnreachable:
            return None

    async def ready(self) -> None:
        """Asks for the server's own health."""
        client = await self._connected()
        try:
            healthy = await client.service_client.check_health(
                timeout=timedelta(seconds=CONNECT_SECONDS)
            )
        except RPCError as failure:
            raise EngineUnreachable(str(failure)) from failure
        if not healthy:
            raise EngineUnreachable("The Temporal server says that it does not serve.")

    async def _connected(self) -> Client:
        if self._client is None:
            async with self._looking:
                if self._client is None:
                    self._client = await verbs.connect(self._settings)
        return self._client


_TELL = {
    Verb.SUBMIT: verbs.submit,
    Verb.AMEND: verbs.amend,
    Verb.DECIDE: verbs.decide,
    Verb.TAKE_BACK: verbs.take_back,
    Verb.TRIGGER: verbs.trigger,
    Verb.CONFIRM: verbs.confirm,
    Verb.CANCEL: verbs.cancel,
    Verb.PAUSE: verbs.pause,
    Verb.RESUME: verbs.resume,
    Verb.LIMIT: verbs.limit,
    Verb.WITHDRAW: verbs.withdraw,
    Verb.ADD_TERMS: verbs.add_terms,
    Verb.ACCEPT: verbs.accept,
}
