"""What must always hold, asked of what happened: who decided what, and what is known by now.

Nothing here calls a guard. Each function's docstring is the invariant; it returns False where the
step broke it.
"""

from collections.abc import Callable
from functools import cache

from sharing.stages import DECISIONS, GATE_ROLES, GATES, Outcome, Role
from tests.model.state import (
    GATE_OF,
    OPEN,
    WITH_SUBJECT,
    State,
    Step,
    at_slot,
    gate_state,
)
from tests.model.steps import CLEARED, EXPORTING
from tests.model.world import (
    ANA,
    BEA,
    BEN,
    CLEO,
    CLEO_INTERESTED,
    CONSENT_GONE,
    DAN,
    EVE,
    EVE_INTERESTED,
    GIL,
    GUS,
    HAL,
    HIL,
    JOINED,
    PEOPLE,
    ROLE_ENDED,
    STATEMENT_OUT,
    WAIVING,
    Slot,
    World,
)

Check = Callable[[State, Step, State, World], bool]


@cache
def _whole(person: int, facts: int) -> frozenset[int]:
    """A person's accounts, by hand."""
    for pair in ((GUS, GIL), (HAL, HIL), *(((BEN, BEA),) if facts & JOINED else ())):
        if person in pair:
            return frozenset(pair)
    return frozenset({person})


def _holds(person: int, role: Role, facts: int) -> bool:
    if person == DAN and facts & ROLE_ENDED and role is Role.LEGAL_COUNSEL:
        return False
    return role in PEOPLE[person].roles


def _approvals(s: State, world: World) -> tuple[tuple[int, Role, int], ...]:
    """Gate, role and account of every approval that counts."""
    return _taken(s.counted, world.slots)


@cache
def _taken(counted: int, slots: tuple[Slot, ...]) -> tuple[tuple[int, Role, int], ...]:
    return tuple(
        (slot.gate, slot.role, p)
        for i, slot in enumerate(slots)
        for p in range(len(PEOPLE))
        if at_slot(counted, i) >> p & 1
    )


@cache
def _gains(person: int, facts: int) -> bool:
    """Works for the partner, or wants the sharing."""
    return bool(_whole(person, facts) & {GUS, HAL})


@cache
def _tied(person: int, facts: int) -> bool:
    """Has an interest that is known, waived or not."""
    whole = _whole(person, facts)
    cleo, eve = facts & CLEO_INTERESTED, facts & EVE_INTERESTED
    return bool((cleo and CLEO in whole) or (eve and EVE in whole))


@cache
def _interested(person: int, facts: int, waiver: int) -> bool:
    """Has an interest that two others, who have none of any kind, did not waive."""
    if not _tied(person, facts):
        return False
    if CLEO not in _whole(person, facts):
        return True
    behind = {
        min(_whole(p, facts))
        for p in range(len(PEOPLE))
        if waiver >> p & 1
        and not _tied(p, facts)
        and not _gains(p, facts)
        and p not in _whole(CLEO, facts)
    }
    return len(behind) < 2


# Asked of every release; the first three of every clearance too.


def i1(before: State, step: Step, after: State, world: World) -> bool:
    """I1: no release without an approved decision at each of the four gates, as many as are needed,
    for the request's current digest."""
    taken = _approvals(before if step.verb == "release" else after, world)
    for gate, needs in enumerate(world.needs):
        for need in needs:
            have = {p for g, role, p in taken if g == gate and role is need.role}
            if len(have) < need.approvals:
                return False
    return True


def i2(before: State, step: Step, after: State, world: World) -> bool:
    """I2: the deciders are distinct people, each holding the role when deciding and ever since."""
    taken = _approvals(after, world)
    humans = {min(_whole(p, after.facts)) for _, _, p in taken}
    held = all(_holds(p, role, after.facts) for _, role, p in taken)
    return held and len(humans) == len(taken)


def i4(before: State, step: Step, after: State, world: World) -> bool:
    """I4: a recused person's decision never counts, also when the recusal comes later; a waiver
    counts only while two disinterested people stand behind it."""
    taken = _approvals(after, world)
    return not any(_interested(p, after.facts, after.waiver) for _, _, p in taken)


def i3(before: State, step: Step, after: State, world: World) -> bool:
    """I3: partner staff and the sponsor never decide, by whichever account."""
    return not any(_gains(p, after.facts) for _, _, p in _approvals(after, world))


def i6(before: State, step: Step, after: State, world: World) -> bool:
    """I6: what is released is what the current digest says; any change voids every decision."""
    return before.cleared > 0 and before.run.revision == before.revision


def i7(before: State, step: Step, after: State, world: World) -> bool:
    """I7: what is exported is what was approved: the approvals behind the clearance all count."""
    return before.cleared > 0 and not before.cleared & ~before.counted


def i8(before: State, step: Step, after: State, world: World) -> bool:
    """I8: at release every subject's consent is active."""
    return not (before.run.packed == WITH_SUBJECT and before.facts & CONSENT_GONE)


def i18(before: State, step: Step, after: State, world: World) -> bool:
    """I18: what is released is the one live run of a request that is exporting, and not a stopped
    one."""
    confirmed = not world.confirmed or before.run.confirmed >= 0
    return before.at == EXPORTING and before.run.state == 2 and confirmed


def i21(before: State, step: Step, after: State, world: World) -> bool:
    """I21: only engineers who decided nothing on this request, and have no interest in it, trigger
    and confirm: two different people."""
    facts, decided = before.facts, before.ever
    for _, _, p in _approvals(before, world):
        decided |= 1 << p
    hands = [p for p in (after.run.by, after.run.confirmed) if p >= 0]
    for p in hands if step.verb == "release" else (step.who,):
        whole = _whole(p, facts)
        if any(decided >> one & 1 for one in whole) or _gains(p, facts):
            return False
        if _interested(p, facts, before.waiver) or not _holds(p, Role.ENGINEER, facts):
            return False
    return len({min(_whole(p, facts)) for p in hands}) == len(hands)


def i22(before: State, step: Step, after: State, world: World) -> bool:
    """I22: one refusal or expiry blocks; clearances expire."""
    closed = (gate_state(before.gates, gate) for gate in range(len(GATES)))
    return not before.against and not before.late and all(state <= 2 for state in closed)


# Asked of every decision


def decided_by_right(before: State, step: Step, after: State, world: World) -> bool:
    """I2, I3: whoever decides holds the role, is not the partner's, and is not the sponsor."""
    role = world.slots[step.what].role
    return _holds(step.who, role, before.facts) and not _gains(step.who, before.facts)


def decided_without_interest(before: State, step: Step, after: State, world: World) -> bool:
    """I4: nobody decides who has an interest that was not waived."""
    return not _interested(step.who, before.facts, before.waiver)


def i5(before: State, step: Step, after: State, world: World) -> bool:
    """I5: each decision follows that person's own dated declaration, still good."""
    return step.who != ANA or not before.facts & STATEMENT_OUT


def i17(before: State, step: Step, after: State, world: World) -> bool:
    """I17: a decision counts once per person and digest."""
    whole = _whole(step.who, before.facts)
    earlier = {p for _, _, p in _approvals(before, world)}
    refused = any(before.against >> 16 * g + p & 1 for g in range(len(GATES)) for p in whole)
    return not whole & earlier and not refused


def decided_in_time(before: State, step: Step, after: State, world: World) -> bool:
    """I22: nobody decides after the deadline, at another gate than the one that waits, or at one
    that is closed."""
    gate = world.slots[step.what].gate
    here = before.waiting and GATE_OF.get(before.at) == gate
    return here and not before.late and gate_state(before.gates, gate) == OPEN


def one_refusal_refuses(before: State, step: Step, after: State, world: World) -> bool:
    """I22: one refusal refuses and one return returns, whatever else was decided."""
    how = DECISIONS[step.how]
    return how is Outcome.APPROVED or after.at not in (*GATE_OF, CLEARED)


# Asked of other steps


def taken_back_by_right(before: State, step: Step, after: State, world: World) -> bool:
    """F11: an approval is taken back by its own decider only, until the next gate decides."""
    gate = world.slots[step.what].gate
    later = any(g > gate for g, _, _ in _approvals(before, world))
    return step.how in _whole(step.who, before.facts) and not later


def changed_is_undecided(before: State, step: Step, after: State, world: World) -> bool:
    """I6: any change of the scope voids every decision, and none happens under a running export."""
    return not after.counted and not after.gates and before.at != EXPORTING


def expired_is_recorded(before: State, step: Step, after: State, world: World) -> bool:
    """I22: an expired gate is on record as expired."""
    return before.at not in GATE_OF or gate_state(after.gates, GATE_OF[before.at]) == 5


def undone_at_once(before: State, step: Step, after: State, world: World) -> bool:
    """I4: from the moment an interest is known, no decision of a person whom it recuses counts, no
    clearance and no run stands on it, and its gate is not approved."""
    if step.what not in (CLEO_INTERESTED, EVE_INTERESTED):
        return True
    new = [
        (gate, p)
        for gate, _, p in _approvals(before, world)
        if _interested(p, after.facts, after.waiver)
        and not _interested(p, before.facts, before.waiver)
    ]
    if not new:
        return True
    still = {p for _, _, p in _approvals(after, world)}
    gates_wait = all(gate_state(after.gates, gate) != 2 for gate, _ in new)
    return (
        gates_wait and not still & {p for _, p in new} and not after.cleared and not after.run.state
    )


def undone_wholly(before: State, step: Step, after: State, world: World) -> bool:
    """F11: what was taken back takes the clearance with it, and its gate waits again."""
    gate = world.slots[step.what].gate
    return gate_state(after.gates, gate) != 2 and not after.cleared and not after.run.state


def agreed_by_right(before: State, step: Step, after: State, world: World) -> bool:
    """Waivers: whoever agrees holds a role that may, has no interest of any kind, is not the person
    it is for, and agrees once."""
    facts, p = before.facts, step.who
    whole = _whole(p, facts)
    free = not _tied(p, facts) and not _gains(p, facts) and p not in _whole(CLEO, facts)
    once = not any(before.waiver >> one & 1 for one in whole)
    return free and once and any(_holds(p, role, facts) for role in WAIVING)


CLEARED_BY: tuple[Check, ...] = (i1, i2, i3, i4)
DECIDED: tuple[Check, ...] = (
    decided_by_right, decided_without_interest, i5, i17, decided_in_time, one_refusal_refuses,
)  # fmt: skip
CHECKS: dict[str, tuple[Check, ...]] = {
    "decide": DECIDED,
    "release": (i1, i2, i3, i4, i6, i7, i8, i18, i21, i22),
    "trigger": (i21,),
    "confirm": (i21,),
    "take_back": (taken_back_by_right, undone_wholly),
    "amend": (changed_is_undecided,),
    "lapse": (expired_is_recorded,),
    "known": (undone_at_once,),
    "agree": (agreed_by_right,),
}
EVERY = tuple(dict.fromkeys(check for checks in CHECKS.values() for check in checks))
ROLES = tuple(GATE_ROLES)


def broken(
    before: State, step: Step, after: State, world: World, only: str | None = None
) -> str | None:
    """The first invariant that a step breaks, as a sentence; None where all hold. `only`: the one
    that is asked, by its name here."""
    checks = CHECKS.get(step.verb, ())
    if step.verb == "decide" and after.at == CLEARED:
        checks += CLEARED_BY
    for check in checks:
        if only is not None and check.__name__ != only:
            continue
        if not check(before, step, after, world):
            return " ".join((check.__doc__ or "").split())
    return None
