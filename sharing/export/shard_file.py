"""The file that a shard is written to: hashed by the thread that strips the photos, while another
one waits for the disk.

The other thread only writes, four megabytes at a time: hashing there as well was tried, and what
it took off the first one, the interpreter's lock and a second core's cold cache put on again. Where
the partner has an age key it is encrypted on the way."""

import errno
import fcntl
import hashlib
import mmap
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import pyrage

Piece = bytes | memoryview

_BUFFER = 4 * 1024 * 1024  # bytes; a multiple of every disk's block
# Past the page cache where the system can: a package is read by nobody here, and three million
# photos that pass through the cache push out all that is. Copying them into it cost more than
# packing them.
_DIRECT = getattr(os, "O_DIRECT", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class ShardFile:
    """A new file. `write` takes bytes in order; after a clean exit it is on the disk whole."""

    def __init__(self, path: Path) -> None:
        self.bytes = 0
        self.sha256 = ""
        self._hash = hashlib.sha256()
        # Each begins on a page, as O_DIRECT wants: one is filled while the other is written.
        self._buffer, self._other = (memoryview(mmap.mmap(-1, _BUFFER)) for _ in range(2))
        self._held = 0
        self._disk = ThreadPoolExecutor(1, "disk")
        self._writing: Future[None] | None = None
        self._descriptor = os.open(path, _NEW, 0o644)
        self._direct = _switch(self._descriptor, _DIRECT, on=True)

    def __enter__(self) -> "ShardFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._send()
                self._settle()
                os.fsync(self._descriptor)
                self.sha256 = self._hash.hexdigest()
        finally:
            self._disk.shutdown()
            os.close(self._descriptor)

    def write(self, piece: Piece) -> int:
        """Takes the next bytes."""
        size, end = len(piece), self._held + len(piece)
        if end < _BUFFER:
            self._buffer[self._held : end] = piece
            self._held = end
            return size
        left = memoryview(piece)
        while left:
            part = left[: _BUFFER - self._held]
            self._buffer[self._held : self._held + len(part)] = part
            self._held += len(part)
            left = left[len(part) :]
            if self._held == _BUFFER:
                self._send()
        return size

    def _send(self) -> None:
        """Has the disk take what is held, and digests it meanwhile."""
        held = self._buffer[: self._held]
        self._settle()
        self._writing = self._disk.submit(self._write_all, held)
        self._hash.update(held)
        self.bytes += self._held
        self._held = 0
        self._buffer, self._other = self._other, self._buffer

    def _settle(self) -> None:
        """Waits for what the disk was given last; raises what it said."""
        if self._writing is not None:
            self._writing.result()

    def _write_all(self, left: memoryview) -> None:
        if self._direct and len(left) < _BUFFER:  # the file's end fills no block
            self._direct = _switch(self._descriptor, _DIRECT, on=False)
        while left:  # a full disk takes a part first, and says so at the next try
            left = left[self._write_some(left) :]

    def _write_some(self, data: memoryview) -> int:
        try:
            size = os.write(self._descriptor, data)
        except OSError as error:
            if not self._direct or error.errno != errno.EINVAL:
                raise
            size = 0  # this disk wants larger blocks
        if self._direct and size < len(data):
            self._direct = _switch(self._descriptor, _DIRECT, on=False)
        return size


def _switch(descriptor: int, flag: int, *, on: bool) -> bool:
    """Turns a flag of an open file on or off; False where it is off then, or there is none."""
    if not flag:
        return False
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | flag if on else flags & ~flag)
    except OSError:  # a file system in memory, say
        return False
    return on


def write_encrypted(file: ShardFile, pieces: Iterator[Piece], age_recipient: str) -> None:
    """Writes the pieces as one age file for `age_recipient` (`age1...`)."""
    reader, writer = _Reader(pieces), _Writer(file)
    try:
        pyrage.encrypt_io(reader, writer, [_recipient(age_recipient)])
    except pyrage.EncryptError:
        # pyrage turns what the reader or the writer raised into text: raise the thing itself.
        failed = reader.failed or writer.failed
        if failed is None:
            raise
        raise failed from None


def encrypted(data: bytes, age_recipient: str) -> bytes:
    """`data` as one age file for `age_recipient`."""
    sealed: bytes = pyrage.encrypt(data, [_recipient(age_recipient)])
    return sealed


def _recipient(text: str) -> object:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise ValueError(f"{text!r} is not an age recipient (age1...): {error}") from None


class _Reader:
    """The pieces as a file that pyrage can read from."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self.failed: BaseException | None = None
        self._pieces = pieces
        self._left = memoryview(b"")

    def read(self, size: int) -> bytes:
        try:
            while not self._left:
                piece = next(self._pieces, None)
                if piece is None:
                    return b""
                self._left = memoryview(piece)
        except BaseException as error:
            self.failed = error
            raise
        taken, self._left = bytes(self._left[:size]), self._left[size:]
        return taken


class _Writer:
    """A ShardFile that remembers what it raised."""

    def __init__(self, file: ShardFile) -> None:
        self.failed: BaseException | None = None
        self._file = file

    def write(self, piece: bytes) -> int:
        try:
            return self._file.write(bytes(piece))
        except BaseException as error:
            self.failed = error
            raise

    def flush(self) -> None:
        """Nothing: the exit of the ShardFile does it."""
