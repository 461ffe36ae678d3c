"""`python -m tests.model [--json]`: progress to stderr, the result to stdout; 1 where an invariant
broke or a mutant got away."""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from tests.model.explore import Explored, explore
from tests.model.mutants import MUTANTS, Caught, tried
from tests.model.world import WORLDS

PROCESSES = 2


def main() -> int:
    """0 where everything held and every mutant was caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    given = parser.parse_args()
    began = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as processes:
        explored = list(processes.map(explore, WORLDS))
        took = time.perf_counter() - began
        caught = list(processes.map(tried, MUTANTS))
    _show_worlds(explored, took)
    _show_mutants(caught)
    states = sum(one.states for one in explored)
    violations = sum(bool(one.trace) for one in explored)
    got = sum(bool(one.trace) for one in caught)
    if given.json:
        mutants = {"total": len(caught), "caught": got}
        print(json.dumps({"states": states, "violations": violations, "mutants": mutants}))
    return 0 if not violations and got == len(caught) else 1


def _show_worlds(explored: Iterable[Explored], took: float) -> None:
    total = 0
    for world, one in zip(WORLDS, explored, strict=True):
        total += one.states
        print(f"{world.name}: {one.states:,} states, {one.steps:,} steps, {one.depth} deep")
        _tell(one.trace)
    print(f"{total:,} states in {took:.1f} s", file=sys.stderr)


def _show_mutants(caught: Iterable[Caught]) -> None:
    for mutant in caught:
        print(f"\nWithout: {mutant.guard} (held by {mutant.held_by})")
        _tell(mutant.trace or ("NOT CAUGHT",))


def _tell(trace: Iterable[str]) -> None:
    for line in trace:
        print(f"   {line}")


if __name__ == "__main__":
    sys.exit(main())
