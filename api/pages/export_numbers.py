"""The numbers of an export's page as words and shapes: what the page shows at first is what the
stream tells afterwards, under the same names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from api.pages.export_words import COMPUTED, PHASES, STEPS, lasting, size, spent
from api.pages.frame import grouped

View = Mapping[str, Any]
WIDE, HIGH = 600, 90
CELLS = 120
STATES = ("committed", "under_way", "stopped")


@dataclass(frozen=True, slots=True)
class Curve:
    """A rate over time as an SVG path of WIDE by HIGH, closed beyond its edges so that it can be
    filled; `top` is the rate at its upper edge."""

    line: str
    top: float
    highest: float


def curve(rates: Sequence[float]) -> Curve | None:
    """A curve through rates that lie equally far apart; None where there is nothing to draw."""
    if len(rates) < 2 or not any(rates):
        return None
    top, step = _edge(max(rates)), WIDE / (len(rates) - 1)
    spots = (f"{i * step:.0f} {HIGH * (1 - rate / top):.0f}" for i, rate in enumerate(rates))
    return Curve(f"M-9 {HIGH + 9}L-9 {HIGH}L{'L'.join(spots)}V{HIGH + 9}z", top, max(rates))


def _edge(highest: float) -> float:
    """The next round number above: 1, 2 or 5 with noughts."""
    size_of = 10.0 ** (len(str(int(highest))) - 1)
    return next(n * size_of for n in (1, 2, 5, 10) if n * size_of >= highest)


def strip(states: Sequence[str]) -> dict[str, str]:
    """Shards as a row of cells, each state a path of 1 high and CELLS wide at most. Where there
    are more shards than cells, a cell shows the state of its least finished shard."""
    if not states:
        return {}
    cells = min(CELLS, len(states))
    drawn: dict[str, list[str]] = {state: [] for state in STATES}
    least = (
        _least(states[cell * len(states) // cells : (cell + 1) * len(states) // cells])
        for cell in range(cells)
    )
    begin = 0
    for state, same in groupby(least):
        wide = len(list(same))
        if state in drawn:
            drawn[state].append(f"M{begin} 0h{wide}v1h-{wide}z")
        begin += wide
    return {state: "".join(parts) for state, parts in drawn.items()}


def _least(some: Sequence[str]) -> str:
    begun = next((state for state in ("under_way", "stopped") if state in some), None)
    return begun or ("committed" if all(one == "committed" for one in some) else "to_come")


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the pipe; `width` in percent of the longest, `part` in percent of all."""

    name: str
    label: str
    hint: str
    time: str
    each: str
    width: float
    part: float


def steps(stages: Mapping[str, View]) -> list[Step]:
    """The stages of the pipe in their order, with what each took."""
    known = {name: one["seconds"] for name, one in stages.items() if name in STEPS}
    whole, longest = sum(known.values()) or 1.0, max(known.values(), default=0) or 1.0
    return [
        Step(
            name,
            *STEPS[name],
            spent(known[name]),
            _each(stages[name]["microseconds_an_object"]),
            round(100 * known[name] / longest, 1),
            100 * known[name] / whole,
        )
        for name in STEPS
        if name in known
    ]


def slowest(rows: Iterable[Step]) -> Step | None:
    """The stage that most of the time goes into."""
    return max(rows, key=lambda one: one.part, default=None)


def computed(stages: Mapping[str, View]) -> str | None:
    """How long the processor itself was busy packing."""
    return spent(stages[COMPUTED]["seconds"]) if COMPUTED in stages else None


def _each(microseconds: float | None) -> str:
    return "" if microseconds is None else spent(microseconds / 1e6)


def numbers(export: View) -> dict[str, str]:
    """What changes by the second, each under the name by which the page shows it."""
    progress = export["progress"]
    under = progress["under_way"]
    total = progress["total"] or 0
    done = progress["objects"] + progress["excluded"] + under["objects"]
    rate = progress["bytes_per_second"]
    shards = progress["shards"]
    return {
        "part": f"{100 * min(done, total) / total:.1f}" if total else "0",
        "part@width": f"{100 * min(done, total) / total:.1f}" if total else "0",
        "dealt": grouped(min(done, total) if total else done),
        "total": grouped(total) if total else "an unknown number of",
        "made": f"{many(progress['objects'], 'object')}, {size(progress['bytes'])}",
        "out": grouped(progress["excluded"]),
        "under": f"{many(under['objects'], 'object')} in {many(under['shards'], 'shard')}",
        "rate": _rate(rate, progress["objects_per_second"]),
        "held": "held back by a limit" if progress["limited"] else "",
        "left": lasting(progress["seconds_left"])
        if progress["seconds_left"] is not None
        else "not known yet",
        "shards": f"{grouped(shards['done'])} of {grouped(shards['total'] or 0)}",
        "phase": PHASES.get(progress["phase"] or "", "waiting for a worker"),
    }


def many(count: int, thing: str) -> str:
    """A number of things: `1 shard`, `12 shards`."""
    return f"{grouped(count)} {thing}{'' if count == 1 else 's'}"


def _rate(size_of: float | None, objects: float | None) -> str:
    if not size_of:
        return "nothing at the moment"
    return f"{size(size_of)} a second, {grouped(round(objects or 0, 1))} objects"


def shapes(moved: View, states: Sequence[str]) -> dict[str, str]:
    """What changes in the drawings: the curve of the last seconds, and the row of shards."""
    drawn = curve([one["bytes_per_second"] for one in moved["seconds"]])
    found = {f"shards-{state}@d": path for state, path in strip(states).items()}
    found["ago"] = f"{len(moved['seconds'])} s ago"
    if drawn:
        found |= {"line@d": drawn.line, "top": f"{size(drawn.top)}/s"}
    return found
