"""What one event weighs, who it reaches, and where its subject is."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given

from sharing.consent import (
    ANYONE,
    MISSES,
    ConsentEvent,
    Question,
    Weight,
    standing,
    verify,
    weigh,
    whereabouts,
)
from sharing.stages import Exclusion
from tests.sharing.subjects import (
    ANY_CLASS,
    ASKED,
    AT,
    COMPANY,
    DAY,
    NO,
    RESEARCH,
    YES,
    events,
    excluded,
    questions,
)


def order(event: ConsentEvent) -> tuple[datetime, int]:
    """What orders events."""
    return event.at, event.position


@given(asked=questions, said=events)
def test_a_weight_is_all_that_counts_of_an_event(asked: Question, said: list[ConsentEvent]) -> None:
    """Events weighed one by one, and the last relevant one judged by its weight, the time and the
    needs of the place, give the same answer as all events judged at once."""
    weights = [(order(e), weigh(asked, e), e) for e in said]
    relevant = [one for one in weights if one[1].relevant]
    expected: Exclusion | None
    if not relevant:
        expected = MISSES[max((weight.near for _, weight, _ in weights), default=0)]
    else:
        _, weight, last = max(relevant, key=lambda one: one[0])
        place, minor = whereabouts(said)
        needs = asked.rules.needs(place, asked, minor)
        expected = standing(weight, last.valid_until, needs, AT)
    assert verify(asked, said, AT).excluded is expected


def test_a_weight_knows_nothing_of_time_and_subject() -> None:
    """Two events that say the same weigh the same, whoever said it, when, where and until when."""
    other = replace(
        YES, position=9, subject="t", at=AT - 9 * DAY, valid_until=AT, jurisdiction="XX", minor=True
    )
    assert weigh(ASKED, other) == weigh(ASKED, YES)
    assert weigh(ASKED, YES) == Weight(True, None, 3, explicit=True, written=False)


def test_where_and_how_old_is_what_was_said_last() -> None:
    """The latest event that names a place says where a subject is, whatever else it was about."""
    moved = replace(YES, position=2, purpose="dpv:Marketing", jurisdiction="XX", at=AT)
    assert excluded(YES, moved) is Exclusion.JURISDICTION
    assert excluded(YES, replace(moved, jurisdiction=None)) is None
    assert excluded(replace(YES, jurisdiction="XX"), replace(moved, jurisdiction="CA")) is None
    young, grown = replace(YES, minor=True), replace(moved, jurisdiction="CA", minor=False)
    assert excluded(young, replace(grown, minor=None)) is Exclusion.JURISDICTION
    assert excluded(young, grown) is None


@pytest.mark.parametrize(
    ("said", "known", "yes", "no"),
    [  # who was spoken of, the partner's class, does a yes cover it, does a no end it
        (ANYONE, None, True, True),
        ("ptr", None, True, True),
        ("other", None, False, False),
        (RESEARCH, None, False, True),  # of no known class: it could be one
        (RESEARCH, RESEARCH, True, True),
        (RESEARCH, COMPANY, False, False),
        (ANY_CLASS, RESEARCH, True, True),
        (RESEARCH, ANY_CLASS, False, True),  # some organisation: it could be one
        ("dpv:CharityOrganisation", "dpv:NonProfitOrganisation", False, True),
        ("dpv:NonProfitOrganisation", "dpv:CharityOrganisation", True, True),
        ("own:Forgotten", RESEARCH, False, True),  # nobody knows who that was
        ("own:Forgotten", "own:Forgotten", True, True),
    ],
)
def test_classes_of_recipients(said: str, known: str | None, yes: bool, no: bool) -> None:
    """A yes to a class covers partners known to be in it; a no ends it for all who could be."""
    asked = replace(ASKED, recipient_class=known)
    given = excluded(replace(YES, recipient=said), asked=asked)
    assert given is (None if yes else Exclusion.WRONG_RECIPIENT)
    ended = excluded(YES, replace(NO, recipient=said), asked=asked)
    assert ended is (Exclusion.WITHDRAWN if no else None)


def test_a_no_in_forgotten_words_counts() -> None:
    """A no to a purpose or category that the vocabulary no longer knows could be to this one."""
    assert excluded(YES, replace(NO, purpose="own:Gone")) is Exclusion.WITHDRAWN
    assert excluded(YES, replace(NO, category="own:Gone")) is Exclusion.WITHDRAWN
    assert excluded(replace(YES, purpose="own:Gone")) is Exclusion.WRONG_PURPOSE
