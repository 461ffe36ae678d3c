"""The file that a shard is written to.

A second thread hashes and writes it, so that stripping the next photos does not wait for the disk.
Where the partner has an age key it is encrypted on the way."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Semaphore, Thread
from types import TracebackType

import pyrage

Piece = bytes | memoryview

_BATCH = 2 * 1024 * 1024  # bytes; few large steps, as each of them passes the interpreter's lock
_IN_FLIGHT = 3


class ShardFile:
    """A new file. `write` takes bytes in order; after a clean exit it is on the disk whole."""

    def __init__(self, path: Path) -> None:
        self.bytes = 0
        self.sha256 = ""
        self._hash = hashlib.sha256()
        self._held: list[Piece] = []
        self._held_bytes = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        self._batches: SimpleQueue[bytes | None] = SimpleQueue()
        self._room = Semaphore(_IN_FLIGHT)
        self._failed: Exception | None = None
        self._thread = Thread(target=self._put_all, name="shard-file", daemon=True)
        self._thread.start()

    def __enter__(self) -> "ShardFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._held:
                self._send()
            self._batches.put(None)
            self._thread.join()
            if kind is None:
                self._raise_failure()
                os.fsync(self._descriptor)
                self.sha256 = self._hash.hexdigest()
        finally:
            os.close(self._descriptor)

    def write(self, piece: Piece) -> int:
        """Takes the next bytes; they must not change until the file is closed."""
        self._held.append(piece)
        self._held_bytes += len(piece)
        if self._held_bytes >= _BATCH:
            self._send()
        return len(piece)

    def _send(self) -> None:
        self._room.acquire()
        batch = b"".join(self._held)
        self.bytes += len(batch)
        self._held.clear()
        self._held_bytes = 0
        self._batches.put(batch)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _put_all(self) -> None:
        while (batch := self._batches.get()) is not None:
            try:
                if self._failed is None:
                    self._put(batch)
            except OSError as error:
                self._failed = error
            self._room.release()

    def _put(self, batch: bytes) -> None:
        self._hash.update(batch)
        left = memoryview(batch)
        while left:
            left = left[os.write(self._descriptor, left) :]


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
