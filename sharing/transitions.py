"""Which state of a request may follow which, and by what act. Pure, and the only such table: what
is not in it cannot be recorded, and docs/states.md is made from it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from sharing.errors import Refused
from sharing.stages import AMENDABLE, ENDED, GATES, RequestState

State = RequestState


@dataclass(frozen=True, slots=True)
class Transition:
    """From one state to another, and what brings that about; `before` is None at the beginning."""

    before: RequestState | None
    after: RequestState
    by: str


GATE_STATES = tuple(RequestState(stage) for stage in GATES)
OPEN = tuple(state for state in RequestState if state not in ENDED)


def _table() -> Iterator[Transition]:
    yield Transition(None, State.SUBMITTED, "the partner submits")
    yield Transition(State.SUBMITTED, GATE_STATES[0], "the findings are in, the gate opens")
    for i, gate in enumerate(GATE_STATES):
        for later in GATE_STATES[i + 1 :]:
            yield Transition(gate, later, "approved: the next gate that is not approved opens")
        for earlier in GATE_STATES[:i]:
            yield Transition(gate, earlier, "a decision there no longer counts: the gate reopens")
        yield Transition(gate, State.CLEARED, "the last approval that was missing")
        yield Transition(gate, State.REFUSED, "refused")
        yield Transition(gate, State.RETURNED, "returned")
    for gate in GATE_STATES:
        for behind in (State.CLEARED, State.EXPORTING):
            yield Transition(behind, gate, "a decision there no longer counts: the gate reopens")
    yield Transition(State.CLEARED, State.EXPORTING, "an engineer triggers the export")
    yield Transition(State.EXPORTING, State.CLEARED, "the export failed, or was cancelled")
    yield Transition(State.EXPORTING, State.DELIVERED, "the package lies where it is fetched")
    yield Transition(State.EXPORTING, State.REVOKED, "at release the clearance stands no more")
    for state in sorted(AMENDABLE, key=list(State).index):
        yield Transition(state, State.SUBMITTED, "the partner revises the scope")
    for state in OPEN:
        yield Transition(state, State.WITHDRAWN, "the partner withdraws")
        if state is not State.SUBMITTED:
            yield Transition(state, State.EXPIRED, "the deadline passes")


TRANSITIONS: tuple[Transition, ...] = tuple(_table())
_POSSIBLE = frozenset((one.before, one.after) for one in TRANSITIONS)


def demand_possible(before: str, after: str) -> None:
    """Raises Refused unless a request may go from one state to the other; staying is no step."""
    if before != after and (RequestState(before), RequestState(after)) not in _POSSIBLE:
        raise Refused("wrong_state", f"A request that is {before} does not become {after}.")


def impossible(states: Iterable[str]) -> list[tuple[str, str]]:
    """The steps in a row of states that the table does not have."""
    steps = pairwise(states)
    return [s for s in steps if s[0] != s[1] and (State(s[0]), State(s[1])) not in _POSSIBLE]
