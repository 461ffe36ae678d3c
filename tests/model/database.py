"""The database's own rules (sharing.records.migrations.core_rules) as a second layer: each clause
by name, over the same states, in its order there. A mutant leaves clauses out."""

from functools import cache

from sharing.stages import RequestState, Role
from tests.model.product import recusals
from tests.model.state import (
    APPROVED,
    AT,
    CLOSED,
    EARLIER,
    GATE_AT,
    OPEN,
    RUNNING,
    State,
    at_slot,
    deciders,
    gate_state,
)
from tests.model.world import (
    ANA,
    CLEO,
    EVERYBODY,
    OWN,
    PEOPLE,
    ROLE_ENDED,
    SPONSOR,
    STATEMENT_OUT,
    WAIVING,
    World,
    human,
    people_in,
    roles,
)

EXPORTING = AT[RequestState.EXPORTING]


class Rules:
    """The rules in one world, some clauses left out."""

    def __init__(self, world: World, off: frozenset[str]) -> None:
        self.world, self.off = world, off
        for name in ("recused", "gains", "decider", "agree", "behind", "engineer", "against"):
            setattr(self, name, cache(getattr(self, name)))

    def holds(self, rule: str, **clauses: bool) -> bool:
        """True if every clause that is not left out holds."""
        return all(held or f"db.{rule}.{name}" in self.off for name, held in clauses.items())

    # Who somebody is

    def _same(self, one: int, other: int, facts: int) -> bool:
        if "db.accounts" in self.off:
            return one == other
        return human(one, facts) == human(other, facts)

    def staff(self, who: int, facts: int) -> bool:
        """`_staff`: by whichever account."""
        if "db.staff.accounts" in self.off:
            return PEOPLE[who].partner is not None
        return any(PEOPLE[p].partner and self._same(p, who, facts) for p in EVERYBODY)

    def sponsors(self, who: int, facts: int) -> bool:
        """`_sponsors`."""
        if "db.sponsor.accounts" in self.off:
            return who == SPONSOR
        return self._same(SPONSOR, who, facts)

    def interested(self, who: int, facts: int) -> bool:
        """`_interested`."""
        on_record = any(self._same(p, who, facts) for p in people_in(recusals(facts)))
        return on_record or self.staff(who, facts) or self.sponsors(who, facts)

    def recused(self, who: int, facts: int, waiver: int) -> bool:
        """`_recused`."""
        for p in people_in(recusals(facts)):
            if not self._same(p, who, facts):
                continue
            behind = [
                human(a, facts) if "db.waiver.accounts" not in self.off else a
                for a in (people_in(waiver) if p == CLEO else ())
                if ("db.waiver.self" in self.off or not self._same(a, CLEO, facts))
                and ("db.waiver.interested" in self.off or not self.interested(a, facts))
            ]
            if len(set(behind)) < (1 if "db.waiver.two" in self.off else 2):
                return True
        return False

    # The decision's rule

    def decision(self, s: State, slot: int, person: int) -> bool:
        """DECISION_RULE, what it says of the gate and then of the person."""
        gate = self.world.slots[slot].gate
        acted = deciders(s.counted) | deciders(s.against)
        return self.holds(
            "decision",
            stage=s.at == GATE_AT[gate],
            gate_open=gate_state(s.gates, gate) == OPEN,
            until=not s.late,
        ) and self.decider(person, slot, s.facts, s.waiver, acted)

    def decider(self, person: int, slot: int, facts: int, waiver: int, acted: int) -> bool:
        """The rest of DECISION_RULE."""
        return self.holds(
            "decision",
            sponsor=not self.sponsors(person, facts),
            recused=not self.recused(person, facts, waiver),
            once=not any(self._same(p, person, facts) for p in people_in(acted)),
            register=not (person == ANA and facts & STATEMENT_OUT),
            partner=not self.staff(person, facts),
            role=self.world.slots[slot].role in roles(person, facts),
        )

    # The rules of clearance and release

    def gains(self, counted: int, facts: int, waiver: int) -> bool:
        """The opposite of NOBODY_INTERESTED."""
        return any(
            ("db.interested.partner" not in self.off and self.staff(p, facts))
            or ("db.interested.sponsor" not in self.off and self.sponsors(p, facts))
            or ("db.interested.recused" not in self.off and self.recused(p, facts, waiver))
            for p in people_in(deciders(counted))
        )

    def _roles_held(self, counted: int, facts: int) -> bool:
        if (
            not facts & ROLE_ENDED
        ):  # whoever decided held the role then, or the decision's rule fell
            return True
        return all(
            slot.role in roles(p, facts)
            for i, slot in enumerate(self.world.slots)
            for p in people_in(at_slot(counted, i))
        )

    def _twice(self, counted: int, facts: int) -> bool:
        """The opposite of NOBODY_TWICE; one account twice counts as well."""
        taken = [
            human(p, facts) if "db.accounts" not in self.off else p
            for i in range(len(self.world.slots))
            for p in people_in(at_slot(counted, i))
        ]
        return len(set(taken)) < len(taken)

    def _needs_met(self, counted: int) -> bool:
        for gate, role, approvals in self.world.more:
            i = next(i for i, s in enumerate(self.world.slots) if s == (gate, role))
            if len(people_in(at_slot(counted, i))) < approvals:
                return False
        return True

    def _four(self, counted: int, stale: int) -> bool:
        kept = stale if "db.digest" in self.off else 0
        return all(at_slot(counted, i) or kept >> i & 1 for i in range(len(OWN)))

    def against(self, gates: int, against: int) -> bool:
        """The opposite of NOTHING_AGAINST."""
        closed = (gate_state(gates, gate) for gate in range(len(OWN)))
        return (against and "db.against.decision" not in self.off) or (
            "db.against.gate" not in self.off
            and any(state not in (CLOSED, OPEN, APPROVED) for state in closed)
        )

    def behind(self, rule: str, counted: int, facts: int, waiver: int) -> bool:
        """What the rules of clearance and release ask of the decisions alike."""
        return self.holds(
            rule,
            needs=self._needs_met(counted),
            roles=self._roles_held(counted, facts),
            interested=not self.gains(counted, facts, waiver),
            twice=not self._twice(counted, facts),
        )

    def clearance(self, s: State, counted: int, gates: int) -> bool:
        """CLEARANCE_RULE, when a decision has just been recorded."""
        return self.holds(
            "clearance",
            state=s.at in GATE_AT,
            single=s.cleared <= 0,
            four=self._four(counted, s.stale),
            against=not self.against(gates, s.against),
        ) and self.behind("clearance", counted, s.facts, s.waiver)

    def engineer(self, who: int, facts: int, waiver: int, ever: int) -> bool:
        """`_engineer`."""
        return self.holds(
            "engineer",
            role=who >= 0 and Role.ENGINEER in roles(who, facts),
            decided=not any(self._same(p, who, facts) for p in people_in(ever)),
            recused=not self.recused(who, facts, waiver),
            partner=not self.staff(who, facts),
            sponsor=not self.sponsors(who, facts),
        )

    def release(self, s: State) -> bool:
        """RELEASE_RULE."""
        run, decided = s.run, s.ever | deciders(s.counted)
        confirmed = not self.world.confirmed or (
            run.confirmed >= 0
            and self.holds("confirm", other=not self._same(run.confirmed, run.by, s.facts))
            and self.engineer(run.confirmed, s.facts, s.waiver, decided)
        )
        named = s.counted if s.cleared == EARLIER else s.cleared
        return self.holds(
            "release",
            cleared=s.cleared != 0,
            digest=s.cleared != EARLIER and run.revision == s.revision,
            four=self._four(s.counted & named, 0),
            state=s.at == EXPORTING,
            running=run.state == RUNNING,
            covers=not s.late,
            trigger=self.engineer(run.by, s.facts, s.waiver, decided),
            confirm=confirmed,
            against=not self.against(s.gates, s.against),
        ) and self.behind("release", s.counted, s.facts, s.waiver)

    # The rules of what lets a decision no longer count, and a recusal be passed over

    def taking_back(self, approval: bool, person: int, by: int, facts: int) -> bool:
        """DECISION_VOID_RULE, where a decision is taken back."""
        return self.holds("void", approved=approval, own=self._same(person, by, facts))

    def agree(self, person: int, facts: int, waiver: int) -> bool:
        """WAIVER_APPROVAL_RULE, for Cleo's interest."""
        return self.holds(
            "agree",
            oneself=not self._same(CLEO, person, facts),
            interested=not self.interested(person, facts),
            role=bool(WAIVING & roles(person, facts)),
            once=not any(self._same(p, person, facts) for p in people_in(waiver)),
        )
