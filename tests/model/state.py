"""A state of the small world, and the steps between states in words."""

from typing import NamedTuple

from sharing.stages import DECISIONS, GATES, Outcome, RequestState
from tests.model.world import EVERYBODY, FACTS, NAMES, World

STATES = tuple(RequestState)
AT = {state: i for i, state in enumerate(STATES)}
GATE_AT = tuple(AT[RequestState(gate)] for gate in GATES)
GATE_OF = {at: gate for gate, at in enumerate(GATE_AT)}

# What a gate came to, three bits a gate in State.gates.
CLOSED, OPEN, APPROVED, REFUSED, RETURNED, EXPIRED = range(6)
ENDING = {Outcome.APPROVED: APPROVED, Outcome.REFUSED: REFUSED, Outcome.RETURNED: RETURNED}
WIDTH = 16  # bits a slot in State.counted
PERSON = (1 << WIDTH) - 1

# Where an export run stands.
NO_RUN, AWAITING, RUNNING, STOPPED = range(4)
UNPACKED, WITH_SUBJECT, WITHOUT_SUBJECT = range(3)
EARLIER = -1  # a clearance that is of an earlier revision


class Run(NamedTuple):
    """An export: who triggered and confirmed it, of which revision, and what is packed so far."""

    state: int = NO_RUN
    by: int = -1
    confirmed: int = -1
    revision: int = 0
    packed: int = UNPACKED


NOTHING = Run()


class State(NamedTuple):
    """All that can be known of the request. `counted`: approvals of the current revision, a bit
    for each slot and account; `against`: refusals and returns, a bit for each gate and account."""

    at: int = AT[RequestState.SUBMITTED]
    revision: int = 0
    waiting: bool = False  # somebody is waited for
    late: bool = False  # the deadline that runs has passed
    gates: int = 0
    counted: int = 0
    against: int = 0
    ever: int = 0  # engineers who ever decided on the request
    stale: int = 0  # gates that were approved on an earlier revision
    cleared: int = 0  # the approvals that the clearance was sealed from
    run: Run = NOTHING
    facts: int = 0
    waiver: int = 0  # who agreed that Cleo's interest is waived


class Step(NamedTuple):
    """One thing that happens: a verb, who does it, and to what."""

    verb: str
    who: int = -1
    what: int = -1
    how: int = -1


def gate_state(gates: int, gate: int) -> int:
    """What one gate came to."""
    return gates >> 3 * gate & 7


def with_gate(gates: int, gate: int, state: int) -> int:
    """All gates, one of them changed."""
    return gates & ~(7 << 3 * gate) | state << 3 * gate


def bit(slot: int, person: int) -> int:
    """An account's approval in a slot."""
    return 1 << WIDTH * slot + person


def at_slot(counted: int, slot: int) -> int:
    """Who approved in a slot."""
    return counted >> WIDTH * slot & PERSON


def deciders(counted: int) -> int:
    """Who approved anywhere."""
    mask = 0
    while counted:
        mask |= counted & PERSON
        counted >>= WIDTH
    return mask


def words(step: Step, world: World) -> str:
    """A step as a sentence."""
    who = NAMES[step.who] if step.who in EVERYBODY else "the process"
    match step.verb:
        case "decide":
            slot = world.slots[step.what]
            how = {"approved": "approves", "refused": "refuses", "returned": "returns"}
            return f"{who} {how[DECISIONS[step.how]]} {GATES[slot.gate]} as {slot.role}"
        case "take_back":
            whose = NAMES[step.how]
            mine = "the approval" if whose == who else f"{whose}'s approval"
            return f"{who} takes back {mine} of {GATES[world.slots[step.what].gate]}"
        case "known":
            return FACTS[step.what]
        case "agree":
            return f"{who} agrees to waive Cleo's interest"
        case "open":
            return f"{GATES[step.what]} opens"
        case "trigger" | "confirm" | "cancel":
            return f"{who} {step.verb}s the export"
    return {
        "renew": "Ana renews her statement",
        "amend": "the partner changes the scope",
        "withdraw": "the partner withdraws the request",
        "late": "the deadline passes",
        "lapse": "the request expires",
        "pack": "the objects are packed",
        "repack": "the release is held: a subject's consent has ended",
        "release": "the package is released",
        "refused": "the release is refused and the run ends",
        "end": "the run ends without a release",
    }[step.verb]
