"""Comments on a request: among the people inside, or to the partner and back. Who may write and
read them; pure."""

from collections.abc import Iterable
from enum import StrEnum

from sharing.eligibility import Actor, Case, demand_disinterested
from sharing.errors import NotEligible, Refused, bad_field
from sharing.stages import ENDED, RequestState

# A share that was delivered is talked about for as long as it is held.
SILENT = ENDED - {RequestState.DELIVERED}


class Audience(StrEnum):
    """Who reads a comment: people inside without an interest in the request, or the partner too."""

    INTERNAL = "internal"
    PARTNER = "partner"


def demand_open(state: RequestState) -> None:
    """Raises Refused where a request has ended, and nobody waits for an answer."""
    if state in SILENT:
        raise Refused("wrong_state", f"The request is {state}: nothing is added to it any more.")


def audience_of(wanted: str | None, *, inside: bool) -> Audience:
    """Whom a comment is for: what its writer said, else their own side. A partner writes to the
    people inside and sees it itself, so nothing of theirs is internal. Raises Refused."""
    if wanted is None:
        return Audience.INTERNAL if inside else Audience.PARTNER
    if wanted == Audience.INTERNAL and not inside:
        raise bad_field("audience", "is `partner` for what a partner writes: leave it out.")
    return Audience(wanted)


def demand_field(field: str | None, answers: Iterable[str]) -> None:
    """Raises Refused unless a comment is about an answer that the request has, or a part of it."""
    if field is None:
        return
    known = sorted({path[:end] for path in answers for end in _ends(path)})
    if field not in known:
        raise bad_field("field", f"is no answer of this request. Use one of {', '.join(known)}.")


def _ends(path: str) -> list[int]:
    return [*(i for i, letter in enumerate(path) if letter == "."), len(path)]


def reads_internal(actor: Actor, case: Case) -> bool:
    """True for people inside who may have a hand in the request: what is said among colleagues
    about a request is not for who has an interest in it."""
    try:
        demand_disinterested(actor, case)
    except NotEligible:
        return False
    return True
