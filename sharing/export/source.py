"""Reads the objects of a dataset: as indexed, from inside its folder, or not at all."""

import errno
import mmap
import os
import stat
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sharing.export.paths import why_unsafe
from sharing.export.unreadable import Buffer

IN_MEMORY = 64 * 1024 * 1024  # bytes; a larger object is mapped, and looked at in windows

# Files opened ahead, so that a cold disk reads them together (2.6 times as fast as one by one).
_AHEAD = 64
_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG))
_OURS = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))
# Without O_NONBLOCK, a named pipe that took a photo's place would hold the export for ever.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that consent allows; size (bytes) and time as they were indexed."""

    path: str
    subject: str
    bytes: int
    modified_ns: int
    media_type: str
    consent_position: int
    row: int | None = None  # its subject's row in the dataset's table


@dataclass(frozen=True, slots=True)
class Unread:
    """An object that could not be exported, and why."""

    path: str
    detail: str


class SourceFailed(Exception):
    """The dataset itself cannot be read now; `code` is source_missing or source_failed."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)  # both, so that it can be sent from process to process
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


def read(
    source: Path, candidates: Sequence[Candidate]
) -> Iterator[tuple[Candidate, Buffer | Unread]]:
    """Each candidate in turn with its bytes, or with why not.

    Larger objects come as a mapping of their file, which is good until the next one is asked for.
    A file that vanished, changed, or is not a plain file inside `source` is Unread. A whole
    source that is absent raises SourceFailed: it must not look like 3,000,000 missing photos.
    """
    root = _root(source)
    ahead: deque[tuple[Candidate, int | Unread]] = deque()
    try:
        for candidate in candidates:
            ahead.append((candidate, _opened(root, candidate)))
            if len(ahead) > _AHEAD:
                yield from _next(ahead)
        while ahead:
            yield from _next(ahead)
    finally:
        for _, descriptor in ahead:
            if isinstance(descriptor, int):
                os.close(descriptor)


def _root(source: Path) -> str:
    try:
        root = os.path.realpath(source, strict=True)
        os.scandir(root).close()
    except OSError as error:
        raise SourceFailed(
            "source_missing",
            f"The dataset's folder {source} cannot be read ({error.strerror}): mount it, or give "
            "this process the right to read it, then retry.",
        ) from error
    return root


def _next(
    ahead: deque[tuple[Candidate, int | Unread]],
) -> Iterator[tuple[Candidate, Buffer | Unread]]:
    candidate, descriptor = ahead.popleft()
    if isinstance(descriptor, Unread):
        yield candidate, descriptor
        return
    try:
        if candidate.bytes > IN_MEMORY:
            yield candidate, _mapped(descriptor, candidate)
            _refuse_what_changed(descriptor, candidate)
        else:
            yield candidate, _whole(descriptor, candidate)
    finally:
        os.close(descriptor)


def _opened(root: str, candidate: Candidate) -> int | Unread:
    """A descriptor of the object, its content on the way into memory."""
    unsafe = why_unsafe(candidate.path)
    if unsafe:
        return Unread(candidate.path, f"the name {unsafe}")
    whole = f"{root}/{candidate.path}"
    try:
        descriptor = os.open(whole, _FLAGS)
    except (OSError, ValueError) as error:
        return _unread(candidate, error)
    try:
        odd = _why_not_this_one(descriptor, root, whole, candidate)
        if odd is None:
            if sys.platform == "linux":
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
            return descriptor
    except OSError as error:
        odd = _unread(candidate, error)
    os.close(descriptor)
    return odd


def _why_not_this_one(
    descriptor: int, root: str, whole: str, candidate: Candidate
) -> Unread | None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return Unread(candidate.path, "is not a plain file")
    if not _place(descriptor, whole).startswith(root + "/"):
        return Unread(candidate.path, "is a link that leads out of the dataset's folder")
    if status.st_size != candidate.bytes or status.st_mtime_ns != candidate.modified_ns:
        return _changed(candidate)
    return None


def _place(descriptor: int, whole: str) -> str:
    """Where an open file really is, asked after opening so that nothing can be swapped between."""
    if sys.platform == "linux":
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 (once per object)
    return os.path.realpath(whole)


def _whole(descriptor: int, candidate: Candidate) -> bytes | Unread:
    try:
        data = os.read(descriptor, candidate.bytes + 1)
        while 0 < len(data) < candidate.bytes:
            more = os.read(descriptor, candidate.bytes + 1 - len(data))
            if not more:
                break
            data += more
    except OSError as error:
        return _unread(candidate, error)
    return data if len(data) == candidate.bytes else _changed(candidate)


def _mapped(descriptor: int, candidate: Candidate) -> mmap.mmap | Unread:
    try:
        return mmap.mmap(descriptor, candidate.bytes, access=mmap.ACCESS_READ)
    except OSError as error:
        return _unread(candidate, error)
    except ValueError:  # it is shorter than that by now
        return _changed(candidate)


def _refuse_what_changed(descriptor: int, candidate: Candidate) -> None:
    """A mapped file is read more than once: what was looked at must be what was written."""
    status = os.fstat(descriptor)
    if (status.st_size, status.st_mtime_ns) != (candidate.bytes, candidate.modified_ns):
        raise SourceFailed(
            "source_failed",
            "A large object of the dataset was changed while it was exported: the shard is made "
            "again without it. Index the dataset again.",
        )


def _changed(candidate: Candidate) -> Unread:
    return Unread(candidate.path, "changed since it was indexed: index the dataset again")


def _unread(candidate: Candidate, error: OSError | ValueError) -> Unread:
    number = error.errno if isinstance(error, OSError) else None
    if number in _OURS:
        raise SourceFailed(
            "source_failed", f"This process ran out of open files or memory: {error}."
        ) from error
    if number in _ABSENT:
        return Unread(candidate.path, "missing")
    if number == errno.ELOOP:
        return Unread(candidate.path, "is a link; only files themselves are exported")
    why = error.strerror if isinstance(error, OSError) else str(error)
    return Unread(candidate.path, f"cannot be read: {why}")
