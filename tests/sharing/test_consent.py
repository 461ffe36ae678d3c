"""Consent: has this subject said yes to exactly this, and does it still hold?"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.consent import (
    ANYONE,
    Action,
    ConsentEvent,
    Coverage,
    Question,
    report,
    verify,
)
from sharing.stages import Exclusion, Result
from sharing.vocabulary import CATEGORIES, PURPOSES, Term, covers
from tests.sharing.subjects import (
    ANY_CLASS,
    ASKED,
    AT,
    COMPANY,
    NO,
    NOTICES,
    RESEARCH,
    SECOND,
    YES,
    events,
    excluded,
    purposes,
    questions,
)

REACHED = {None: {ANYONE, "ptr"}, RESEARCH: {ANYONE, "ptr", RESEARCH, ANY_CLASS},
           COMPANY: {ANYONE, "ptr", COMPANY, ANY_CLASS}}  # fmt: skip
ENDING = REACHED | {None: {ANYONE, "ptr", RESEARCH, COMPANY, ANY_CLASS}}


def in_order(event: ConsentEvent) -> tuple[datetime, int]:
    """What orders events."""
    return event.at, event.position


def wider(vocabulary: dict[str, Term], term: str) -> set[str]:
    """A term and everything above it, found by looking at each term in turn."""
    found = {term}
    while more := {v.parent for n, v in vocabulary.items() if n in found and v.parent} - found:
        found |= more
    return found


@given(asked=questions, said=events, data=st.data())
def test_the_order_of_lines_does_not_matter(
    asked: Question, said: list[ConsentEvent], data: st.DataObject
) -> None:
    """The same events in any order give the same answer."""
    shuffled = data.draw(st.permutations(said))
    assert verify(asked, shuffled, AT) == verify(asked, said, AT)


@given(asked=questions, said=events)
def test_data_goes_only_on_a_last_word_that_is_a_whole_yes(
    asked: Question, said: list[ConsentEvent]
) -> None:
    """Where data may go there is a yes to this purpose and category or wider ones, to this
    recipient, in time, under a notice that covers it, and no later no that touches any of it."""
    answer = verify(asked, said, AT)
    if answer.excluded is not None:
        return
    purposes = wider(dict(PURPOSES), asked.purpose)
    categories = wider(dict(CATEGORIES), asked.category)
    yes = [
        e
        for e in said
        if e.action is Action.GIVEN
        and e.purpose in purposes
        and e.category in categories
        and e.recipient in REACHED[asked.recipient_class]
        and (e.valid_until is None or e.valid_until > AT)
        and (e.explicit or not asked.explicit)
        and (notice := NOTICES.get((e.notice, e.notice_version))) is not None
        and notice.covers(asked.purpose, asked.category)
        and notice.stands
    ]
    last = max(yes, key=in_order)
    places = [e for e in said if e.jurisdiction is not None]
    assert max(places, key=in_order).jurisdiction == "CA"
    ages = [e for e in said if e.minor is not None]
    assert not ages or max(ages, key=in_order).minor is False
    assert answer.until == last.valid_until
    later = [e for e in said if (e.at, e.position) > (last.at, last.position)]
    assert not [
        e
        for e in later
        if e.recipient in ENDING[asked.recipient_class]
        and e.action is not Action.GIVEN
        and (e.purpose in purposes or asked.purpose in wider(dict(PURPOSES), e.purpose))
        and (e.category in categories or asked.category in wider(dict(CATEGORIES), e.category))
    ]


@given(asked=questions, said=events, purpose=purposes)
def test_a_no_never_lets_more_go(asked: Question, said: list[ConsentEvent], purpose: str) -> None:
    """Whatever was said before, one more withdrawal opens nothing; it names no place here."""
    no = replace(NO, position=20_000, purpose=purpose, at=AT, jurisdiction=None)
    if verify(asked, [*said, no], AT).excluded is None:
        assert verify(asked, said, AT).excluded is None


@given(asked=questions, said=events)
def test_a_no_to_what_is_asked_is_the_last_word(asked: Question, said: list[ConsentEvent]) -> None:
    """A withdrawal of just this, later than all else, excludes."""
    no = replace(NO, position=20_000, purpose=asked.purpose, category=asked.category, at=AT)
    assert verify(asked, [*said, no], AT).excluded is Exclusion.WITHDRAWN


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([], Exclusion.NEVER_ASKED),
        ([replace(YES, action=Action.REFUSED)], Exclusion.REFUSED),
        ([YES, NO], Exclusion.WITHDRAWN),
        ([YES, replace(NO, action=Action.REVOKED)], Exclusion.REVOKED),
        ([YES, replace(NO, action=Action.INVALIDATED)], Exclusion.INVALIDATED),
        ([YES, replace(NO, action=Action.EXPIRED)], Exclusion.EXPIRED),
        ([replace(YES, valid_until=AT - SECOND)], Exclusion.EXPIRED),
        ([replace(YES, purpose="dpv:Marketing")], Exclusion.WRONG_PURPOSE),
        ([replace(YES, category="pd:Location")], Exclusion.WRONG_CATEGORY),
        ([replace(YES, recipient="other")], Exclusion.WRONG_RECIPIENT),
        ([replace(YES, explicit=False)], Exclusion.NOT_EXPLICIT),
        ([replace(YES, notice="ads")], Exclusion.OLD_NOTICE),
        ([replace(YES, notice="gone")], Exclusion.OLD_NOTICE),
        ([replace(YES, notice="old")], Exclusion.OLD_NOTICE),
        ([replace(YES, jurisdiction=None)], Exclusion.JURISDICTION),
        ([replace(YES, jurisdiction="XX")], Exclusion.JURISDICTION),
        ([replace(YES, minor=True)], Exclusion.JURISDICTION),
        ([YES], None),
    ],
)
def test_each_reason(said: list[ConsentEvent], reason: Exclusion | None) -> None:
    """Each way of not having consented has its own reason."""
    assert excluded(*said) is reason


def test_reasons_have_an_order() -> None:
    """Of several reasons the first counts: ended, ran out, not explicit, old notice, jurisdiction.
    One more thing put right shows the next."""
    said = replace(YES, valid_until=AT, explicit=False, notice="old", jurisdiction=None)
    assert excluded(replace(said, action=Action.REVOKED)) is Exclusion.REVOKED
    assert excluded(said) is Exclusion.EXPIRED
    assert excluded(said := replace(said, valid_until=None)) is Exclusion.NOT_EXPLICIT
    assert excluded(said := replace(said, explicit=True)) is Exclusion.OLD_NOTICE
    assert excluded(said := replace(said, notice="all")) is Exclusion.JURISDICTION
    assert excluded(replace(said, jurisdiction="CA")) is None


def test_given_again_counts_again() -> None:
    """A yes after a withdrawal holds, and so does a yes after a refusal."""
    again = replace(YES, position=3, at=AT)
    assert excluded(YES, NO, again) is None
    assert excluded(replace(YES, action=Action.REFUSED), again) is None


def test_order_is_by_time_then_by_line() -> None:
    """What happened later counts, also when it was imported earlier; at one moment the later line
    counts."""
    assert excluded(replace(NO, position=1), replace(YES, position=9)) is Exclusion.WITHDRAWN
    assert excluded(replace(YES, at=NO.at), NO) is Exclusion.WITHDRAWN
    assert excluded(replace(YES, at=NO.at, position=3), NO) is None


def test_consent_ends_at_its_very_moment() -> None:
    """Consent holds until just before the moment it is valid until, and not at it."""
    said = replace(YES, valid_until=AT)
    assert excluded(said, at=AT - timedelta(microseconds=1)) is None
    assert excluded(said, at=AT) is Exclusion.EXPIRED
    assert verify(ASKED, [said], AT - SECOND).until == AT


@pytest.mark.parametrize(
    ("wide", "narrow"), [("dpv:ResearchAndDevelopment", "ai:ModelTraining"),
                         ("ai:AIDevelopment", "ai:ModelTesting"),
                         ("dpv:Marketing", "dpv:TargetedAdvertising")],
)  # fmt: skip
def test_a_wider_yes_covers_and_a_narrower_does_not(wide: str, narrow: str) -> None:
    """A yes to a wider purpose is a yes to a narrower one, never the other way round."""
    asked = replace(ASKED, purpose=narrow)
    assert excluded(replace(YES, purpose=wide), asked=asked) is None
    assert (
        excluded(replace(YES, purpose=narrow), asked=replace(ASKED, purpose=wide))
        is Exclusion.WRONG_PURPOSE
    )


def test_the_same_for_categories() -> None:
    """A yes to pictures covers profile pictures; a yes to profile pictures covers no pictures."""
    profile = replace(ASKED, category="pd:ProfilePicture")
    assert excluded(YES, asked=profile) is None
    assert excluded(replace(YES, category="pd:ProfilePicture")) is Exclusion.WRONG_CATEGORY


def test_a_narrower_no_takes_its_part_out_of_a_wider_yes() -> None:
    """Who said yes to research and no to model training has not said yes to all of research."""
    research = replace(ASKED, purpose="dpv:ResearchAndDevelopment", explicit=False)
    yes = replace(YES, purpose="dpv:ResearchAndDevelopment")
    assert excluded(yes, asked=research) is None
    assert excluded(yes, NO, asked=research) is Exclusion.WITHDRAWN
    profile = replace(NO, purpose="dpv:ResearchAndDevelopment", category="pd:ProfilePicture")
    assert excluded(yes, profile, asked=research) is Exclusion.WITHDRAWN
    assert excluded(yes, NO, replace(yes, position=3, at=AT), asked=research) is None


def test_a_no_beside_the_question_changes_nothing() -> None:
    """A withdrawal for another purpose, category or recipient leaves this consent as it is."""
    elsewhere = (
        replace(NO, purpose="dpv:Marketing"),
        replace(NO, category="pd:Age"),
        replace(NO, recipient="other"),
    )
    assert excluded(YES, *elsewhere) is None


def test_recipients() -> None:
    """A yes to anyone covers a partner; a no to that partner takes it out; a no to anyone ends a
    yes to that partner too."""
    assert excluded(replace(YES, recipient="ptr")) is None
    assert excluded(YES, replace(NO, recipient="ptr")) is Exclusion.WITHDRAWN
    assert excluded(replace(YES, recipient="ptr"), NO) is Exclusion.WITHDRAWN


@given(term=st.sampled_from(sorted(PURPOSES)), other=st.sampled_from(sorted(PURPOSES)))
def test_covering_is_an_order(term: str, other: str) -> None:
    """Every purpose covers itself, and of two different ones at most one covers the other."""
    assert covers(PURPOSES, term, term)
    if term != other:
        assert not (covers(PURPOSES, term, other) and covers(PURPOSES, other, term))
    assert covers(PURPOSES, other, term) == (other in wider(dict(PURPOSES), term))


def results(coverage: Coverage) -> dict[str, Result]:
    """The findings by name."""
    return {finding.check: finding.result for finding in report(coverage)}


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        (Coverage(0, 0, 0, 0, {}, 0), ("violation", "violation", "compliant")),
        (Coverage(4, 2, 0, 0, {"refused": 4}, 9), ("compliant", "violation", "gap")),
        (Coverage(4, 2, 2, 1, {"refused": 2}, 9), ("compliant", "compliant", "gap")),
        (Coverage(4, 2, 4, 2, {}, 9), ("compliant", "compliant", "compliant")),
    ],
)
def test_findings_of_a_count(coverage: Coverage, expected: tuple[str, str, str]) -> None:
    """An empty scope and one that nobody agreed to are violations; exclusions are for a person."""
    assert tuple(results(coverage).values()) == (*expected, "compliant")
    checks = ["scope_size", "subjects_covered", "objects_excluded", "notice_compatibility"]
    assert list(results(coverage)) == checks


def test_findings_name_the_numbers() -> None:
    """A reviewer reads how many subjects are covered, at which position, and why others are not."""
    told = " ".join(f.detail for f in report(Coverage(5, 3, 2, 1, {"withdrawn": 3}, 77)))
    for part in ("5 objects of 3 subjects", "1 of 3 subjects", "position 77", "3 withdrawn"):
        assert part in told
