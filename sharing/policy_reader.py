"""Reads one value after the other from a policy, and notes all that is wrong, by line and key."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from sharing.policy_lines import Lines, Path, Table, shown

REMOVING = frozenset(
    {"gates", "stages", "skip", "enabled", "disabled", "remove", "off", "optional"}
)
FEW = 12  # words that are all named where one is not known
ALWAYS = "The four gates are always there: a policy adds, never removes"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands, and what it should be."""

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.key}: {self.message}"


class PolicyError(ValueError):
    """A policy that cannot be used; `problems` are in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda one: one.line))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Reader:
    """What is read from a text whose lines are known. A value that is wrong is noted and read as
    if it were not there, so that one look finds all that is wrong."""

    lines: Lines
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: Path, message: str) -> None:
        """Notes what is wrong with a key, and the cure."""
        self.problems.append(Problem(self.lines.of(path), shown(path), message))

    def table(self, path: Path, value: object, known: Iterable[str]) -> Table:
        """A table that has no other keys than the known ones; an empty one where it is none."""
        if not isinstance(value, dict):
            written = ".".join(part for part in path if isinstance(part, str))
            self.wrong(path, f"must be a table, `[{written}]`. {ALWAYS}.")
            return {}
        names = tuple(known)
        for key in value:
            if key not in names:
                self.wrong((*path, key), _unknown(key, names))
        return value

    def text(self, path: Path, table: Table, key: str, default: str = "") -> str:
        """A line of text."""
        value = table.get(key, default)
        if isinstance(value, str) and (value.strip() or key not in table):
            return value.strip()
        self.wrong((*path, key), "must be text that says something.")
        return default

    def flag(self, path: Path, table: Table, key: str) -> bool | None:
        """True, false, or None where nothing is said."""
        value = table.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.wrong((*path, key), "must be true or false.")
        return None

    def number(
        self, path: Path, table: Table, key: str, least: float, most: float, *, whole: bool = False
    ) -> float | None:
        """A number between the two, both included; None where nothing is said."""
        value = table.get(key)
        kinds = (int,) if whole else (int, float)
        if value is None:
            return None
        right = isinstance(value, kinds) and not isinstance(value, bool)
        if right and least <= value <= most:  # type: ignore[operator]
            return value  # type: ignore[return-value]
        kind = "a whole number" if whole else "a number"
        self.wrong((*path, key), f"must be {kind} from {least:g} to {most:g}.")
        return None

    def words(
        self, path: Path, table: Table, key: str, known: Iterable[str] | None
    ) -> frozenset[str]:
        """One word or a list of words, each of them known (where None, any will do)."""
        value = table.get(key)
        listed = [value] if isinstance(value, str) else value
        if value is None:
            return frozenset()
        if not isinstance(listed, list) or not listed:
            self.wrong((*path, key), "must be a word or a list of words, at least one.")
            return frozenset()
        return frozenset(word for word in listed if self._word((*path, key), word, known))

    def _word(self, path: Path, word: object, known: Iterable[str] | None) -> bool:
        if isinstance(word, str) and (known is None or word in known):
            return True
        names = [] if known is None else [str(name) for name in known]
        close = get_close_matches(str(word), names, n=1)
        all_of_them = ", ".join(names) if len(names) <= FEW else "the vocabulary's terms"
        hint = f"Did you mean {close[0]!r}?" if close else f"Use one of {all_of_them}."
        self.wrong(path, f"{word!r} is not known. {hint}")
        return False


Section = Callable[[Reader, Path, object], object]  # reads one table of its own


def _unknown(key: str, known: tuple[str, ...]) -> str:
    if key in REMOVING:
        return f"{ALWAYS}. Leave it out."
    close = get_close_matches(key, known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(known)}."
    return f"is not known. {hint}"
