"""What a policy asks for, in sentences: which requests a rule is about, and what it adds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from api.pages.frame import grouped
from api.pages.words import ROLES, category, plain, purpose, soft, stage
from sharing.quorum import Need
from sharing.rulebook import ExportRule, GateRule, Policy, Rule, When

STATES = {
    "in_force": "In force",
    "proposed": "Proposed",
    "earlier": "Earlier",
    "passed_over": "Passed over",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule in words: its name, the requests that it is about, and what it asks of them."""

    name: str
    about: str
    asks: tuple[str, ...]


def explained(policy: Policy) -> list[Explained]:
    """Every rule of a policy."""
    return [Explained(rule.name, about(rule.when), tuple(_asks(rule))) for rule in policy.rules]


def interests(policy: Policy) -> list[str]:
    """What a policy says of interests."""
    may = sorted(plain(kind) for kind in policy.interests.waivable)
    waived = f"Only these kinds of interest can be waived: {', '.join(may)}." if may else (
        "No kind of interest can be waived."
    )  # fmt: skip
    days = grouped(policy.interests.register_days)
    return [waived, f"A yearly statement of interests is good for {days} days."]


def about(when: When) -> str:
    """Which requests a rule is about."""
    said = []
    if when.purposes:
        said.append(f"for {_any(soft(purpose(one)) for one in sorted(when.purposes))}")
    if when.categories:
        said.append(f"of {_any(soft(category(one)) for one in sorted(when.categories))}")
    if when.risks:
        said.append(f"by a partner of {_any(sorted(map(str, when.risks)))} risk")
    if when.special_category is not None:
        said.append(f"{'' if when.special_category else 'not '}of a special category")
    if when.objects_from:
        said.append(f"of {grouped(when.objects_from)} objects or more")
    return f"Requests {', '.join(said)}" if said else "Every request"


def _asks(rule: Rule) -> Iterator[str]:
    for where, gate in rule.gates.items():
        asked = "; ".join(_at_gate(gate))
        if asked:
            yield f"At {soft(stage(where))}: {asked}."
    if rule.export != ExportRule():
        yield f"At the export: {'; '.join(_at_export(rule.export))}."


def _at_gate(gate: GateRule) -> Iterator[str]:
    if gate.needs:
        yield f"approved by {_people(gate.needs)}"
    if gate.among:
        yield f"while {_people(gate.among)} hold the role"
    if gate.blind:
        yield "nobody sees what others said before they have said it all"
    if gate.cooling_off:
        yield f"not before {_hours(gate.cooling_off)} have passed"
    if gate.days is not None:
        yield f"within {gate.days:g} days"


def _at_export(export: ExportRule) -> Iterator[str]:
    if export.engineers > 1:
        yield f"{export.engineers} engineers"
    if export.cooling_off:
        yield f"not before {_hours(export.cooling_off)} have passed"
    if export.canaries:
        yield f"{export.canaries} canaries planted"


def _people(needs: tuple[Need, ...]) -> str:
    said = [f"{need.approvals} {ROLES[need.role]}{_s(need)}" for need in needs]
    return " and ".join(said)


def _s(need: Need) -> str:
    return "s" if need.approvals > 1 and ROLES[need.role] != "legal counsel" else ""


def _hours(time: timedelta) -> str:
    return f"{time.total_seconds() / 3600:g} hours"


def _any(some: Iterable[str]) -> str:
    return " or ".join(some)
