"""Digests of objects, taken in a thread of their own: hashing leaves the interpreter to the
stripping of the next photos, and the two cores share the work."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from types import TracebackType

Piece = bytes | memoryview

_BATCH = 1024 * 1024  # bytes
_IN_FLIGHT = 4


class Digests:
    """Takes objects in order; `all` gives their sha256 in hex, in that order."""

    def __init__(self) -> None:
        self._held: list[Sequence[Piece]] = []
        self._held_bytes = 0
        self._waiting: deque[Future[list[str]]] = deque()
        self._done: list[str] = []
        self._thread = ThreadPoolExecutor(1, "digests")

    def __enter__(self) -> "Digests":
        return self

    def __exit__(
        self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def add(self, pieces: Sequence[Piece], size: int) -> None:
        """One object of `size` bytes; its pieces must not change."""
        self._held.append(pieces)
        self._held_bytes += size
        if self._held_bytes >= _BATCH:
            self._send()

    def all(self) -> list[str]:
        """The digests of everything added so far."""
        self._send()
        self._settle(0)
        return self._done

    def _send(self) -> None:
        if self._held:
            self._settle(_IN_FLIGHT - 1)
            self._waiting.append(self._thread.submit(_digests, self._held))
            self._held, self._held_bytes = [], 0

    def _settle(self, left: int) -> None:
        while len(self._waiting) > left:
            self._done += self._waiting.popleft().result()


def _digests(objects: Sequence[Sequence[Piece]]) -> list[str]:
    return [_digest(pieces) for pieces in objects]


def _digest(pieces: Sequence[Piece]) -> str:
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
