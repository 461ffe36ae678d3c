"""Conflict screening: one organisation under many spellings, and interests by their dates."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.conflict import Interest, InterestKind, Match, Organisation, report, same, screen
from sharing.stages import Result

LEI, OTHER_LEI = "5493001KJTIIGC8Y1R12", "254900OPPU84GM83MG36"
PARTNER = Organisation("Northlight Vision, Inc.", LEI)
PARENT = Organisation("Northlight Holding B.V.")
TODAY, DAY = date(2026, 6, 1), timedelta(days=1)
HELD = Interest("int_1", "per_1", PARTNER, InterestKind.FUND, date(2020, 1, 1))
FORMS = ("Inc", "Inc.", ", Inc.", "LLC", "L.L.C.", "Ltd", "Ltd.", "Limited", "plc", "PLC", "Corp.",
         "Corporation", "Company", "Co.", "GmbH", "G.m.b.H.", "GmbH & Co. KG", "AG", "SE", "S.A.",
         "SA", "S.A.S.", "S.p.A.", "S.r.l.", "B.V.", "BV", "N.V.", "A/S", "AB", "Oy", "KK",
         "Pty Ltd", "LLP", "L.P.", "Sarl")  # fmt: skip


def named(name: str, lei: str | None = None) -> Organisation:
    """An organisation as somebody wrote it down."""
    return Organisation(name, lei)


@pytest.mark.parametrize("form", FORMS)
def test_legal_forms_do_not_hide_a_tie(form: str) -> None:
    """A name with its legal form is the same organisation as without it, however it is written."""
    assert same(named(f"Northlight Vision {form}"), named("northlight vision"))
    assert same(named(f"Northlight Vision {form}"), named("NORTHLIGHT VISION Inc"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Société Générale", "SOCIETE GENERALE"),
        ("Müller & Söhne", "Muller & Sohne"),
        ("Smith & Sons", "Smith and Sons"),
        ("Straße AG", "Strasse AG"),
        ("North  Light\tVision", "North Light Vision"),
        ("O'Neil-Vision", "O Neil Vision"),
        ("\uff2e\uff4f\uff52\uff54\uff48", "North"),
        ("The Northlight Company", "Northlight"),
    ],
)
def test_spellings_do_not_hide_a_tie(one: str, other: str) -> None:
    """Accents, case, width, spaces, hyphens and small words do not tell organisations apart."""
    assert same(named(one), named(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Northlight Vision", "Northlight"),
        ("Northlight Vision", "Southlight Vision"),
        ("Sage Ltd", "Ltd"),
        ("Cosa", "Co"),
        ("Incorporated", "Limited"),
        ("\u5317\u5149", "\u5357\u5149"),
        ("!!!", "???"),
    ],
)
def test_different_names_are_different(one: str, other: str) -> None:
    """A shorter name, another word, or a name that is nothing but a legal form is not the same."""
    assert not same(named(one), named(other))


def test_identifier_beats_name() -> None:
    """With an identifier on both sides only that counts, in either case of letters; with one on
    one side the names count."""
    assert same(named("Old Name", LEI), named("New Name", LEI.lower()))
    assert not same(named("Northlight", LEI), named("Northlight", OTHER_LEI))
    assert same(named("Northlight", LEI), named("Northlight"))
    assert not same(named("Northlight", LEI), named("Southlight"))


@given(one=st.text(max_size=20), other=st.text(max_size=20))
def test_sameness_goes_both_ways(one: str, other: str) -> None:
    """An organisation is itself, and if one is the other then the other is the one."""
    assert same(named(one), named(one))
    assert same(named(one), named(other)) == same(named(other), named(one))


def found(*interests: Interest, on: date = TODAY) -> list[Match]:
    """What screening finds."""
    return screen(interests, PARTNER, [PARENT], on)


@pytest.mark.parametrize(
    ("since", "until", "counts"),
    [
        (TODAY, None, True),
        (TODAY + DAY, None, True),
        (TODAY + DAY, TODAY + 2 * DAY, True),
        (TODAY - DAY, TODAY, True),
        (TODAY - DAY, TODAY - DAY, False),
        (TODAY, TODAY, True),
    ],
)
def test_interests_count_to_their_last_day(since: date, until: date | None, counts: bool) -> None:
    """An interest counts from its declaration to its last day, also before it begins."""
    assert bool(found(replace(HELD, since=since, until=until))) == counts


def test_a_tie_to_a_parent_counts() -> None:
    """An interest in the partner or in a parent is found, and it is told which; another is not."""
    parent = replace(HELD, id="int_2", organisation=named("NORTHLIGHT HOLDING"))
    other = replace(HELD, id="int_3", organisation=named("Elsewhere"))
    matches = found(HELD, parent, other)
    assert [(m.interest.id, m.relation) for m in matches] == [
        ("int_1", "the partner"),
        ("int_2", "a parent of the partner"),
    ]


def results(matches: list[Match], sponsor: str | None, known: bool, parents: int) -> list[Result]:
    """The results of gate 3, in order."""
    return [f.result for f in report(matches, sponsor, known, [PARENT] * parents)]


def test_each_finding() -> None:
    """Every result of each check can be reached."""
    compliant, violation, gap = Result.COMPLIANT, Result.VIOLATION, Result.GAP
    match = Match(HELD, PARTNER, "the partner")
    assert results([], None, False, 1) == [compliant, compliant, compliant]
    assert results([match], "per_2", True, 0) == [gap, gap, gap]
    assert results([match], "per_1", True, 1) == [gap, violation, compliant]
    assert results([], "somebody", False, 1) == [compliant, gap, compliant]


def test_people_appear_by_id_only() -> None:
    """Findings name people by their ids, and say what the tie is."""
    told = report([Match(HELD, PARENT, "a parent of the partner")], None, False, [PARENT])[0].detail
    assert "per_1 (fund) in Northlight Holding B.V., a parent of the partner" in told
