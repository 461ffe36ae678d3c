"""A place in an object store: S3 and what speaks its language; Google's and Azure's by their URLs.

Who we are and where the store is comes from the environment that every tool reads (`AWS_*`,
`GOOGLE_*`, `AZURE_*`), which only the export worker has. One store a bucket and process, with
limits on how long anything may take."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import ObjectStore, from_url

from sharing.errors import Refused
from sharing.export.destination import DestinationFailed
from sharing.export.paths import shown, why_unsafe
from sharing.export.source import SourceFailed

SCHEMES = ("s3", "gs", "az")
LIST_PAGE = 1000  # what one answer of S3 holds

# Requests that fail in passing (5xx, resets, stalls) are made again by the library, this long.
_RETRIES: Any = {
    "max_retries": 8,
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=10)},
    "retry_timeout": timedelta(minutes=2),
}
_CONNECT = timedelta(seconds=5)
_SILENCE = {False: timedelta(seconds=20), True: timedelta(seconds=60)}  # by whether it writes
_WHOLE = timedelta(minutes=10)  # one request, a part of 16 MiB at most


class SourceAway(SourceFailed):
    """The store does not answer now: to be tried again, not taken for missing objects."""


class DestinationAway(DestinationFailed):
    """The store does not answer now: to be tried again."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Who we are to an S3 store, where that is not what the environment says."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Everything whose key begins with `prefix` and a slash; all of `root` where that is empty."""

    root: str  # s3://bucket, gs://bucket or az://account/container
    prefix: str = ""
    keys: Keys | None = None

    def __truediv__(self, below: str | Path) -> "Bucket":
        """The same store, further down."""
        joined = f"{self.prefix}/{Path(below).as_posix()}".strip("/")
        return Bucket(self.root, joined, self.keys)

    def __str__(self) -> str:
        return f"{self.root}/{self.prefix}".rstrip("/")

    def key(self, path: str) -> str:
        """The whole key of what lies at `path` in here."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def store(self, *, writing: bool = False) -> ObjectStore:
        """The store, opened once in each process."""
        return _store(self.root, self.keys, _endpoint(), writing)

    def pages(self) -> Iterator[list[Any]]:
        """The metadata of everything in here, page by page, with `path` relative to it."""
        cut = len(self.prefix) + 1 if self.prefix else 0
        for page in self.store().list(self.prefix or None, chunk_size=LIST_PAGE):
            yield [{**meta, "path": meta["path"][cut:]} for meta in page]

    def listed(self) -> Iterator[Any]:
        """The same one by one."""
        for page in self.pages():
            yield from page


def _endpoint() -> str:
    """Where S3 is, if it is not Amazon's own."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


@lru_cache(maxsize=32)
def _store(root: str, keys: Keys | None, endpoint: str, writing: bool) -> ObjectStore:
    options: dict[str, Any] = {
        "connect_timeout": _CONNECT,
        "read_timeout": _SILENCE[writing],
        "timeout": _WHOLE,
        # Whoever gives an address without TLS means it.
        "allow_http": endpoint.startswith("http://") or os.environ.get("AWS_ALLOW_HTTP") == "true",
    }
    given: dict[str, Any] = {}
    if root.startswith("s3://"):
        # The signature of a request leaves its body out: a third digest of every byte, and a fourth
        # in the store, that would show nothing which the seal does not.
        given = {"unsigned_payload": True}
    if keys is not None:
        given |= {"access_key_id": keys.id, "secret_access_key": keys.secret}
    return from_url(root, client_options=options, retry_config=_RETRIES, **given)  # type: ignore[call-overload, no-any-return]


def place(url: str, name: str) -> Path | Bucket:
    """What a plain path, a file:// URL or an object store's URL names; Refused for anything else.
    `name` is whose value it is."""
    if url.startswith("file://"):
        return Path(unquote(urlsplit(url).path))
    if "://" not in url:
        return Path(url)
    parts = urlsplit(url)
    inner = [unquote(part) for part in parts.path.split("/") if part]
    wanted = 2 if parts.scheme == "az" else 1  # az://account/container
    names = [parts.netloc, *inner]
    if parts.scheme not in SCHEMES or not parts.netloc or len(names) < wanted:
        raise _unusable(name, url, "give a folder's path, a file:// URL or s3://bucket/prefix")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise _unusable(name, url, "leave out everything but s3://bucket/prefix")
    prefix = "/".join(names[wanted:])
    if prefix and why_unsafe(prefix):
        raise _unusable(name, url, f"its prefix {why_unsafe(prefix)}")
    return Bucket(f"{parts.scheme}://{'/'.join(names[:wanted])}", prefix)


def joined(store: Path | Bucket, location: str, name: str) -> Path | Bucket:
    """A location in a store: as it is where it is whole by itself, below the store otherwise."""
    found = place(location, name)
    if isinstance(found, Bucket) or found.is_absolute():
        return found
    if isinstance(store, Bucket) and ".." in found.parts:
        raise _unusable(name, location, f"it must lie below {store}")
    return store / found


def _unusable(name: str, url: str, cure: str) -> Refused:
    # What stands before an @ may be somebody's password.
    text = url if "@" not in url else f"{url.partition('://')[0]}://...@..."
    return Refused("unsupported_location", f"{name} {shown(text)} can't be used here: {cure}.")


def version_of(meta: Any) -> int:
    """What tells this version of an object from every other, as 63 bits in the place of a file's
    time: drawn from its e-tag; from when it was changed, to the second, where it has none."""
    tag = str(meta["e_tag"] or "").removeprefix("W/").strip('"')
    if not tag:
        return int(meta["last_modified"].timestamp()) * 1_000_000_000
    return int.from_bytes(sha256(tag.encode()).digest()[:8], "big") >> 1


@contextmanager
def reading_from(place: Bucket) -> Iterator[None]:
    """Turns what goes wrong with a store as a whole into a SourceFailed with the cure."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise source_failure(place, error) from error


@contextmanager
def sending_to(place: Bucket) -> Iterator[None]:
    """Turns what goes wrong with a store into a DestinationFailed with the cure."""
    try:
        yield
    except (BaseError, FileNotFoundError, ValueError) as error:
        raise _destination_failure(place, error) from error


def source_failure(place: Bucket, error: Exception) -> SourceFailed:
    """Why nothing can be read from there: final where only a person can cure it."""
    if _denied(error):
        return SourceFailed(
            "source_failed", f"{place} may not be read with these keys: give them the right."
        )
    if "NoSuchBucket" in str(error) or isinstance(error, FileNotFoundError):
        return SourceFailed("source_missing", f"There is no {place}: check the location.")
    return SourceAway("source_away", f"{place} does not answer: {_said(error)}")


def _destination_failure(place: Bucket, error: Exception) -> DestinationFailed:
    if _denied(error):
        return DestinationFailed(
            "destination_read_only",
            f"{place} may not be written with these keys: give them the right.",
        )
    if "NoSuchBucket" in str(error):
        return DestinationFailed("destination_failed", f"There is no {place.root}: make it.")
    return DestinationAway("destination_away", f"{place} does not answer: {_said(error)}")


def _denied(error: Exception) -> bool:
    # Of a listing and a bulk delete the library tells the status in its text alone.
    denied = isinstance(error, PermissionDeniedError | UnauthenticatedError)
    return denied or "status code: 403" in str(error) or "status code: 401" in str(error)


def _said(error: Exception) -> str:
    """The library's own words, on one line and not endlessly long."""
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:300]}..."
