"""Who may confirm what somebody said of the end of their own interest, as the database itself keeps
it: tried with hand-written SQL."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from tests.records import by_hand
from tests.records.by_hand import AT, Hand
from tests.records.conftest import Console

WHO, OFFICER = "per_who", "per_officer"
Change = Callable[[Hand], object]
DAY, YEAR = AT.date(), AT.date() + timedelta(days=365)


def world(hand: Hand) -> None:
    """Somebody's interest, which they said has ended, and a conflict officer."""
    by_hand.begin(hand)
    by_hand.deciders(hand)
    by_hand.person(hand, "who", "conflict_officer")
    by_hand.person(hand, "officer", "conflict_officer")
    by_hand.person(hand, "third", "auditor")
    by_hand.request(hand)
    by_hand.recuse(hand, WHO)
    hand.row("interest_end", interest_id=f"int_{WHO}", until=hand.on(DAY), reason="r",
             counts_until=hand.on(YEAR), said_by=WHO, at=hand.at(AT))  # fmt: skip


def confirmed(hand: Hand, by: str = OFFICER, until: date = DAY) -> str | None:
    """What the database said against a confirmation."""
    return hand.refused_row(
        "interest_end_confirmation", interest_id=f"int_{WHO}", counts_until=hand.on(until),
        reason="r", confirmed_by=by, at=hand.at(AT),
    )  # fmt: skip


def link(one: str, other: str) -> Change:
    """Two accounts are one person's."""
    return lambda hand: hand.row(
        "person_link", person_id=one, same_as=other, linked_by="x", at=hand.at(AT)
    )


def deputy(hand: Hand) -> None:
    """The person's own role is in the hands of a colleague."""
    assert by_hand.delegate(hand, WHO, "per_third", "conflict_officer") is None


def nothing(hand: Hand) -> None:
    """All is as it was."""


REFUSED: dict[str, tuple[Change, str, date]] = {
    "the person": (nothing, WHO, DAY),
    "an account of the person": (link(OFFICER, WHO), OFFICER, DAY),
    "whose account the person is": (link(WHO, OFFICER), OFFICER, DAY),
    "another role": (nothing, "per_third", DAY),
    "who acts for the person": (deputy, "per_third", DAY),
    "a longer time": (nothing, OFFICER, YEAR + timedelta(days=1)),
    "before it ended": (nothing, OFFICER, DAY - timedelta(days=1)),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_the_database_refuses(console: Console, case: str) -> None:
    """A confirmation by the person, by whichever account, by who acts for them or holds no such
    role, or over other days than there are, is refused, whoever writes it."""

    def work(connection: Connection) -> str | None:
        hand = Hand(connection)
        world(hand)
        change, by, until = REFUSED[case]
        change(hand)
        return confirmed(hand, by, until)

    assert "four_eyes" in str(await console(work))


async def test_another_conflict_officer_confirms_once(console: Console) -> None:
    """Whoever is somebody else and holds the role confirms it; a second time is one too many."""

    def work(connection: Connection) -> list[str | None]:
        hand = Hand(connection)
        world(hand)
        return [confirmed(hand), confirmed(hand)]

    first, second = await console(work)
    assert first is None
    assert second is not None
