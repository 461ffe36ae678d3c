"""A thin client of our own HTTP API, for the command line and the demo."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx2

from api.told import Told
from sharing.addresses import on_this_machine

Json = dict[str, Any]
POLL = 0.5  # seconds between two looks where there is no event stream
SILENCE = 60.0  # seconds without a word; a stream has one every fifteen
PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before each next try where the answer is lost
LATER = frozenset({502, 503, 504})  # says that it cannot be done now, and may be soon


class ApiProblem(Exception):
    """An answer that is not a success: `code` for programs, `detail` and `errors` for people.
    `told` is the whole answer, as far as it was JSON."""

    def __init__(self, status: int, code: str, detail: str, told: Json) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.told = told
        self.errors: list[Json] = list(told.get("errors") or ())


class Unreachable(Told):
    """Nothing answers at the address: says what to start."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """One server-sent event: its id, its name, and its data."""

    id: str
    name: str
    data: Json


class Api:
    """One caller with one token. Use it as `async with Api(url, token) as api:`."""

    def __init__(self, url: str, token: str = "", timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._http = httpx2.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=timeout,
            trust_env=not on_this_machine(self.url),  # no proxy between us and ourselves
        )

    async def __aenter__(self) -> "Api":
        return self

    async def __aexit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _b: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: str | int) -> Any:
        """The JSON at `path`; raises ApiProblem, Unreachable."""
        return _answer(await self._sent("GET", path, params=query))

    async def post(self, path: str, body: object = None) -> Any:
        """POSTs JSON once, however often it has to be sent; raises ApiProblem, Unreachable."""
        return (await self.posted(path, body))[1]

    async def posted(self, path: str, body: object = None) -> tuple[int, Any]:
        """As `post`, with the status: 202 says that the work goes on."""
        key = {"Idempotency-Key": uuid.uuid4().hex}
        response = await self._sent("POST", path, json=body, headers=key)
        return response.status_code, _answer(response)

    async def post_lines(self, path: str, lines: Sequence[str]) -> Any:
        """POSTs JSON objects, one a line, once, however often it has to be sent."""
        headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/x-ndjson"}
        body = "\n".join(lines).encode()
        return _answer(await self._sent("POST", path, content=body, headers=headers))

    async def items(self, path: str, **query: str | int) -> AsyncIterator[Json]:
        """Every item of a paged list, page by page."""
        cursor: str | None = None
        while True:
            page = await self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if not cursor:
                return

    async def events(self, path: str) -> AsyncGenerator[Streamed]:
        """Server-sent events until the server ends the stream; raises ApiProblem, Unreachable, and
        httpx2.ReadTimeout where it went away without a word: a live one says something."""
        try:
            async with self._http.sse(path, timeout=httpx2.Timeout(30.0, read=SILENCE)) as source:
                if source.response.status_code >= 400:
                    await source.response.aread()
                    _answer(source.response)
                async for event in source:
                    yield Streamed(event.id, event.event, _object(event.json()))
        except httpx2.ConnectError:
            raise self._nobody() from None

    async def following(self, path: str, stream: str | None = None) -> AsyncGenerator[Json]:
        """What `path` says, each time anew: pushed by the events at `stream` where they come,
        else asked for every half second. The caller stops when it has seen enough, and closes it:
        left to the loop, it would be closed a second time when the loop ends."""
        while True:
            if stream is not None:
                try:
                    async with aclosing(self.events(stream)) as events:
                        async for _ in events:
                            yield await self.get(path)
                except (ApiProblem, httpx2.TransportError, ValueError):
                    pass  # no stream there, or it broke off: ask instead
            yield await self.get(path)
            await asyncio.sleep(POLL)

    async def _sent(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """Sends it until there is an answer. A POST carries an Idempotency-Key, so that sending it
        again does it once."""
        for pause in (*PAUSES, None):
            try:
                response = await self._http.request(method, path, **more)
                if response.status_code not in LATER or pause is None:
                    return response
            except httpx2.ConnectError:
                raise self._nobody() from None
            except httpx2.TransportError:
                if pause is None:
                    raise Unreachable(
                        f"{self.url} broke off before it answered. Look at its log, then try again."
                    ) from None
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    def _nobody(self) -> Unreachable:
        return Unreachable(
            f"Nothing answers at {self.url}: start it with `clearance up`, or say where it is with "
            "--url or CLEARANCE_API_URL."
        )


def _answer(response: httpx2.Response) -> Any:
    if response.is_success:
        return response.json() if response.content else None
    try:
        told = _object(response.json())
    except ValueError:
        told = {}
    raise ApiProblem(
        response.status_code,
        str(told.get("code", f"http_{response.status_code}")),
        str(told.get("detail") or told.get("title") or response.reason_phrase),
        told,
    )


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value
