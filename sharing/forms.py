"""The forms in which a column may be given away: as it is, coarser, or as a keyed name.

A form is a word: `keep`, `drop`, `hash`, `year`, `decade`, `region-2` (the first two characters),
`round-1000` (the nearest multiple), `coarse-1` (a coordinate with one decimal: about 11 km). What a
form cannot be made from becomes null: a value is never given in a finer form than was asked for."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

Value = str | int | float | bool | date | datetime | None
Hashed = Callable[[str], str]


class Kind(StrEnum):
    """What a column's values are. A moment has its time zone, a clock time has none."""

    TEXT = "text"
    WHOLE = "whole number"
    REAL = "number"
    FLAG = "true or false"
    DAY = "date"
    MOMENT = "moment"
    CLOCK = "time without a zone"


class Rule(StrEnum):
    """What is done with a value."""

    KEEP = "keep"
    DROP = "drop"
    HASH = "hash"
    YEAR = "year"
    DECADE = "decade"
    REGION = "region"
    ROUND = "round"
    COARSE = "coarse"


_DATES = frozenset({Kind.DAY, Kind.MOMENT, Kind.CLOCK, Kind.TEXT})
_NUMBERS = frozenset({Kind.WHOLE, Kind.REAL})
_FITS: Mapping[Rule, frozenset[Kind]] = {
    Rule.KEEP: frozenset(Kind),
    Rule.DROP: frozenset(Kind),
    Rule.HASH: frozenset(Kind),
    Rule.YEAR: _DATES,
    Rule.DECADE: _DATES | _NUMBERS,
    Rule.REGION: frozenset({Kind.TEXT}),
    Rule.ROUND: _NUMBERS,
    Rule.COARSE: frozenset({Kind.REAL}),
}
_GIVES: Mapping[Rule, Kind] = {
    Rule.HASH: Kind.TEXT,
    Rule.YEAR: Kind.WHOLE,
    Rule.DECADE: Kind.WHOLE,
    Rule.REGION: Kind.TEXT,
    Rule.ROUND: Kind.WHOLE,
    Rule.COARSE: Kind.REAL,
}
# The least and the most that a rule's number may be; the others take none.
_AMOUNTS: Mapping[Rule, tuple[int, int]] = {
    Rule.REGION: (1, 20),
    Rule.ROUND: (2, 1_000_000_000),
    Rule.COARSE: (0, 2),
}
_WORDS: Mapping[Rule, str] = {
    Rule.KEEP: "as it is",
    Rule.DROP: "never",
    Rule.HASH: "as a keyed name",
    Rule.YEAR: "its year",
    Rule.DECADE: "its decade",
    Rule.REGION: "its first {} characters",
    Rule.ROUND: "rounded to {}",
    Rule.COARSE: "with {} decimals",
}
_FORM = re.compile(r"([a-z]+)(?:-([1-9][0-9]{0,9}|0))?\Z")
_FURTHEST = 2**63 - 1  # what a whole number in a package may be at most


@dataclass(frozen=True, slots=True)
class Form:
    """A rule, with its number where it has one."""

    rule: Rule
    amount: int | None = None

    def __str__(self) -> str:
        return self.rule if self.amount is None else f"{self.rule}-{self.amount}"

    @property
    def words(self) -> str:
        """The form as a person reads it."""
        return _WORDS[self.rule].format(self.amount)

    def fits(self, kind: Kind) -> bool:
        """True if it can be made from values of a kind."""
        return kind in _FITS[self.rule]

    def gives(self, kind: Kind) -> Kind:
        """The kind of what it makes."""
        return _GIVES.get(self.rule, kind)


def form(text: str) -> Form:
    """The form that a word names; raises ValueError with the cure."""
    found = _FORM.match(text)
    if found is None or found[1] not in tuple(Rule):
        raise ValueError(f"{text!r} is no form. Use one of {', '.join(_usable())}.")
    rule, amount = Rule(found[1]), found[2]
    if rule not in _AMOUNTS:
        if amount is not None:
            raise ValueError(f"{rule} takes no number: write {str(rule)!r}.")
        return Form(rule)
    least, most = _AMOUNTS[rule]
    if amount is None or not least <= int(amount) <= most:
        raise ValueError(f"{rule} takes a number from {least} to {most}: {rule}-{most}, say.")
    return Form(rule, int(amount))


def _usable() -> list[str]:
    return [f"{rule}-N" if rule in _AMOUNTS else str(rule) for rule in Rule]


def made(wanted: Form, value: Value, hashed: Hashed) -> Value:
    """A value in a form; `hashed` makes a keyed name of a text. NaN and infinity are no values."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    match wanted.rule:
        case Rule.KEEP:
            return value
        case Rule.HASH:
            return hashed(told(value))
        case Rule.YEAR:
            return _year(value)
        case Rule.DECADE:
            return _decade(value)
        case Rule.REGION:
            return value.strip()[: wanted.amount] or None if isinstance(value, str) else None
        case Rule.ROUND:
            return _rounded(value, wanted.amount or 1)
        case Rule.COARSE:
            return round(value, wanted.amount) + 0.0 if isinstance(value, float) else None
    return None


def told(value: Value) -> str:
    """A value as text, the same for the same value."""
    plain = as_json(value)
    return plain if isinstance(plain, str) else repr(plain)


def as_json(value: Value) -> str | int | float | bool | None:
    """A value as JSON can hold it: dates and moments as ISO 8601 text."""
    if isinstance(value, datetime):
        text = value.isoformat(timespec="microseconds")
        return text.replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _year(value: Value) -> int | None:
    day = _day(value)
    return None if day is None else day.year


def _decade(value: Value) -> int | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _within(math.floor(value / 10 if isinstance(value, float) else value // 10) * 10)
    day = _day(value)
    return None if day is None else day.year // 10 * 10


def _day(value: Value) -> date | None:
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None


def _rounded(value: Value, step: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return _within((2 * value + step) // (2 * step) * step)
    return _within(math.floor(value / step + 0.5) * step)


def _within(number: int) -> int | None:
    return number if abs(number) <= _FURTHEST else None
