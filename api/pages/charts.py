"""Geometry of the small drawings: numbers in, coordinates out. The templates draw them as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

ACROSS, DOWN, LEFT = 210, 64, 10
BOX_WIDTH, BOX_HEIGHT, LETTERS = 140, 40, 17


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart; `width` in percent of the longest, `part` in percent of all."""

    label: str
    count: int
    width: float
    part: float


def bars(counts: Mapping[str, int], *, total: int | None = None, most: int = 12) -> list[Bar]:
    """The largest counts first; what does not fit is one last row, `others`."""
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    if len(ordered) > most:
        ordered = [*ordered[: most - 1], ("others", sum(n for _, n in ordered[most - 1 :]))]
    whole = total or sum(counts.values()) or 1
    longest = max((n for _, n in ordered), default=1) or 1
    return [Bar(label, n, round(100 * n / longest, 1), 100 * n / whole) for label, n in ordered]


def months(counts: Mapping[str, int]) -> list[Bar]:
    """Counts by month in the order of time."""
    longest, whole = max(counts.values(), default=1) or 1, sum(counts.values()) or 1
    return [
        Bar(month(name), n, round(100 * n / longest, 1), 100 * n / whole)
        for name, n in sorted(counts.items())
    ]


def month(name: str) -> str:
    """`2014-04` as `April 2014`; what is no month as it is."""
    try:
        return f"{date.fromisoformat(name + '-01'):%B %Y}"
    except ValueError:
        return name


@dataclass(frozen=True, slots=True)
class Box:
    """One organisation in a drawing, with its name in at most two lines."""

    x: int
    y: int
    lines: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """From an owner to what it owns."""

    x1: int
    y1: int
    x2: int
    y2: int
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A small graph and its size."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int


def path(match: Mapping[str, Any], who: str) -> Drawing:
    """One path from somebody's interest to the partner, from left to right."""
    legs: Sequence[Mapping[str, Any]] = match["path"]
    names = [match["organisation"]["name"]]
    if legs:
        names = [legs[0]["from"]["name"], *(leg["to"]["name"] for leg in legs)]
    kinds = ["who", *("between" for _ in names[1:]), "target"]
    spots = [(LEFT + i * ACROSS, 12) for i in range(len(names) + 1)]
    boxes = [
        Box(x, y, lines(name), kind)
        for (x, y), name, kind in zip(spots, [who, *names], kinds, strict=True)
    ]
    said = [
        (str(match.get("kind", "interest")), True),
        *((_share(leg), leg["owns"]) for leg in legs),
    ]
    arrows = [_arrow(spots[i][0], 12, label, forward=on) for i, (label, on) in enumerate(said)]
    return Drawing(tuple(boxes), tuple(arrows), spots[-1][0] + BOX_WIDTH + LEFT, DOWN)


def lines(name: str) -> tuple[str, ...]:
    """A name in at most two short lines."""
    first, rest = "", name.split()
    while rest and (not first or len(first) + len(rest[0]) < LETTERS):
        first = f"{first} {rest.pop(0)}".strip()
    second = " ".join(rest)
    cut = [one if len(one) <= LETTERS else f"{one[: LETTERS - 1]}…" for one in (first, second)]
    return tuple(one for one in cut if one)


def _share(leg: Mapping[str, Any]) -> str:
    share = leg.get("share")
    return f"{share * 100:.3g} %" if share is not None else str(leg.get("kind", "owns"))


def _arrow(x: int, y: int, label: str, *, forward: bool) -> Arrow:
    start, end, middle = x + BOX_WIDTH + 2, x + ACROSS - 3, y + BOX_HEIGHT // 2
    return Arrow(
        *((start, middle, end, middle) if forward else (end, middle, start, middle)), label
    )
