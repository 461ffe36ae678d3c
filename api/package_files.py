"""The files of a delivered package, from a folder or an object store, as answers to calls.

From an object store they go through this process: so each download is in the log, and `Range` works
as it does for a folder. No more is held in memory than the chunk on its way."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from starlette.responses import Response

from api.ranges import Range, asked, no_such_part
from api.sending import CountedFile, CountedStream, Ended
from sharing.errors import NotFound, Refused
from sharing.export.bucket import Bucket, Keys, place
from sharing.export.paths import why_unsafe
from sharing.keys import text_of
from sharing.settings import Settings

CHUNK = 1 << 20
HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
BYTES = "application/octet-stream"
# Who a process may be to a store. That a whole machine is somebody does not count: then the export
# worker's rights would be this process's too.
_OWN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def package_at(location: str, settings: Settings) -> Path | Bucket:
    """Where a package lies, ready to be read; raises Refused where this process has no access."""
    try:
        found = place(location, "package")
    except Refused:
        raise _not_here("it lies in a kind of storage that is not known here") from None
    if isinstance(found, Path):
        return found
    keys = text_of(settings.delivery_read_key)
    if keys:
        name, _, secret = keys.partition(":")
        if not name or not secret:
            raise _not_here("CLEARANCE_DELIVERY_READ_KEY must be ID:SECRET")
        return replace(found, keys=Keys(name, secret))
    if found.root.startswith("s3:") and not any(os.environ.get(name) for name in _OWN):
        raise _not_here("set CLEARANCE_DELIVERY_READ_KEY for the API to hand it over")
    return found


def listed(package: Path | Bucket) -> Iterator[tuple[str, int]]:
    """(path, bytes) of each file of a package, in no order. Blocks."""
    if isinstance(package, Bucket):
        try:
            for meta in package.listed():
                yield meta["path"], int(meta["size"])
        except (BaseError, OSError) as error:
            raise _failure(error) from error
        return
    for folder, _, names in os.walk(package):
        for name in names:
            found = Path(folder) / name
            if found.is_symlink():  # nothing of ours makes one: it would lead elsewhere
                continue
            yield found.relative_to(package).as_posix(), found.stat().st_size


def size_of(package: Path | Bucket, path: str) -> int:
    """The bytes of one file of a package; raises NotFound. Blocks."""
    if isinstance(package, Path):
        if not _lies_in(package, package / path):
            raise NotFound("file", path)
        return (package / path).stat().st_size
    try:
        return int(package.store().head(package.key(path))["size"])
    except FileNotFoundError:
        raise NotFound("file", path) from None
    except (BaseError, OSError) as error:
        raise _failure(error) from error


async def answered(
    package: Path | Bucket, path: str, headers: Mapping[str, str], ended: Ended
) -> Response:
    """One file as the answer to a call with these headers; `ended` is told how much of it was sent.
    Raises NotFound."""
    if isinstance(package, Bucket):
        return await _streamed(package, path, headers, ended)
    found = package / path
    if not await asyncio.to_thread(_lies_in, package, found):
        raise NotFound("file", path)
    return CountedFile(found, ended)


def _lies_in(folder: Path, found: Path) -> bool:
    """True for a file of this folder; a link that leads elsewhere is none."""
    return found.resolve().is_relative_to(folder.resolve()) and found.is_file()


async def _streamed(
    package: Bucket, path: str, headers: Mapping[str, str], ended: Ended
) -> Response:
    if why_unsafe(path):
        raise NotFound("file", path)
    store, key = package.store(), package.key(path)
    try:
        meta = await store.head_async(key)
        tag = meta["e_tag"]
        part = asked(headers, int(meta["size"]), tag)
        if part is None:
            return no_such_part(int(meta["size"]))
        options: Any = {"if_match": tag} if tag else {}
        if part.partial:
            options["range"] = (part.start, part.end)
        found = await store.get_async(key, options=options)
    except FileNotFoundError:
        raise NotFound("file", path) from None
    except (BaseError, OSError) as error:
        raise _failure(error) from error
    return CountedStream(
        _chunks(found) if part.end > part.start else iter(()),
        ended,
        status_code=206 if part.partial else 200,
        media_type=BYTES,
        headers=_headers(path, part, meta),
    )


async def _chunks(found: Any) -> AsyncIterator[bytes]:
    async for chunk in found.stream(CHUNK):
        yield bytes(chunk)


def _headers(path: str, part: Range, meta: Any) -> dict[str, str]:
    name = Path(path).name  # ours: no quotes, nothing outside ASCII
    headers = {
        **HEADERS,
        "Accept-Ranges": "bytes",
        "Content-Length": str(part.end - part.start),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Last-Modified": format_datetime(meta["last_modified"], usegmt=True),
    }
    if meta["e_tag"]:
        headers["ETag"] = meta["e_tag"]
    if part.partial:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{meta['size']}"
    return headers


def _failure(error: Exception) -> Refused:
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return _not_here("the API's keys for the store do not let it read the package")
    return Refused(
        "store_away", "The store of the packages does not answer: try again in a moment."
    )


def _not_here(why: str) -> Refused:
    return Refused("not_served_here", f"The package is not served by this server: {why}.")
