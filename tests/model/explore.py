"""Breadth first through every state, so that the first violation has the shortest trace."""

import gc
from dataclasses import dataclass

from tests.model.invariants import broken
from tests.model.state import State, Step, words
from tests.model.steps import Steps
from tests.model.world import World


@dataclass(frozen=True)
class Explored:
    """How many states there are; the first violation as a trace in words, or nothing."""

    states: int
    steps: int
    depth: int
    trace: tuple[str, ...] = ()
    finished: bool = True


def explore(
    world: World, off: frozenset[str] = frozenset(), limit: int = 0, only: str | None = None
) -> Explored:
    """Goes everywhere, or until an invariant breaks, or until so many states were seen."""
    gc.disable()  # nothing here is a cycle, and the collector would look at millions of tuples
    try:
        return _explore(Steps(world, off), limit, only)
    finally:
        gc.enable()


def _explore(steps: Steps, limit: int, only: str | None) -> Explored:
    world, after = steps.world, steps.after
    start = State()
    came_from: dict[State, State | None] = {start: None}
    layer, taken, depth = [start], 0, 0
    while layer:
        reached: list[State] = []
        for state in layer:
            for step, new in after(state):
                taken += 1
                said = broken(state, step, new, world, only)
                if said is not None:
                    trace = _trace(steps, came_from, state, step, said)
                    return Explored(len(came_from), taken, depth, trace)
                if new not in came_from:
                    came_from[new] = state
                    reached.append(new)
            if limit and len(came_from) >= limit:
                return Explored(len(came_from), taken, depth, finished=False)
        layer, depth = reached, depth + 1
    return Explored(len(came_from), taken, depth)


def _trace(
    steps: Steps, came_from: dict[State, State | None], state: State, last: Step, said: str
) -> tuple[str, ...]:
    """The steps from the beginning, in words; the last line is what was violated."""
    path: list[Step] = [last]
    here = state
    while (earlier := came_from[here]) is not None:
        path.append(next(step for step, new in steps.after(earlier) if new == here))
        here = earlier
    told = [words(step, steps.world) for step in reversed(path)]
    return *(f"{i}. {one}" for i, one in enumerate(told, 1)), f"violated: {said}"
