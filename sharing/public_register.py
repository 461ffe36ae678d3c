"""What the public register says of a request, and from when on. Pure: what this does not allow
is shown to nobody without a session (docs/decisions/0029)."""

from dataclasses import dataclass
from enum import StrEnum

from sharing.stages import RequestState

FEW = 100  # below this a number could point at somebody


class Outcome(StrEnum):
    """What became of a request, as the public is told."""

    OPEN = "open"
    DELIVERED = "delivered"
    REFUSED = "refused"
    EXPIRED = "expired"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"


_ENDS = {
    RequestState.DELIVERED: Outcome.DELIVERED,
    RequestState.CLOSED: Outcome.DELIVERED,
    RequestState.REFUSED: Outcome.REFUSED,
    RequestState.EXPIRED: Outcome.EXPIRED,
    RequestState.REVOKED: Outcome.REVOKED,
    RequestState.WITHDRAWN: Outcome.WITHDRAWN,
}

# Of these the public learns who asked, for what, and how it went. Of all others only that they
# exist: nobody has answered yet, or nobody had to, as the partner no longer asks.
TOLD: frozenset[Outcome] = frozenset(
    {Outcome.DELIVERED, Outcome.REFUSED, Outcome.EXPIRED, Outcome.REVOKED}
)


def outcome_of(state: str) -> Outcome:
    """What the public is told of a state: nothing about where an open request stands."""
    return _ENDS.get(RequestState(state), Outcome.OPEN)


def states_of(outcome: Outcome) -> frozenset[RequestState]:
    """The states that the public knows by one word."""
    return frozenset(state for state in RequestState if outcome_of(state) is outcome)


@dataclass(frozen=True, slots=True)
class Volume:
    """A number that points at nobody: `about` so many, or, where it is small, `below` so many."""

    about: int | None = None
    below: int | None = None


def volume(count: int) -> Volume:
    """A count of people or of what is theirs: two leading digits, and nothing exact below 100."""
    if count < FEW:
        return Volume(below=FEW)
    step = 10 ** (len(str(count)) - 2)
    return Volume(about=(count + step // 2) // step * step)
