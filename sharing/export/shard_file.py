"""The file that a shard is written to: hashed and written by the thread that strips the photos.

A second thread for it was tried: what it took off the first one, the interpreter's lock and a
second core's cold cache put on again. Where the partner has an age key it is encrypted on the
way."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pyrage

Piece = bytes | memoryview

_BATCH = 2 * 1024 * 1024  # bytes
_PIECES = 256  # below what one writev takes anywhere


class ShardFile:
    """A new file. `write` takes bytes in order; after a clean exit it is on the disk whole."""

    def __init__(self, path: Path) -> None:
        self.bytes = 0
        self.sha256 = ""
        self._hash = hashlib.sha256()
        self._held: list[Piece] = []
        self._held_bytes = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

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
                os.fsync(self._descriptor)
                self.sha256 = self._hash.hexdigest()
        finally:
            os.close(self._descriptor)

    def write(self, piece: Piece) -> int:
        """Takes the next bytes; they must not change until the file is closed."""
        self._hash.update(piece)
        self._held.append(piece)
        self._held_bytes += len(piece)
        if self._held_bytes >= _BATCH or len(self._held) >= _PIECES:
            self._send()
        return len(piece)

    def _send(self) -> None:
        if not self._held:
            return
        written = os.writev(self._descriptor, self._held)
        if written < self._held_bytes:  # a full disk says so at the next try, not at this one
            left = memoryview(b"".join(self._held))[written:]
            while left:
                left = left[os.write(self._descriptor, left) :]
        self.bytes += self._held_bytes
        self._held, self._held_bytes = [], 0


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
