"""Following a consent source: its feed is pulled into our ledger, and who wants to ask the ledger
demands first that it is up to date. Where the source gives no usable answer, nobody is judged."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import httpx2

from sharing.addresses import on_this_machine
from sharing.consent_line import CLOCKS_APART, Known
from sharing.consent_source import (
    CHALLENGE,
    SIGNATURE,
    Asked,
    ConsentSource,
    Demanded,
    Page,
    Unbelieved,
    believed,
    events_of,
    source_of,
)
from sharing.errors import NotYet, Refused
from sharing.records import consent_sources
from sharing.records.consents import known_words
from sharing.records.database import Database
from sharing.records.tables import now
from sharing.settings import Settings

LIMIT = 5_000  # events in one answer, at most
MOST_BYTES = 16 * 2**20  # in one answer
PATIENCE = timedelta(seconds=10)  # for one answer as a whole, however slowly it trickles in
LOG = logging.getLogger(__name__)


class Follower:
    """One process's way to its consent source: one pull at a time, and none while the last one is
    fresh. Without a source it still demands that sources which others follow are fresh."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        limit: int = LIMIT,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._database = database
        self._source = source_of(settings)
        age = timedelta(seconds=settings.consent_source_seconds)
        self.demanded = Demanded(self._source.name if self._source else None, age)
        self._limit = limit
        self._patience = patience
        self._one_at_a_time = asyncio.Lock()

    async def up_to_date(self) -> None:
        """Brings the ledger up to date; raises NotYet where that cannot be done now."""
        if self._source is not None:
            await self._fresh_within(self._source, self._source.age)
        await self._database.read(lambda s: consent_sources.demand_fresh(s, self.demanded))

    async def begin(self) -> None:
        """Makes this the source that is followed, and no other: for the one process that decides
        which it is."""
        await self._database.write(lambda u: consent_sources.followed(u, self.demanded.name))

    async def follow(self) -> None:
        """Keeps the ledger up to date, for ever, so that what ends a consent acts also while nobody
        asks. Trouble is recorded, and tried again."""
        if self._source is None:
            return
        pause = self._source.age / 2
        while True:
            try:
                await self._fresh_within(self._source, pause)
            except NotYet as later:
                LOG.warning("%s", later.detail)
            except Exception:  # trying again later is all that this can do, and it must go on
                LOG.warning("the consent source could not be followed", exc_info=True)
            await asyncio.sleep(pause.total_seconds())

    async def _fresh_within(self, source: ConsentSource, age: timedelta) -> None:
        async with self._one_at_a_time:
            if await self._database.read(lambda s: consent_sources.is_fresh(s, source.name, age)):
                return
            try:
                await self._pull(source)
            except (Unbelieved, Refused, httpx2.HTTPError, TimeoutError) as failure:
                why = _why(failure)
                await self._database.write(lambda u: consent_sources.failed(u, source.name, why))
                raise consent_sources.behind(source.name, why) from failure

    async def _pull(self, source: ConsentSource) -> None:
        """Page by page until the feed says that nothing lies behind."""
        async with _client(source) as http:
            while not await self._one_page(http, source):
                pass

    async def _one_page(self, http: httpx2.AsyncClient, source: ConsentSource) -> bool:
        """True once the ledger is up to date."""
        after = await self._database.read(lambda s: consent_sources.cursor(s, source.name))
        asked = Asked(after, self._limit, now())
        async with asyncio.timeout(self._patience.total_seconds()):
            header, body = await _answer(http, source, asked)
        known = await self._database.read(lambda s: Known(*known_words(s), now() + CLOCKS_APART))

        def read() -> tuple[Page, list[dict[str, Any]]]:
            page = believed(source, asked, header, body, now())
            return page, events_of(page, source.name, known)

        page, events = await asyncio.to_thread(read)
        applied = await self._database.write(
            lambda u: consent_sources.pulled(u, source.name, asked, page, events)
        )
        return applied and page.complete


def _client(source: ConsentSource) -> httpx2.AsyncClient:
    # Not compressed: what is signed is what travels, and nothing swells while it is read.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if source.token:
        headers["Authorization"] = f"Bearer {source.token}"
    return httpx2.AsyncClient(headers=headers, trust_env=not on_this_machine(source.url))


async def _answer(
    http: httpx2.AsyncClient, source: ConsentSource, asked: Asked
) -> tuple[str | None, bytes]:
    """The signature header and the body; raises Unbelieved for any status but 200."""
    query = {"after": asked.after, "limit": asked.limit}
    challenge = {CHALLENGE: asked.challenge}
    async with http.stream("GET", source.url, params=query, headers=challenge) as response:
        if response.status_code != 200:
            raise Unbelieved(f"it answers with status {response.status_code}")
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > MOST_BYTES:
                raise Unbelieved(f"its answer is longer than {MOST_BYTES} bytes")
        return response.headers.get(SIGNATURE), bytes(body)


def _why(failure: Exception) -> str:
    """In words of ours: what libraries say may repeat what the feed sent."""
    match failure:
        case Unbelieved():
            return str(failure)
        case Refused():
            return failure.detail
        case TimeoutError() | httpx2.TimeoutException():
            return "it is too slow"
        case httpx2.ConnectError():
            return "nothing answers at its address"
    return "the connection broke off"
