"""Reads the objects of a dataset that lies in an object store: many at once, ahead of the packing.

How many are under way is bounded by their number and their bytes. What is larger than 64 MiB is
not held in memory: it comes in parts into a file without a name, and is handed on as that."""

import errno
import mmap
import os
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

from obstore.exceptions import BaseError, PreconditionError

from sharing.export.bucket import Bucket, SourceAway, reading_from, source_failure, version_of
from sharing.export.paths import why_unsafe
from sharing.export.source import IN_MEMORY, Candidate, SourceFailed, Unread

AHEAD = 32  # gets under way
BYTES_AHEAD = 64 << 20
PART = 16 << 20
PARTS_AT_ONCE = 4


def read(
    source: Bucket, candidates: Sequence[Candidate]
) -> Iterator[tuple[Candidate, bytes | mmap.mmap | Unread]]:
    """Each candidate in turn with its bytes, or with why not.

    An object that vanished or changed is Unread. A store that cannot be read as a whole raises
    SourceFailed: it must not look like 3,000,000 missing photos.
    """
    demand_there(source)
    pool = ThreadPoolExecutor(AHEAD, "get")
    ahead: deque[tuple[Candidate, Future[bytes | mmap.mmap | Unread]]] = deque()
    held = 0
    try:
        for candidate in candidates:
            while ahead and (len(ahead) >= AHEAD or held + candidate.bytes > BYTES_AHEAD):
                done, data = ahead.popleft()
                yield done, data.result()
                held -= done.bytes
            ahead.append((candidate, pool.submit(_one, source, candidate)))
            held += candidate.bytes
        while ahead:
            done, data = ahead.popleft()
            yield done, data.result()
    finally:
        pool.shutdown(cancel_futures=True)


def demand_there(source: Bucket) -> None:
    """Raises SourceFailed unless there is something to read at all."""
    with reading_from(source):
        anything = list(islice(source.listed(), 1))
    if not anything:
        raise SourceFailed(
            "source_missing", f"There is no object at {source}: check the dataset's location."
        )


def _one(source: Bucket, candidate: Candidate) -> bytes | mmap.mmap | Unread:
    unsafe = why_unsafe(candidate.path)
    if unsafe:
        return Unread(candidate.path, f"the name {unsafe}")
    try:
        got = _spooled if candidate.bytes > IN_MEMORY else _whole
        data = got(source, candidate)
        return _changed(candidate) if data is None else data
    except PreconditionError:
        return _changed(candidate)
    except (BaseError, OSError, ValueError) as error:
        return _unread(source, candidate, error)


def _whole(source: Bucket, candidate: Candidate) -> bytes | None:
    found = source.store().get(source.key(candidate.path))
    if not _is(found.meta, candidate):
        return None
    data = bytes(found.bytes())
    return data if len(data) == candidate.bytes else None


def _spooled(source: Bucket, candidate: Candidate) -> mmap.mmap | None:
    """The object as a file that is gone with its last reader. Every part is of one version."""
    store, key = source.store(), source.key(candidate.path)
    meta = store.head(key)
    if not _is(meta, candidate):
        return None
    options: Any = {"if_match": meta["e_tag"]} if meta["e_tag"] else {}
    with tempfile.TemporaryFile() as file, ThreadPoolExecutor(PARTS_AT_ONCE, "part") as pool:

        def part(start: int) -> bool:
            end = min(start + PART, candidate.bytes)
            ranged: Any = {**options, "range": (start, end)}
            data = store.get(key, options=ranged).bytes()
            return os.pwrite(file.fileno(), memoryview(data), start) == end - start

        if not all(pool.map(part, range(0, candidate.bytes, PART))):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def _is(meta: Any, candidate: Candidate) -> bool:
    return bool(meta["size"] == candidate.bytes and version_of(meta) == candidate.modified_ns)


def _changed(candidate: Candidate) -> Unread:
    return Unread(candidate.path, "changed since it was indexed: index the dataset again")


def _unread(source: Bucket, candidate: Candidate, error: Exception) -> Unread:
    """Why this one cannot be had; raises SourceFailed where none can."""
    if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
        return Unread(candidate.path, "missing")
    if isinstance(error, ValueError):
        return Unread(candidate.path, "has a name that no object store's library reads: rename it")
    if "InvalidObjectState" in str(error):
        return Unread(candidate.path, "is archived: restore it in the store, then export again")
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        raise SourceFailed("source_failed", f"No room to spool a large object: {error}.") from error
    raise source_failure(source, error) from error


__all__ = ["SourceAway", "demand_there", "read"]
