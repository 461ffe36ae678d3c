"""Streams that are held open. Each asks the database again and again, so nobody holds any number of
them."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from sharing.errors import Refused

MOST = 32


@dataclass(frozen=True, slots=True)
class Streams:
    """How many each caller holds open at this server now."""

    open: Counter[str] = field(default_factory=Counter)

    def held(self, who: str, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same events, counted as one of the caller's for as long as they last; raises Refused
        where that would be one too many."""
        if self.open[who] >= MOST:
            raise Refused(
                "limit_reached", f"You hold {MOST} streams open, as many as there may be: end one."
            )
        return self._counted(who, events)

    async def _counted(self, who: str, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self.open[who] += 1
        try:
            if self.open[who] <= MOST:  # several may have begun at the same moment
                async for event in events:
                    yield event
        finally:
            self.open[who] -= 1
            if not self.open[who]:
                del self.open[who]
