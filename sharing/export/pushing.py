"""Puts a delivered package into the partner's own bucket, the manifest and the seal last: what is
there before them is no package yet.

Only called once the release is committed, and may be repeated: what lies there whole, with its
SHA-256, stays. Every file is hashed on its way and completed only if it is what was sealed."""

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from obstore import get_async

from sharing.export import shipping
from sharing.export.bucket import Bucket, place, reading_from, sending_to
from sharing.export.destination import DestinationFailed
from sharing.export.layout import SEAL, SUMMARY, PackedFile, plain_files

_CHUNK = 1 << 20


def push(package: Path | Bucket, url: str, envelope: bytes) -> str:
    """Puts the package to `url`, with `envelope` as its seal; gives the url. DestinationFailed
    where it cannot be done, or is not whole afterwards."""
    target = place(url, "delivery.push")
    if not isinstance(target, Bucket):
        raise DestinationFailed("destination_failed", f"{url} is no object store's.")
    seal = PackedFile(SEAL, len(envelope), shipping.digest(envelope))
    if shipping.has(target, seal):
        return url
    files = _sealed(package, envelope)
    there = _there(target)
    last = [file for file in files if file.path == SUMMARY]
    _sent(package, target, [file for file in files if file.path != SUMMARY], there)
    _sent(package, target, last, there)
    _demand_whole(target, files)
    shipping.send_bytes(target, SEAL, envelope)
    return url


def _sealed(package: Path | Bucket, envelope: bytes) -> list[PackedFile]:
    """Every file that the seal names, with its size as it lies here."""
    statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    if isinstance(package, Bucket):
        with reading_from(package):
            sizes = {meta["path"]: int(meta["size"]) for meta in package.listed()}
    else:
        sizes = plain_files(package)[0]
    return [
        PackedFile(file["name"], sizes.get(file["name"], -1), file["digest"]["sha256"])
        for file in statement["subject"]
    ]


def _there(target: Bucket) -> dict[str, int]:
    with sending_to(target):
        return {meta["path"]: int(meta["size"]) for meta in target.listed()}


def _sent(
    package: Path | Bucket, target: Bucket, files: Sequence[PackedFile], there: Mapping[str, int]
) -> None:
    def one(file: PackedFile) -> None:
        if there.get(file.path) == file.bytes and shipping.has(target, file):
            return
        shipping.send_stream(target, file, _chunks(package, file.path))

    small = [file for file in files if file.bytes <= shipping.PART]
    shipping.each(one, small)
    shipping.each(one, [file for file in files if file.bytes > shipping.PART], at_once=2)


def _chunks(package: Path | Bucket, path: str) -> AsyncIterator[bytes]:
    return _fetched(package, path) if isinstance(package, Bucket) else _read(package / path)


async def _fetched(package: Bucket, path: str) -> AsyncIterator[bytes]:
    with reading_from(package):
        found = await get_async(package.store(), package.key(path))
        async for part in found.stream(_CHUNK):
            yield bytes(part)


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _demand_whole(target: Bucket, files: Sequence[PackedFile]) -> None:
    found = _there(target)
    found.pop(SEAL, None)
    wanted = {file.path: file.bytes for file in files}
    if found != wanted:
        odd = min(path for path, _ in found.items() ^ wanted.items())
        raise DestinationFailed(
            "destination_failed",
            f"{target}/{odd} has {found.get(odd)} bytes where {wanted.get(odd)} were sealed: "
            "have it moved away; it is tried again.",
        )
