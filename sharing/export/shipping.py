"""Puts files into an object store: whole, with what they must be written beside them.

Large ones go in parts, a few at once. An object appears only when all of it is there, and each
carries its SHA-256, so that whoever comes later can tell it is the right one without reading it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from obstore import get_async, put_async
from obstore.exceptions import BaseError

from sharing.export.bucket import Bucket, sending_to
from sharing.export.destination import DestinationFailed
from sharing.export.layout import PackedFile

PART = 16 << 20
PARTS_AT_ONCE = 4
FILES_AT_ONCE = 16
COPY_MOST = 5 * 10**9  # bytes; more than the 5 GB that S3 copies by itself goes through us
SHA256 = "sha256"


class Altered(DestinationFailed):
    """What was to be put is not what it should be."""


def send_files(place: Bucket, folder: Path, files: Iterable[PackedFile]) -> None:
    """Puts these files of a folder below `place`; raises DestinationFailed."""

    def one(file: PackedFile) -> None:
        _put(place, file, folder / file.path)

    each(one, files)


def send_bytes(place: Bucket, path: str, data: bytes) -> None:
    """Puts one small object; raises DestinationFailed."""
    _put(place, PackedFile(path, len(data), digest(data)), data)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(data).hexdigest()


def send_stream(place: Bucket, file: PackedFile, chunks: AsyncIterator[bytes]) -> None:
    """Puts what comes as chunks, once it has proved to be `file`; raises DestinationFailed, and
    then nothing is there."""
    # The library cannot read from one store inside a plain iterator that it sends to another.
    with sending_to(place):
        try:
            asyncio.run(_streamed(place, file, chunks))
        except BaseError as error:
            # The library may turn what the iterator raised into text of its own.
            if Altered.__name__ in str(error):
                raise _altered(file) from error
            raise


async def _streamed(place: Bucket, file: PackedFile, chunks: AsyncIterator[bytes]) -> None:
    store, key = place.store(writing=True), place.key(file.path)
    await put_async(store, key, _proven(file, chunks), **_how(file))


def has(place: Bucket, file: PackedFile) -> bool:
    """True where this very file lies there already, whole."""
    with sending_to(place):
        try:
            found = place.store(writing=True).get(place.key(file.path), options={"head": True})
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise
            return False
    attributes: Mapping[str, Any] = found.attributes
    return bool(found.meta["size"] == file.bytes and attributes.get(SHA256) == file.sha256)


def copy(source: Bucket, target: Bucket, paths: Mapping[str, tuple[str, int]]) -> None:
    """Copies inside the store: `paths` gives for each path below `target` the path below `source`
    and the size. Both must be in one bucket."""

    def one(path: str) -> None:
        origin, size = paths[path]
        store = target.store(writing=True)
        with sending_to(target):
            if size <= COPY_MOST:
                store.copy(source.key(origin), target.key(path))
                return
            asyncio.run(_through(source, origin, target, path))

    each(one, paths)


def erase(place: Bucket) -> int:
    """Erases everything below `place`; returns how many objects there were."""
    store, erased = place.store(writing=True), 0
    with sending_to(place):
        for page in place.pages():
            store.delete([place.key(meta["path"]) for meta in page])
            erased += len(page)
    return erased


def _put(place: Bucket, file: PackedFile, data: Any) -> None:
    with sending_to(place):
        place.store(writing=True).put(place.key(file.path), data, **_how(file))


def _how(file: PackedFile) -> dict[str, Any]:
    return {
        "attributes": {"Content-Type": "application/octet-stream", SHA256: file.sha256},
        "use_multipart": file.bytes > PART,
        "chunk_size": PART,
        "max_concurrency": PARTS_AT_ONCE,
    }


async def _through(source: Bucket, origin: str, target: Bucket, path: str) -> None:
    found = await get_async(source.store(), source.key(origin))
    how: dict[str, Any] = {"attributes": found.attributes, "chunk_size": PART}
    store, key = target.store(writing=True), target.key(path)
    await put_async(store, key, found.stream(PART), max_concurrency=2, **how)


async def _proven(file: PackedFile, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    hashed, size = sha256(), 0
    async for chunk in chunks:
        hashed.update(chunk)
        size += len(chunk)
        # The last bytes are held back until all of them are known to be right.
        wrong = size == file.bytes and hashed.hexdigest() != file.sha256
        if wrong or size > file.bytes:
            raise _altered(file)
        yield chunk
    if size < file.bytes:
        raise _altered(file)


def _altered(file: PackedFile) -> Altered:
    return Altered(
        "destination_failed", f"{file.path} is not what was sealed: nothing of it was put there."
    )


def each(work: Callable[[Any], None], things: Iterable[Any], at_once: int = FILES_AT_ONCE) -> None:
    """Does it for each, some at once; the first failure is raised and no more are begun."""
    pool = ThreadPoolExecutor(at_once, "send")
    try:
        for done in [pool.submit(work, thing) for thing in things]:
            done.result()
    finally:
        pool.shutdown(cancel_futures=True)
