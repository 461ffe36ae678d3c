"""What the activities ask before they record an act: the product's own pure functions, with values
made from a state. A mutant leaves a guard out by blinding it: what the guard looks at is not there.

Answers are remembered for each distinct question: a million states ask a few thousand times.
"""

from datetime import UTC, datetime, timedelta
from functools import cache

from sharing import quorum
from sharing.clearance import Approval, Clearance, distinct, seal
from sharing.eligibility import Act, Actor, Case, demand, roles_for
from sharing.errors import NotCleared, NotEligible
from sharing.quorum import Vote
from sharing.stages import GATE_ROLES, GATES, Outcome, Role
from tests.model.state import APPROVED, at_slot, deciders, gate_state
from tests.model.world import (
    CLEO,
    CLEO_INTERESTED,
    EVE,
    EVE_INTERESTED,
    NAMES,
    PEOPLE,
    SPONSOR,
    World,
    human,
    people_in,
    roles,
    same,
)

CLEARED_AT = datetime(2026, 1, 1, tzinfo=UTC)
RUNS_OUT = CLEARED_AT + timedelta(days=30)
REQUEST, CURRENT, STALE = "request", "current", "stale"
NOBODY: frozenset[str] = frozenset()


def recusals(facts: int) -> int:
    """Whoever has an interest on record, waived or not."""
    return (facts & CLEO_INTERESTED and 1 << CLEO) | (facts & EVE_INTERESTED and 1 << EVE)


def _named(mask: int) -> frozenset[str]:
    return frozenset(NAMES[p] for p in people_in(mask))


class Product:
    """The guards of the activities in one world, some of them left out."""

    def __init__(self, world: World, off: frozenset[str]) -> None:
        self.world, self.off = world, off
        for name in ("recused", "may", "outcome", "sealed", "covers", "waived", "staff"):
            setattr(self, name, cache(getattr(self, name)))

    def waived(self, facts: int, waiver: int) -> bool:
        """As sharing.records.waivers: two people stand behind it who are disinterested today."""
        close = 0 if "waiver.interested" in self.off else self._interested(facts)
        if "waiver.self" not in self.off:
            close |= same(1 << CLEO, facts)
        behind = people_in(waiver & ~close)
        if "waiver.accounts" not in self.off:
            behind = list({human(p, facts) for p in behind})
        return len(behind) >= (1 if "waiver.two" in self.off else 2)

    def _interested(self, facts: int) -> int:
        staff = sum(1 << p for p, person in enumerate(PEOPLE) if person.partner)
        return same(recusals(facts) | staff | 1 << SPONSOR, facts)

    def recused(self, facts: int, waiver: int) -> int:
        """As sharing.records.interests.recused_from: with every account."""
        mask = recusals(facts)
        if mask & 1 << CLEO and self.waived(facts, waiver):
            mask &= ~(1 << CLEO)
        return mask if "recused.accounts" in self.off else same(mask, facts)

    def staff(self, person: int, facts: int) -> str | None:
        """As sharing.records.parties.actor: by whichever account."""
        accounts = same(1 << person, facts) if "staff.accounts" not in self.off else 1 << person
        return next((one for p in people_in(accounts) if (one := PEOPLE[p].partner)), None)

    def may(
        self,
        act: Act,
        person: int,
        facts: int,
        recused: int,
        acted: int,
        earlier: int = 0,
        triggered: int = -1,
        gate: int = -1,
        role: Role | None = None,
    ) -> bool:
        """sharing.eligibility.demand, asked of values."""
        off, joined = self.off, (lambda m: m) if "demand.accounts" in self.off else same_in(facts)
        stage = GATES[gate] if gate >= 0 else None
        extra = role if role is not None and role is not GATE_ROLES[GATES[gate]] else None
        held = roles(person, facts)
        if "demand.role" in off:
            held |= frozenset({extra}) if extra else roles_for(act, stage)
        sponsor = None if "demand.sponsor" in off else NAMES[SPONSOR]
        one = "demand.same_person" in off
        by = None if triggered < 0 or "demand.confirm" in off else NAMES[triggered]
        case = Case(
            "partner",
            sponsor,
            NOBODY if "demand.recused" in off else _named(recused),
            NOBODY if one else _named(joined(acted)),
            by,
            NOBODY if one or "demand.earlier" in off else _named(joined(earlier)),
            _named(joined(1 << SPONSOR)) if sponsor and "sponsor.accounts" not in off else NOBODY,
            _named(joined(1 << triggered)) if by else NOBODY,
        )
        partner = None if "demand.partner_staff" in off else self.staff(person, facts)
        try:
            demand(act, Actor(NAMES[person], held, partner), case, stage, extra)
        except NotEligible:
            return False
        return True

    def outcome(self, gate: int, counted: int, against: int, how: Outcome) -> Outcome | None:
        """sharing.quorum.outcome of the votes at one gate, the newest of them in this way."""
        slots = [(i, slot) for i, slot in enumerate(self.world.slots) if slot.gate == gate]
        votes = [
            Vote(NAMES[p], slot.role, Outcome.APPROVED)
            for i, slot in slots
            for p in people_in(at_slot(counted, i))
        ]
        if "quorum.refusal" not in self.off:
            votes += [Vote(NAMES[p], slots[0][1].role, how) for p in people_in(against)]
        needs = self.world.needs[gate] if "quorum.needs" not in self.off else ()
        return quorum.outcome(needs, votes)

    def approvals(self, counted: int, stale: int, facts: int) -> tuple[Approval, ...]:
        """As sharing.records.clearances.approvals; those of an earlier revision only where nothing
        keeps them apart."""
        off, found = self.off, []
        for gate, stage in enumerate(GATES):
            for i, slot in enumerate(self.world.slots):
                if slot.gate != gate:
                    continue
                extra = None if i == gate else slot.role
                for p in people_in(at_slot(counted, i)):
                    person = NAMES[p if "seal.accounts" in off else human(p, facts)]
                    found.append(
                        Approval(
                            stage, NAMES[p], CURRENT, Outcome.APPROVED, f"{i}{p}", extra, person
                        )
                    )
            if stale >> gate & 1 and "digest.counted" in off:
                digest = CURRENT if "digest.seal" in off else STALE
                found.append(
                    Approval(stage, f"then{gate}", digest, Outcome.APPROVED, f"stale{gate}")
                )
        return tuple(found)

    def sealed(self, counted: int, stale: int, facts: int) -> bool:
        """sharing.clearance.seal of the approvals that count."""
        approvals = self.approvals(counted, stale, facts)
        if "seal.gates" in self.off:
            have = {a.stage for a in approvals if a.role is None}
            approvals += tuple(
                Approval(s, f"nobody at {s}", CURRENT, Outcome.APPROVED, s)
                for s in GATES
                if s not in have
            )
            approvals = tuple(sorted(approvals, key=lambda a: GATES.index(a.stage)))
        if "seal.distinct" in self.off:
            approvals = tuple(
                Approval(a.stage, a.decision_id, a.digest, a.outcome, a.decision_id, a.role)
                for a in approvals
            )
        try:
            seal(REQUEST, CURRENT, approvals, "agreement", CLEARED_AT, RUNS_OUT)
        except NotCleared:
            return False
        return True

    def covers(self, cleared: int, counted: int, late: bool, facts: int) -> bool:
        """As sharing.records.clearances.demand: sealed anew, and Clearance.covers this moment."""
        if cleared == 0 or (cleared < 0 and "digest.clearance" not in self.off):
            return False
        approvals = self.approvals(counted, 0, facts)
        clearance = Clearance(REQUEST, CURRENT, approvals, "agreement", CLEARED_AT, RUNS_OUT)
        if cleared > 0 and cleared != counted and "seal.again" not in self.off:
            return False
        if "seal.distinct" not in self.off and not distinct(approvals):
            return False
        at = RUNS_OUT if late and "covers.late" not in self.off else CLEARED_AT
        return clearance.covers(REQUEST, CURRENT, at)

    def stands(self, counted: int, facts: int, waiver: int) -> bool:
        """As sharing.records.clearances.stands, of a clearance that covers this moment: everybody
        behind it would still be let decide."""
        recused = self.recused(facts, waiver)
        return all(
            self.may(Act.DECIDE, p, facts, recused, 0, 0, -1, slot.gate, slot.role)
            for i, slot in enumerate(self.world.slots)
            for p in people_in(at_slot(counted, i))
        )

    def acted(self, counted: int, against: int) -> int:
        """Whose decisions on the current revision count."""
        return deciders(counted) | deciders(against)


def same_in(facts: int):  # type: ignore[no-untyped-def]
    """Adds every account of somebody, as far as it is known."""
    return lambda mask: same(mask, facts)


def next_gate(gates: int) -> int | None:
    """As sharing.records.decisions.next_gate: the first gate that is not approved."""
    return next((g for g in range(len(GATES)) if gate_state(gates, g) != APPROVED), None)
