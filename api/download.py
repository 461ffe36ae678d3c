"""Fetches a delivered package over HTTP: several files at once, each resumed where it broke off,
and none believed before its digest is the one that was sealed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from api.http_client import Api, Json
from api.told import Told
from sharing.addresses import on_this_machine
from sharing.export.contents import PackageBroken
from sharing.export.layout import SEAL
from sharing.export.paths import why_unsafe

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

PART = ".part"
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each next try that got nothing
_CHUNK = 1 << 20

Progress = Callable[[int], None]  # told of bytes as they are there, also those from before


class BrokeOff(Told):
    """The connection broke again and again; what is there is kept for the next try."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of a package: where it is fetched from, and what it has to be."""

    path: str
    bytes: int
    sha256: str
    url: str


class Download:
    """One package on its way into a folder. Use it as `async with Download(...) as download:`."""

    def __init__(self, api: Api, export: str, folder: Path, at_once: int, told: Progress) -> None:
        self._api, self._address = api, f"/v1/exports/{export}/package"
        self._folder, self._told = folder, told
        self._room = asyncio.Semaphore(at_once)
        # A client of its own: links are their own permission, and our token is for the API alone.
        self._http = httpx2.AsyncClient(
            headers={"Accept-Encoding": "identity"},
            timeout=30.0,
            trust_env=not on_this_machine(api.url),
        )

    async def __aenter__(self) -> "Download":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def seal(self) -> bytes:
        """The package's seal, which says what everything else has to be."""
        answer = await self._http.get(str((await self._one(SEAL))["url"]))
        answer.raise_for_status()
        return answer.content

    async def fetch(self, digests: Mapping[str, str]) -> int:
        """Every sealed file, at its place in the folder; returns their bytes. Raises PackageBroken
        where one is not what was sealed, missing, or not sealed at all."""
        size, left = 0, set(digests)
        async for page in self._pages():
            wanted = [self._wanted(file, digests) for file in page if file["path"] != SEAL]
            await self._all(wanted)
            size += sum(file.bytes for file in wanted)
            left -= {file.path for file in wanted}
        if left:
            raise PackageBroken(min(left), "It is sealed, but is not offered.")
        return size

    async def _all(self, wanted: list[Wanted]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for file in wanted:
                    group.create_task(self._in_turn(file))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None  # the first that went wrong stopped the others

    async def _pages(self) -> AsyncIterator[list[Json]]:
        cursor = ""
        while True:
            page = await self._api.get(self._address, **({"cursor": cursor} if cursor else {}))
            yield page["files"]
            cursor = page["next"]
            if not cursor:
                return

    async def _one(self, path: str) -> Json:
        found: Json = (await self._api.get(self._address, file=path))["files"][0]
        return found

    def _wanted(self, file: Json, digests: Mapping[str, str]) -> Wanted:
        path = str(file["path"])
        if why_unsafe(path) or path not in digests:
            raise PackageBroken(path, "It is offered, but is not sealed.")
        return Wanted(path, int(file["bytes"]), digests[path], str(file["url"]))

    async def _in_turn(self, file: Wanted) -> None:
        async with self._room:
            await self._fetched(file)

    async def _fetched(self, file: Wanted) -> None:
        target = self._folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and await asyncio.to_thread(_is, target, file.sha256):
            self._told(file.bytes)
            return
        part = target.with_name(target.name + PART)
        for _ in range(2):  # what lies there already may have been another file's beginning
            have, digest = await self._continued(file, part)
            if have == file.bytes and digest == file.sha256:
                part.replace(target)
                return
            part.unlink()
            self._told(-have)
        raise PackageBroken(file.path, "What was received is not what was sealed.")

    async def _continued(self, file: Wanted, part: Path) -> tuple[int, str]:
        """Goes on until as many bytes as the file has are there: how many, and their digest."""
        have, digest = await asyncio.to_thread(_begun, part)
        url, tries = file.url, 0
        self._told(have)
        while have < file.bytes:
            before = have
            with part.open("ab") as out, suppress(httpx2.HTTPError):  # what came before stays
                async for chunk in self._rest(url, have):
                    out.write(chunk)
                    digest.update(chunk)
                    have += len(chunk)
                    self._told(len(chunk))
            tries = 0 if have > before else tries + 1
            if tries > len(PAUSES):
                raise BrokeOff(f"{file.path} breaks off at {have:,} bytes: start it again later.")
            if have < file.bytes:
                await asyncio.sleep(PAUSES[max(tries - 1, 0)])
                url = str((await self._one(file.path))["url"])  # the link may have run out
        return have, digest.hexdigest()

    async def _rest(self, url: str, have: int) -> AsyncIterator[bytes]:
        """The file's bytes from `have` on; nothing where the server will not give them now."""
        headers = {"Range": f"bytes={have}-"} if have else {}
        async with self._http.stream("GET", url, headers=headers) as answer:
            if answer.status_code == (206 if have else 200):
                # As it comes: gathered into larger pieces, what came before a cut would be lost.
                async for chunk in answer.aiter_raw():
                    yield chunk


def _begun(part: Path) -> tuple[int, "HASH"]:
    """How much of a file is there, from an earlier time, and the digest of that."""
    part.touch()
    return part.stat().st_size, _hashed(part)


def _hashed(file: Path) -> "HASH":
    digest = sha256()
    with file.open("rb", buffering=0) as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest


def _is(file: Path, digest: str) -> bool:
    return _hashed(file).hexdigest() == digest
