"""Comments on a request: among the people inside, or to the partner and back. Who may write and
read them; pure."""

from collections.abc import Iterable
from enum import StrEnum

from sharing.eligibility import Actor, Case, demand_disinterested
from sharing.errors import NotEligible, Refused, bad_field
from sharing.stages import AMENDABLE, ENDED, RequestState, Role

# A share that was delivered is talked about for as long as it is held.
SILENT = ENDED - {RequestState.DELIVERED}
# The answers of a request, in the order in which it is asked for them: what a comment can be about,
# also where an answer that may be left out was.
ANSWERS = (
    "title",
    "purpose",
    "intended_use",
    "trains_models",
    "dataset",
    "scope.fields",
    "scope.limit",
    "scope.where.taken_after",
    "scope.where.taken_before",
    "legal_basis",
    "special_category_basis",
    "retention_days",
    "onward_recipients",
    "sponsor",
    "delivery.format",
    "delivery.push",
)


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
    """Raises Refused unless a comment is about an answer that requests have, or that this one has,
    or about several of them together, such as `scope`."""
    if field is None:
        return
    known = {path[:end] for path in (*ANSWERS, *answers) for end in _ends(path)}
    if field not in known:
        told = ", ".join(ANSWERS)
        raise bad_field(
            "field",
            f"is no answer of a request. Use one of {told}; or leave it out to speak of the whole.",
        )


def answer_of(field: str) -> str:
    """The one answer at which a comment is shown: `scope` has several, the first of them leads."""
    return next((path for path in ANSWERS if f"{path}.".startswith(f"{field}.")), field)


def waits_for_change(role: str, audience: str, revision: int, now: tuple[int, str]) -> bool:
    """True where it was said to the partner of what it asks `now` (revision and state), and what it
    asks can still change: the next revision is the answer to it."""
    to_partner = audience == Audience.PARTNER and role != Role.PARTNER
    return to_partner and revision == now[0] and RequestState(now[1]) in AMENDABLE


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
