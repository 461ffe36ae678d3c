"""Methods in turns: every round runs each of them once, beginning with another one each time."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Rates:
    """What each method reached in each round, in things per second; round `i` of all belongs
    together, since a shared machine is slower in one minute than in the next."""

    of: dict[str, list[float]]

    def median(self, method: str) -> float:
        """The middle of the rounds."""
        return median(self.of[method])

    def ratio(self, ours: str, peer: str) -> float:
        """The middle of the rounds' own ratios."""
        return median(a / b for a, b in zip(self.of[ours], self.of[peer], strict=True))

    def rows(self, thing: str) -> list[tuple[str, ...]]:
        """A header and a row a method: the middle, the slowest and the fastest round."""
        header = ("method", f"{thing}/s", "slowest", "fastest")
        return [
            header,
            *(
                (name, f"{median(rates):,.0f}", f"{min(rates):,.0f}", f"{max(rates):,.0f}")
                for name, rates in self.of.items()
            ),
        ]


async def in_turns(methods: Mapping[str, Callable[[int], Awaitable[float]]], rounds: int) -> Rates:
    """Runs `methods`, each given the number of its round and answering its rate, `rounds` times."""
    rates: dict[str, list[float]] = {name: [] for name in methods}
    for number in range(rounds):
        for name in rotated(list(methods), number):
            rate = await methods[name](number)
            rates[name].append(rate)
            print(f"round {number + 1}/{rounds}  {name:24} {rate:>10,.1f}/s", file=sys.stderr)
    return Rates(rates)


def rotated(names: Sequence[str], by: int) -> list[str]:
    """`names` beginning at place `by`, so that no method always follows the same one."""
    start = by % len(names)
    return [*names[start:], *names[:start]]
