"""The small world: who is there, what may become known of them, and what the gates need."""

from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from sharing.quorum import Need
from sharing.stages import GATE_ROLES, GATES, Role


class Person(NamedTuple):
    """One account."""

    name: str
    roles: frozenset[Role]
    partner: str | None = None


def _person(name: str, *roles: Role, partner: str | None = None) -> Person:
    return Person(name, frozenset(roles), partner)


R = Role
PEOPLE = (
    _person("Ana", R.PURPOSE_REVIEWER, R.CONSENT_STEWARD),  # two roles; her statement runs out
    _person("Ben", R.CONSENT_STEWARD),
    _person("Bea", R.CONFLICT_OFFICER),  # may turn out to be Ben's other account
    _person("Cleo", R.CONFLICT_OFFICER),  # an interest, known late; it may be waived
    _person("Dan", R.LEGAL_COUNSEL),  # his role ends
    _person("Eve", R.ENGINEER, R.LEGAL_COUNSEL),  # an interest, known late; never waived
    _person("Finn", R.ENGINEER, R.PURPOSE_REVIEWER),
    _person("Gus", R.ENGINEER, R.PURPOSE_REVIEWER, R.LEGAL_COUNSEL, partner="partner"),
    _person("Gil", R.ENGINEER, R.PURPOSE_REVIEWER, R.LEGAL_COUNSEL),  # Gus's other account
    _person("Hal", R.ENGINEER, R.LEGAL_COUNSEL),  # the sponsor
    _person("Hil", R.ENGINEER, R.LEGAL_COUNSEL),  # Hal's other account
)
ANA, BEN, BEA, CLEO, DAN, EVE, FINN, GUS, GIL, HAL, HIL = range(len(PEOPLE))
NAMES = tuple(person.name for person in PEOPLE)
EVERYBODY = range(len(PEOPLE))
ENGINEERS = sum(1 << p for p in EVERYBODY if R.ENGINEER in PEOPLE[p].roles)
SPONSOR = HAL
WAIVING = frozenset({R.CONFLICT_OFFICER, R.LEGAL_COUNSEL, R.AUDITOR})

# What may become known or happen, each a bit of State.facts.
CLEO_INTERESTED, EVE_INTERESTED, JOINED, ROLE_ENDED, STATEMENT_OUT, CONSENT_GONE = (
    1 << bit for bit in range(6)
)
INTERESTS = {CLEO_INTERESTED: CLEO, EVE_INTERESTED: EVE}
FACTS = {
    CLEO_INTERESTED: "Cleo's interest becomes known",
    EVE_INTERESTED: "Eve's interest becomes known",
    JOINED: "an admin links Bea's account with Ben's",
    ROLE_ENDED: "Dan's role ends",
    STATEMENT_OUT: "Ana's yearly statement runs out",
    CONSENT_GONE: "a subject withdraws consent",
}


class Slot(NamedTuple):
    """A place for decisions: a gate and the role in which it is decided there."""

    gate: int
    role: Role


OWN = tuple(Slot(i, GATE_ROLES[gate]) for i, gate in enumerate(GATES))


@dataclass(frozen=True)
class World:
    """What the gates need beside one approval in their own role, and what may happen at all."""

    name: str
    more: tuple[tuple[int, Role, int], ...] = ()
    confirmed: bool = False
    revisions: int = 2
    facts: tuple[int, ...] = tuple(FACTS)
    acts: frozenset[str] = frozenset(
        {"refuse", "return", "take_back", "amend", "withdraw", "late", "waive", "cancel", "fail"}
    )
    slots: tuple[Slot, ...] = field(init=False)
    needs: tuple[tuple[Need, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        slots = list(OWN)
        needs = [{GATE_ROLES[gate]: 1} for gate in GATES]
        for gate, role, approvals in self.more:
            needs[gate][role] = approvals
            if Slot(gate, role) not in slots:
                slots.append(Slot(gate, role))
        object.__setattr__(self, "slots", tuple(slots))
        object.__setattr__(
            self, "needs", tuple(tuple(Need(*one) for one in gate.items()) for gate in needs)
        )


WORLDS = (
    World("the scope changes", facts=(CLEO_INTERESTED, JOINED, ROLE_ENDED, STATEMENT_OUT)),
    World("a second engineer confirms", confirmed=True, revisions=1),
    World("two counsels approve", more=((3, R.LEGAL_COUNSEL, 2),), revisions=1),
    World(
        "counsel looks at the purpose too",
        more=((0, R.LEGAL_COUNSEL, 1),),
        revisions=1,
        facts=(CLEO_INTERESTED, ROLE_ENDED, CONSENT_GONE),
    ),
)


def roles(person: int, facts: int) -> frozenset[Role]:
    """The roles that an account holds."""
    ended = person == DAN and facts & ROLE_ENDED
    return PEOPLE[person].roles - {R.LEGAL_COUNSEL} if ended else PEOPLE[person].roles


@cache
def human(person: int, facts: int) -> int:
    """The one account that stands for a person, as far as it is known."""
    if person == BEA and facts & JOINED:
        return BEN
    return {GIL: GUS, HIL: HAL}.get(person, person)


@cache
def same(mask: int, facts: int) -> int:
    """Every account of several people, as bits."""
    humans = {human(p, facts) for p in EVERYBODY if mask >> p & 1}
    return sum(1 << p for p in EVERYBODY if human(p, facts) in humans)


def people_in(mask: int) -> list[int]:
    """The accounts whose bits are set."""
    return [p for p in EVERYBODY if mask >> p & 1]
