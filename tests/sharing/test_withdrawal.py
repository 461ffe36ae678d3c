"""What a subject's no ends of what it has said yes to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sharing.consent import ANYONE, Action, ConsentEvent, Question, verify
from sharing.purpose import NoticeTerms
from sharing.vocabulary import CATEGORIES, PURPOSES
from sharing.withdrawal import Wish, endings

AT = datetime(2026, 6, 1, tzinfo=UTC)
RESEARCH, TRAINING = "dpv:ResearchAndDevelopment", "ai:ModelTraining"
NOTICES = {("all", "1"): NoticeTerms("all", "1", tuple(PURPOSES), tuple(CATEGORIES))}
SCIENCE, COMPANY = "dpv:AcademicScientificOrganisation", "dpv:ForProfitOrganisation"
CLASSES = {"university": SCIENCE, "company": COMPANY, "unknown": None}
YES = ConsentEvent(
    1, "s", RESEARCH, "pd:Picture", ANYONE, Action.GIVEN, True, "all", "1", AT - timedelta(days=9)
)


def ended(wish: Wish, *events: ConsentEvent) -> list[tuple[str, str, str]]:
    """What a wish ends, as (purpose, category, recipient)."""
    return [(one.purpose, one.category, one.recipient) for one in endings(wish, events)]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(), [(RESEARCH, "pd:Picture", "*")]),
        (Wish(purpose=RESEARCH), [(RESEARCH, "pd:Picture", "*")]),
        (Wish(purpose=TRAINING), [(TRAINING, "pd:Picture", "*")]),
        (Wish(purpose="dpv:Marketing"), []),
        (Wish(category="pd:ProfilePicture"), [(RESEARCH, "pd:ProfilePicture", "*")]),
        (Wish(category="pd:Location"), []),
        (Wish(recipient="ptr_1"), [(RESEARCH, "pd:Picture", "ptr_1")]),
        (Wish(recipient="*"), [(RESEARCH, "pd:Picture", "*")]),
        (Wish(TRAINING, "pd:Location"), []),
    ],
)
def test_a_wish_ends_where_it_meets_a_yes(wish: Wish, expected: list[tuple[str, str, str]]) -> None:
    """The narrower of wish and yes is what ends, and nothing where they do not meet."""
    assert ended(wish, YES) == expected


def test_a_wish_about_one_partner_leaves_another_partners_yes_alone() -> None:
    """A yes to one partner is not ended by a wish that names another."""
    mine = replace(YES, recipient="ptr_1")
    assert ended(Wish(recipient="ptr_2"), mine) == []
    assert ended(Wish(recipient="*"), mine) == [(RESEARCH, "pd:Picture", "ptr_1")]


@pytest.mark.parametrize(
    ("wished", "given", "expected"),
    [
        (SCIENCE, "*", [SCIENCE]),
        (SCIENCE, "dpv:Organisation", [SCIENCE]),
        ("dpv:Organisation", SCIENCE, [SCIENCE]),
        (SCIENCE, COMPANY, []),
        (SCIENCE, "university", ["university"]),
        (SCIENCE, "company", []),
        (SCIENCE, "unknown", ["unknown"]),
        ("university", SCIENCE, ["university"]),
        ("company", SCIENCE, []),
        ("company", "university", []),
    ],
)
def test_a_wish_about_a_class_ends_for_all_who_could_be_in_it(
    wished: str, given: str, expected: list[str]
) -> None:
    """Classes meet their partners, and those of whom nobody knows what they are."""
    found = endings(Wish(recipient=wished), [replace(YES, recipient=given)], CLASSES)
    assert [one.recipient for one in found] == expected
    noes = [
        replace(YES, position=9, recipient=one.recipient, action=Action.WITHDRAWN, at=AT)
        for one in found
    ]
    assert endings(Wish(recipient=wished), [replace(YES, recipient=given), *noes], CLASSES) == []


def test_what_ended_is_not_ended_again() -> None:
    """A yes that a later no covers wholly is left out; one given again after it is not."""
    no = replace(YES, position=2, action=Action.WITHDRAWN, at=AT - timedelta(days=8))
    assert ended(Wish(), YES, no) == []
    assert ended(Wish(), YES, no, replace(YES, position=3, at=AT - timedelta(days=7))) != []


def test_a_part_that_ended_leaves_the_rest_to_be_ended() -> None:
    """After a no to a part, everything else can still be taken back."""
    part = replace(YES, position=2, purpose=TRAINING, action=Action.WITHDRAWN, at=AT)
    assert ended(Wish(purpose=TRAINING), YES, part) == []
    assert ended(Wish(), YES, part) == [(RESEARCH, "pd:Picture", "*")]


@pytest.mark.parametrize("purpose", [RESEARCH, "dpv:AcademicResearch", TRAINING])
@pytest.mark.parametrize("recipient", ["ptr_1", "ptr_2"])
def test_after_everything_ended_nothing_stands(purpose: str, recipient: str) -> None:
    """The rule that exports go by finds no yes once all that `endings` names is withdrawn."""
    events = [YES, replace(YES, position=2, recipient="ptr_1", category="pd:ProfilePicture")]
    question = Question(purpose, "pd:ProfilePicture", recipient, True, NOTICES)
    noes = [
        replace(
            YES, position=10 + i, purpose=one.purpose, category=one.category,
            recipient=one.recipient, action=Action.WITHDRAWN, at=AT,
        )
        for i, one in enumerate(endings(Wish(), events))
    ]  # fmt: skip
    assert verify(question, [*events, *noes], AT).excluded is not None
