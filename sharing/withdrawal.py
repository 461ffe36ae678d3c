"""A subject's no: what it ends of all that the same subject has said yes to before.

It asks for no reason and names no more than it wants to: a wish that names nothing ends everything.
Each yes is met where wish and yes overlap, so that a no to a part leaves the rest as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sharing.consent import ANYONE, Action, ConsentEvent
from sharing.vocabulary import CATEGORIES, PURPOSES, RECIPIENTS, Term, covers, overlap

Classes = Mapping[str, str | None]  # partners by id, with the class that each is known to be of


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subject takes back; None stands for whatever there is."""

    purpose: str | None = None
    category: str | None = None
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """What is no longer allowed, and the yes that it ends or narrows."""

    purpose: str
    category: str
    recipient: str
    given: ConsentEvent


def endings(
    wish: Wish, events: Sequence[ConsentEvent], classes: Classes | None = None
) -> list[Ending]:
    """What a wish ends of a subject's consents, each once, in the order in which they were given.
    What a later no ended before is not ended again."""
    known, ordered = classes or {}, sorted(events, key=_order)
    found: dict[tuple[str, str, str], Ending] = {}
    for given in ordered:
        if given.action is not Action.GIVEN:
            continue
        for ending in _met(wish, given, known):
            if ended_by(ending, ordered, known) is None:
                found[ending.purpose, ending.category, ending.recipient] = ending
    return list(found.values())


def whole(given: ConsentEvent) -> Ending:
    """The end of all that a yes allows."""
    return Ending(given.purpose, given.category, given.recipient, given)


def ended_by(
    ending: Ending, events: Sequence[ConsentEvent], classes: Classes
) -> ConsentEvent | None:
    """The first later no of the same subject that says all of it already; None if none does."""
    later = [e for e in events if _order(e) > _order(ending.given) and _ends(e, ending, classes)]
    return min(later, key=_order, default=None)


def _order(event: ConsentEvent) -> tuple[object, int]:
    return event.at, event.position


def _met(wish: Wish, given: ConsentEvent, known: Classes) -> Iterator[Ending]:
    """Where a wish and a yes overlap: nowhere, or in one place."""
    purpose = _narrower(PURPOSES, wish.purpose, given.purpose)
    category = _narrower(CATEGORIES, wish.category, given.category)
    recipient = _recipient(wish.recipient, given.recipient, known)
    if purpose is not None and category is not None and recipient is not None:
        yield Ending(purpose, category, recipient, given)


def _narrower(vocabulary: Mapping[str, Term], wished: str | None, given: str) -> str | None:
    if wished is None or covers(vocabulary, wished, given):
        return given
    return wished if covers(vocabulary, given, wished) else None


def _recipient(wished: str | None, given: str, known: Classes) -> str | None:
    if wished in (None, ANYONE, given):
        return given
    if given == ANYONE:
        return wished
    if wished in RECIPIENTS and given in RECIPIENTS:
        return _narrower(RECIPIENTS, wished, given)
    if wished in RECIPIENTS and _could_be(given, wished, known):
        return given
    return wished if given in RECIPIENTS and _could_be(wished, given, known) else None


def _could_be(partner: str | None, kind: str, known: Classes) -> bool:
    """True unless the partner is known to be of another class than this one."""
    own = known.get(partner or "")
    return own is None or overlap(RECIPIENTS, kind, own)


def _ends(event: ConsentEvent, ending: Ending, known: Classes) -> bool:
    """True if a no says all of it already."""
    return (
        event.action is not Action.GIVEN
        and _all_of(event.recipient, ending.recipient, known)
        and covers(PURPOSES, event.purpose, ending.purpose)
        and covers(CATEGORIES, event.category, ending.category)
    )


def _all_of(no: str, recipient: str, known: Classes) -> bool:
    if no in (ANYONE, recipient):
        return True
    if no not in RECIPIENTS or recipient == ANYONE:
        return False
    if recipient in RECIPIENTS:
        return covers(RECIPIENTS, no, recipient)
    return _could_be(recipient, no, known)
