"""Every step that a state allows: what the activities do, if both layers of guards let them."""

from functools import cache

from sharing.eligibility import Act
from sharing.stages import AMENDABLE, DECISIONS, GATES, Outcome, RequestState
from tests.model.database import Rules
from tests.model.product import Product, next_gate
from tests.model.state import (
    AT,
    AWAITING,
    EARLIER,
    ENDING,
    EXPIRED,
    GATE_AT,
    GATE_OF,
    NO_RUN,
    NOTHING,
    OPEN,
    RUNNING,
    STOPPED,
    UNPACKED,
    WITH_SUBJECT,
    WITHOUT_SUBJECT,
    Run,
    State,
    Step,
    at_slot,
    bit,
    deciders,
    gate_state,
    with_gate,
)
from tests.model.world import (
    ANA,
    CLEO_INTERESTED,
    CONSENT_GONE,
    ENGINEERS,
    EVERYBODY,
    INTERESTS,
    STATEMENT_OUT,
    World,
    human,
    people_in,
    same,
)

Next = list[tuple[Step, State]]
S = RequestState
SUBMITTED, CLEARED, EXPORTING = AT[S.SUBMITTED], AT[S.CLEARED], AT[S.EXPORTING]
DELIVERED, RETURNED_AT = AT[S.DELIVERED], AT[S.RETURNED]
OVER = frozenset(AT[s] for s in (S.DELIVERED, S.REFUSED, S.WITHDRAWN, S.EXPIRED, S.REVOKED))
AMEND_AT = frozenset(AT[s] for s in AMENDABLE)
APPROVE = DECISIONS.index(Outcome.APPROVED)


class Steps:
    """The steps of one world, with some guards left out."""

    def __init__(self, world: World, off: frozenset[str] = frozenset()) -> None:
        self.world, self.off = world, off
        self.product, self.rules = Product(world, off), Rules(world, off)
        self.acts = world.acts
        outcomes = {"refuse": Outcome.REFUSED, "return": Outcome.RETURNED}
        self.ways = [APPROVE, *(DECISIONS.index(o) for a, o in outcomes.items() if a in self.acts)]
        self.verbs = {
            **dict.fromkeys((SUBMITTED, *GATE_AT), self._at_a_gate),
            CLEARED: self._when_cleared,
            EXPORTING: self._while_exporting,
            RETURNED_AT: self._waiting,
        }
        for name in ("_deciders", "_engineers", "_canceller", "_agreeing", "_takers"):
            setattr(self, name, cache(getattr(self, name)))

    def after(self, s: State) -> Next:
        """Every state that may come next, each with the step to it."""
        out: Next = []
        if s.at in self.verbs:
            self.verbs[s.at](s, out)
            self._known(s, out)
            if s.at != EXPORTING or "amend.state" in self.off:
                self._amend(s, out)
            if "withdraw" in self.acts:
                ended = s._replace(at=AT[S.WITHDRAWN], waiting=False, run=NOTHING)
                out.append((Step("withdraw"), ended))
        return out

    # At the gates

    def _at_a_gate(self, s: State, out: Next) -> None:
        if not s.waiting:
            gate = next_gate(s.gates)
            if gate is not None:
                gates = with_gate(s.gates, gate, OPEN)
                opened = s._replace(at=GATE_AT[gate], waiting=True, late=False, gates=gates)
                out.append((Step("open", -1, gate), opened))
        key = s.at, s.waiting, s.late, s.gates, s.counted, s.against, s.facts, s.waiver
        for slot, person in self._deciders(*key):
            for how in self.ways:
                self._decide(s, slot, person, how, out)
        self._take_back(s, out)
        self._deadline(s, out)
        if "run.state" in self.off and s.run.state:
            self._run(s, out)

    def _deciders(self, *known: int) -> list[tuple[int, int]]:
        at, waiting, late, gates, counted, against, facts, waiver = known
        s = State(at, 0, bool(waiting), bool(late), gates, counted, against)
        s = s._replace(facts=facts, waiver=waiver)
        return [
            (slot, person)
            for slot in range(len(self.world.slots))
            if self._at_its_gate(s, slot)
            for person in EVERYBODY
            if self._may_decide(s, slot, person) and self.rules.decision(s, slot, person)
        ]

    def _at_its_gate(self, s: State, slot: int) -> bool:
        gate, off = self.world.slots[slot].gate, self.off
        return (
            (s.at == GATE_AT[gate] or "decide.stage" in off)
            and (gate_state(s.gates, gate) == OPEN or "decide.open" in off)
            and (s.waiting or "decide.stage" in off)
            and (not s.late or "decide.late" in off)
        )

    def _may_decide(self, s: State, slot: int, person: int) -> bool:
        place = self.world.slots[slot]
        statement = person != ANA or not s.facts & STATEMENT_OUT or "decide.register" in self.off
        acted = self.product.acted(s.counted, s.against)
        recused = self.product.recused(s.facts, s.waiver)
        may = self.product.may(
            Act.DECIDE, person, s.facts, recused, acted, 0, -1, place.gate, place.role
        )
        return statement and may

    def _decide(self, s: State, slot: int, person: int, how: int, out: Next) -> None:
        gate, way = self.world.slots[slot].gate, DECISIONS[how]
        counted, against = s.counted, s.against
        if way is Outcome.APPROVED:
            counted |= bit(slot, person)
        else:
            against |= bit(gate, person)
        ever = s.ever | 1 << person & ENGINEERS
        mine = against >> 16 * gate & 0xFFFF
        came_to = self.product.outcome(gate, counted, mine, way)
        done = s._replace(counted=counted, against=against, ever=ever)
        if came_to is not None:
            settled = self._settled(done, gate, came_to)
            if settled is None:
                return
            done = settled
        out.append((Step("decide", person, slot, how), done))

    def _settled(self, s: State, gate: int, came_to: Outcome) -> State | None:
        """What a gate's outcome does to the request; None where the clearance is refused."""
        gates = with_gate(s.gates, gate, ENDING[came_to])
        if came_to is Outcome.REFUSED:
            return s._replace(gates=gates, at=AT[S.REFUSED], waiting=False)
        if came_to is Outcome.RETURNED:
            return s._replace(gates=gates, at=RETURNED_AT, waiting=False, late=False)
        if next_gate(gates) is not None:
            return s._replace(gates=gates, waiting=False, late=False)
        if not self.product.sealed(s.counted, s.stale, s.facts):
            return None
        if not self.rules.clearance(s, s.counted, gates):
            return None
        return s._replace(gates=gates, at=CLEARED, waiting=True, late=False, cleared=s.counted)

    # What undoes decisions

    def _take_back(self, s: State, out: Next) -> None:
        if "take_back" not in self.acts:
            return
        for slot, person, by in self._takers(s.counted, s.facts):
            voided = bit(slot, person)
            out.append((Step("take_back", by, slot, person), self._undone(s, voided)))

    def _takers(self, counted: int, facts: int) -> list[tuple[int, int, int]]:
        """Approvals that may be taken back, and by whom: until the next gate's first decision."""
        found = []
        for slot, place in enumerate(self.world.slots):
            later = any(
                at_slot(counted, i) for i, p in enumerate(self.world.slots) if p.gate > place.gate
            )
            if later and "take_back.later" not in self.off:
                continue
            for person in people_in(at_slot(counted, slot)):
                for by in EVERYBODY:
                    own = human(by, facts) == human(person, facts) or "take_back.own" in self.off
                    if own and self.rules.taking_back(True, person, by, facts):
                        found.append((slot, person, by))
        return found

    def _undone(self, s: State, voided: int) -> State:
        """As sharing.records.decisions.undo: the approvals no longer count, the clearance goes, a
        run stops, and their gates wait again."""
        gates, off = s.gates, self.off
        for slot, place in enumerate(self.world.slots):
            if at_slot(voided, slot) and "undo.gates" not in off:
                gates = with_gate(gates, place.gate, OPEN)
        s = s._replace(
            gates=gates,
            counted=s.counted & ~voided,
            cleared=s.cleared if "undo.clearance" in off else 0,
            run=s.run if "undo.run" in off else NOTHING,
        )
        if s.at == RETURNED_AT:
            return s
        first = next_gate(gates)
        at = s.at if first is None else GATE_AT[first]
        return s._replace(at=at, waiting=False, late=False)

    # What becomes known

    def _known(self, s: State, out: Next) -> None:
        for fact in self.world.facts:
            if not s.facts & fact:
                out.append((Step("known", -1, fact), self._learned(s, fact)))
        if s.facts & STATEMENT_OUT:
            out.append((Step("renew"), s._replace(facts=s.facts & ~STATEMENT_OUT)))
        if s.facts & CLEO_INTERESTED and "waive" in self.acts:
            for person in self._agreeing(s.facts, s.waiver):
                agreed = s._replace(waiver=s.waiver | 1 << person)
                out.append((Step("agree", person), agreed))

    def _learned(self, s: State, fact: int) -> State:
        """An interest voids the decisions of whoever is recused by it; all else is only known."""
        learned = s._replace(facts=s.facts | fact)
        if fact not in INTERESTS or "undo.interest" in self.off:
            return learned
        before = self.product.recused(s.facts, s.waiver)
        new = self.product.recused(learned.facts, s.waiver) & ~before
        voided = 0
        for slot in range(len(self.world.slots)):
            for person in people_in(at_slot(s.counted, slot) & new):
                voided |= bit(slot, person)
        return self._undone(learned, voided) if voided else learned

    def _agreeing(self, facts: int, waiver: int) -> list[int]:
        return [p for p in EVERYBODY if not waiver >> p & 1 and self.rules.agree(p, facts, waiver)]

    # What the partner and the clock do

    def _amend(self, s: State, out: Next) -> None:
        if "amend" not in self.acts or s.revision + 1 >= self.world.revisions:
            return
        if s.at not in AMEND_AT and "amend.state" not in self.off:
            return
        stale = s.stale | sum(1 << g for g in range(len(GATES)) if at_slot(s.counted, g))
        changed = s._replace(
            revision=s.revision + 1, stale=stale, cleared=EARLIER if s.cleared else 0
        )
        if "amend.voids" not in self.off:
            changed = changed._replace(counted=0, against=0, gates=0)
        if s.run.state == NO_RUN:  # a run under way is never left behind: no scope changes then
            changed = changed._replace(at=SUBMITTED, waiting=False, late=False)
        out.append((Step("amend"), changed))

    def _deadline(self, s: State, out: Next) -> None:
        if "late" not in self.acts or (not s.waiting and s.at != EXPORTING):
            return
        if not s.late:
            out.append((Step("late"), s._replace(late=True)))
        elif s.waiting:
            gates = s.gates
            if s.at in GATE_OF and "lapse.gate" not in self.off:
                gates = with_gate(gates, GATE_OF[s.at], EXPIRED)
            ended = s._replace(at=AT[S.EXPIRED], waiting=False, gates=gates, run=NOTHING)
            out.append((Step("lapse"), ended))

    def _waiting(self, s: State, out: Next) -> None:
        if "late" in self.acts:
            out.append((Step("lapse"), s._replace(at=AT[S.EXPIRED], waiting=False)))

    # The export

    def _when_cleared(self, s: State, out: Next) -> None:
        self._take_back(s, out)
        self._deadline(s, out)
        if self.product.covers(s.cleared, s.counted, s.late, s.facts):
            state = AWAITING if self.world.confirmed else RUNNING
            for person in self._engineers(Act.TRIGGER, s.facts, s.waiver, s.counted, s.ever, -1):
                run = Run(state, person, -1, s.revision)
                begun = s._replace(at=EXPORTING, run=run, waiting=state == AWAITING)
                out.append((Step("trigger", person), begun))

    def _engineers(
        self, act: Act, facts: int, waiver: int, counted: int, ever: int, by: int
    ) -> list[int]:
        acted, recused = deciders(counted), self.product.recused(facts, waiver)
        earlier = ever & ~same(acted, facts)
        return [
            p for p in EVERYBODY if self.product.may(act, p, facts, recused, acted, earlier, by)
        ]

    def _canceller(self, facts: int) -> int | None:
        """Somebody who may stop a run: who it is changes nothing of what comes after."""
        return next((p for p in EVERYBODY if self.product.may(Act.CANCEL, p, facts, 0, 0)), None)

    def _while_exporting(self, s: State, out: Next) -> None:
        self._deadline(s, out)
        run = s.run
        if run.state == AWAITING or "confirm.state" in self.off:
            known = s.facts, s.waiver, s.counted, s.ever, run.by
            for person in self._engineers(Act.CONFIRM, *known):
                going = run._replace(state=RUNNING, confirmed=person)
                out.append((Step("confirm", person), s._replace(run=going, waiting=False)))
        if "cancel" in self.acts and run.state in (AWAITING, RUNNING):
            who = self._canceller(s.facts)
            if who is not None:
                stopped = s._replace(run=run._replace(state=STOPPED))
                if run.state == AWAITING:
                    stopped = s._replace(at=CLEARED, waiting=True, run=NOTHING)
                out.append((Step("cancel", who), stopped))
        if run.state in (RUNNING, STOPPED) and ("fail" in self.acts or run.state == STOPPED):
            out.append((Step("end"), s._replace(at=CLEARED, waiting=True, run=NOTHING)))
        self._run(s, out)

    def _run(self, s: State, out: Next) -> None:
        """A running export: the objects are packed, and the package is released or not."""
        if s.run.state != RUNNING and "run.running" not in self.off:
            return
        current = s.run.revision == s.revision or "run.digest" in self.off
        covers = self.product.covers(s.cleared, s.counted, s.late, s.facts) and current
        if s.run.packed == UNPACKED:
            if covers:
                gone = s.facts & CONSENT_GONE and "pack.consent" not in self.off
                packed = WITHOUT_SUBJECT if gone else WITH_SUBJECT
                out.append((Step("pack"), s._replace(run=s.run._replace(packed=packed))))
            return
        gone = s.facts & CONSENT_GONE and "release.consent" not in self.off
        if covers and s.run.packed == WITH_SUBJECT and gone:
            again = s._replace(run=s.run._replace(packed=UNPACKED))
            out.append((Step("repack"), again))
        elif covers and self.rules.release(s):
            out.append((Step("release"), s._replace(at=DELIVERED, waiting=False)))
        elif s.at == EXPORTING:
            stands = covers and self.product.stands(s.counted, s.facts, s.waiver)
            at = CLEARED if stands else AT[S.REVOKED]
            ended = s._replace(at=at, waiting=stands, run=NOTHING)
            out.append((Step("refused"), ended))
