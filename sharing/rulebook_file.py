"""Reads a policy from its file, and refuses what is wrong in it by line and key."""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any

from sharing.conflict import InterestKind
from sharing.patience import KEYS, PatienceError, parsed
from sharing.policy_lines import Lines, Path, Table
from sharing.policy_reader import ALWAYS, PolicyError, Problem, Reader, Section
from sharing.quorum import Need
from sharing.rulebook import ExportRule, GateRule, Interests, Policy, Risk, Rule, When
from sharing.rulebook_overlaps import demand_unambiguous
from sharing.stages import GATE_ROLES, GATES, STAFF, Role, Stage
from sharing.vocabulary import CATEGORIES, PURPOSES

PACKAGED = FilePath(__file__).with_name("policy.toml")
MOST_PEOPLE = 50
MOST_HOURS = 24 * 365
MOST_CANARIES = 100
MOST_DAYS = 36_500
WHEN = ("purpose", "category", "risk", "special_category", "objects_from")
OF = re.compile(r"(\d{1,3}) of (\d{1,3})\Z")


def _time(reader: Reader, path: Path, table: object) -> object:
    """How long gates wait for people, as sharing.patience reads it; kept as it is written, because
    what it leaves out is as the settings say."""
    found = reader.table(path, table, KEYS)
    try:
        parsed(found)
    except PatienceError as wrong:
        reader.wrong(tuple(wrong.key.split(".")), str(wrong).removeprefix(f"{wrong.key}: "))
    return found


# Tables of the file that are read elsewhere, by name: what theirs becomes is in Policy.sections.
SECTIONS: Mapping[str, Section] = {"time": _time}


@lru_cache(maxsize=64)
def read(text: str, *, lasting: bool = False) -> Policy:
    """The policy that a text says; raises PolicyError with all that is wrong in it. `lasting`: a
    version that was taken long ago, whose terms need not be in today's vocabulary."""
    try:
        whole = tomllib.loads(text)
    except (ValueError, RecursionError) as failure:  # the former also for numbers without end
        raise PolicyError([_no_toml(str(failure), text)]) from None
    reader = Reader(Lines(text))
    reader.table((), whole, ("title", "rule", "interests", *SECTIONS))
    reader.text((), whole, "title")
    rules = _rules(reader, whole.get("rule", []), lasting=lasting)
    interests = _interests(reader, whole.get("interests", {}))
    sections = {
        name: section(reader, (name,), whole[name])
        for name, section in SECTIONS.items()
        if name in whole
    }
    if not reader.problems:
        demand_unambiguous(reader, rules)
    if reader.problems:
        raise PolicyError(reader.problems)
    return Policy(rules, interests, sections)


@lru_cache(maxsize=1)
def packaged() -> str:
    """The text of version 1."""
    return PACKAGED.read_text("utf-8")


def _no_toml(said: str, text: str) -> Problem:
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", said)
    last = len(text.splitlines()) or 1
    line = int(found[1]) if found and found[1] else last
    where = f"column {found[2]}" if found and found[2] else "the end"
    words = said[: found.start()] if found else said
    return Problem(line, where, f"is not TOML: {words}.")


def _rules(reader: Reader, found: Any, *, lasting: bool) -> tuple[Rule, ...]:
    if not isinstance(found, list):
        reader.wrong(("rule",), "must be a list of tables: write `[[rule]]` above each.")
        return ()
    rules = tuple(_rule(reader, ("rule", i), one, lasting) for i, one in enumerate(found))
    names = [rule.name for rule in rules]
    for i, name in enumerate(names):
        if name and name in names[:i]:
            reader.wrong(("rule", i, "name"), f"{name!r} names another rule too; name each apart.")
    return rules


def _rule(reader: Reader, path: Path, found: Any, lasting: bool) -> Rule:
    table = reader.table(path, found, ("name", *WHEN, *GATES, "export"))
    if "name" not in table:
        reader.wrong((*path, "name"), 'is missing: say what the rule is for, `name = "..."`.')
    gates = {s: _gate(reader, (*path, s), s, table[s]) for s in GATES if s in table}
    export = _export(reader, (*path, "export"), table["export"]) if "export" in table else None
    if not gates and export is None and isinstance(found, dict):
        wanted = ", ".join((*GATES, "export"))
        reader.wrong(path, f"asks for nothing: add a table of one of {wanted}, or take it out.")
    when = _when(reader, path, table, lasting)
    return Rule(reader.text(path, table, "name"), when, gates, export or ExportRule())


def _when(reader: Reader, path: Path, table: Table, lasting: bool) -> When:
    least = reader.number(path, table, "objects_from", 1, 10**12, whole=True)
    risks = reader.words(path, table, "risk", list(Risk))
    return When(
        reader.words(path, table, "purpose", None if lasting else PURPOSES),
        reader.words(path, table, "category", None if lasting else CATEGORIES),
        frozenset(Risk(risk) for risk in risks),
        reader.flag(path, table, "special_category"),
        int(least or 0),
    )


def _gate(reader: Reader, path: Path, stage: Stage, found: Any) -> GateRule:
    known = ("approvals", "blind", "cooling_off_hours", "days")
    table = reader.table(path, found, known)
    _demand_some(reader, path, found, known)
    needs, among = _needs(reader, (*path, "approvals"), stage, table.get("approvals", {}))
    return GateRule(
        needs,
        among,
        bool(reader.flag(path, table, "blind")),
        _cooling_off(reader, path, table),
        reader.number(path, table, "days", 0.01, MOST_DAYS),
    )


def _export(reader: Reader, path: Path, found: Any) -> ExportRule:
    known = ("engineers", "cooling_off_hours", "canaries")
    table = reader.table(path, found, known)
    _demand_some(reader, path, found, known)
    engineers = table.get("engineers", 1)
    if "engineers" in table and (engineers != 2 or isinstance(engineers, float)):
        reader.wrong(
            (*path, "engineers"),
            "must be 2: one triggers, another confirms. One alone is what there is without it, and "
            "special categories need two whatever a policy says.",
        )
        engineers = 1
    canaries = reader.number(path, table, "canaries", 1, MOST_CANARIES, whole=True)
    return ExportRule(int(str(engineers)), _cooling_off(reader, path, table), int(canaries or 0))


def _demand_some(reader: Reader, path: Path, found: Any, known: tuple[str, ...]) -> None:
    if found == {}:
        reader.wrong(path, f"asks for nothing: add one of {', '.join(known)}, or take it out.")


def _cooling_off(reader: Reader, path: Path, table: Table) -> timedelta:
    hours = reader.number(path, table, "cooling_off_hours", 0.01, MOST_HOURS)
    return timedelta(hours=hours or 0)


def _needs(
    reader: Reader, path: Path, stage: Stage, found: Any
) -> tuple[tuple[Need, ...], tuple[Need, ...]]:
    """Distinct people by role, as a number or as `"2 of 3"`, by which 3 have to hold the role."""
    if not isinstance(found, dict):
        example = f"{{ {GATE_ROLES[stage]} = 2 }}"
        reader.wrong(path, f"must say how many people in which role, such as {example}.")
        return (), ()
    needs: list[Need] = []
    among: list[Need] = []
    for name, value in found.items():
        role = _role(reader, (*path, name), name)
        people, of = _count(reader, (*path, name), value)
        if role is not None and people:
            needs.append(Need(role, people))
            among += [Need(role, of)] if of else []
    return tuple(needs), tuple(among)


def _role(reader: Reader, path: Path, name: str) -> Role | None:
    if name in STAFF:
        return Role(name)
    outside = name in set(Role)
    why = "is nobody who decides: people inside do" if outside else "is no role"
    reader.wrong(path, f"{name!r} {why}. Use one of {', '.join(sorted(STAFF))}.")
    return None


def _count(reader: Reader, path: Path, value: Any) -> tuple[int, int]:
    """How many people approve, and how many of them there have to be (0: no matter)."""
    spelt = OF.match(value) if isinstance(value, str) else None
    people, of = (int(spelt[1]), int(spelt[2])) if spelt else (value, 0)
    if not isinstance(people, int) or isinstance(people, bool):
        reader.wrong(path, 'must be a number of people such as 2, or "2 of 3".')
        return 0, 0
    if people < 1:
        reader.wrong(path, f"a quorum of {people} is no gate. {ALWAYS}: write 1 or more.")
        return 0, 0
    if of and people > of:
        reader.wrong(path, f"{people} of {of} can never approve: write at most {of} of {of}.")
        return 0, 0
    if people > MOST_PEOPLE:
        reader.wrong(path, f"must be at most {MOST_PEOPLE} people.")
        return 0, 0
    return people, of


def _interests(reader: Reader, found: Any) -> Interests:
    path: Path = ("interests",)
    table = reader.table(path, found, ("waivable", "register_days"))
    none: Table = {name: value for name, value in table.items() if value != []}
    kinds = reader.words(path, none, "waivable", list(InterestKind))
    days = reader.number(path, table, "register_days", 1, 366, whole=True)
    return Interests(frozenset(InterestKind(kind) for kind in kinds), int(days or 365))
