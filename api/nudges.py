"""By how much the edges of what a partner is told of counts are moved: only this server knows."""

from collections.abc import Callable

from api.dependencies import Call


def nudge(call: Call) -> Callable[[str], float]:
    """From 0 to 1 by a question's digest: the same for everybody, and only this server knows it."""

    def moved(digest: str) -> float:
        return int.from_bytes(call.backend.derived("outlook", digest)[:8]) / 2**64

    return moved
