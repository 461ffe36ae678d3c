"""A policy as a value: what it asks of a request beside what is asked of every one. Pure.

Every request passes the four gates, with one approval in the gate's own role at each, and objects
of a special category need two engineers. A policy adds to that. Where several of its rules match,
the strictest of each value wins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from sharing.conflict import InterestKind
from sharing.quorum import Need
from sharing.stages import GATE_ROLES, GATES, Role, Stage
from sharing.vocabulary import CATEGORIES, PURPOSES, Term, covers

FIRST = 1  # the version that is packaged; others are in the database


class Risk(StrEnum):
    """How much care a partner needs, as an admin sees it."""

    LOW = "low"
    STANDARD = "standard"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at. `objects`: at most so many are in the scope; `besides`: the categories of
    further fields of theirs."""

    purpose: str
    category: str
    special_category: bool
    objects: int
    risk: Risk = Risk.STANDARD
    besides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """Which requests a rule is about: those of which everything that is said here is so. A term
    speaks of the narrower ones below it too; nothing said matches everything."""

    purposes: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    risks: frozenset[Risk] = frozenset()
    special_category: bool | None = None
    objects_from: int = 0

    def matches(self, facts: Facts) -> bool:
        """True if a rule with these conditions is about such a request."""
        return (
            among(PURPOSES, self.purposes, facts.purpose)
            and any(
                among(CATEGORIES, self.categories, category)
                for category in (facts.category, *facts.besides)
            )
            and (not self.risks or facts.risk in self.risks)
            and self.special_category in (None, facts.special_category)
            and facts.objects >= self.objects_from
        )


@dataclass(frozen=True, slots=True)
class GateRule:
    """What is asked of one gate. `among`: so many people have to hold a role, so that nobody's
    absence stops it. `cooling_off`: no approval sooner than so long after the gate's opening.
    `days`: its deadline in days; None: as the settings say."""

    needs: tuple[Need, ...] = ()
    among: tuple[Need, ...] = ()
    blind: bool = False
    cooling_off: timedelta = timedelta()
    days: float | None = None

    @property
    def people(self) -> int:
        """How many approvals it takes."""
        return sum(need.approvals for need in self.needs)


@dataclass(frozen=True, slots=True)
class ExportRule:
    """What is asked of the export. `cooling_off`: no trigger sooner than so long after the last
    approval. `canaries`: so many drawn objects are planted in it."""

    engineers: int = 1
    cooling_off: timedelta = timedelta()
    canaries: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a request, gate by gate and at the export."""

    gates: Mapping[Stage, GateRule]
    export: ExportRule


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy."""

    name: str
    when: When
    gates: Mapping[Stage, GateRule] = field(default_factory=dict)
    export: ExportRule = ExportRule()


@dataclass(frozen=True, slots=True)
class Interests:
    """Which kinds of interest may be waived, and for how many days a declaration is good."""

    waivable: frozenset[InterestKind] = frozenset()
    register_days: int = 365


@dataclass(frozen=True, slots=True)
class Policy:
    """One version's rules. `sections`: what other tables of the file say, by name."""

    rules: tuple[Rule, ...] = ()
    interests: Interests = Interests()
    sections: Mapping[str, object] = field(default_factory=dict)


def asked(policy: Policy, facts: Facts) -> Asked:
    """What a policy asks of such a request, never less than what is asked of every one."""
    rules = [rule for rule in policy.rules if rule.when.matches(facts)]
    return together(rules, special_category=facts.special_category)


def together(rules: Iterable[Rule], *, special_category: bool) -> Asked:
    """The strictest of each value of rules that match one request, over what is always asked."""
    found = list(rules)
    exports = [ExportRule(2 if special_category else 1), *(rule.export for rule in found)]
    return Asked(
        {stage: gate_of(stage, [r.gates[stage] for r in found if stage in r.gates])
         for stage in GATES},
        ExportRule(
            max(e.engineers for e in exports),
            max(e.cooling_off for e in exports),
            max(e.canaries for e in exports),
        ),
    )  # fmt: skip


def gate_of(stage: Stage, rules: Iterable[GateRule] = ()) -> GateRule:
    """The strictest of what rules ask of one gate. Its own role always approves."""
    own, found = GATE_ROLES[stage], list(rules)
    needs = [Need(own), *(need for rule in found for need in rule.needs)]
    return GateRule(
        _most(needs, own),
        _most([need for rule in found for need in rule.among], own),
        any(rule.blind for rule in found),
        max((rule.cooling_off for rule in found), default=timedelta()),
        min((rule.days for rule in found if rule.days is not None), default=None),
    )


def _most(needs: Iterable[Need], own: Role) -> tuple[Need, ...]:
    """The highest number for each role, the gate's own role first."""
    most: dict[Role, int] = {}
    for need in needs:
        most[need.role] = max(need.approvals, most.get(need.role, 0))
    return tuple(Need(role, most[role]) for role in sorted(most, key=lambda r: (r != own, r)))


def among(vocabulary: Mapping[str, Term], said: frozenset[str], term: str) -> bool:
    """True if a rule that names these terms, or none, speaks of such a term."""
    return not said or any(covers(vocabulary, wider, term) for wider in said)
