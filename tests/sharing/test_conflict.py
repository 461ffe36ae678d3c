"""Conflict screening: one organisation under many spellings, and interests by their dates."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.conflict import (
    Alike,
    Interest,
    InterestKind,
    Match,
    Organisation,
    Screening,
    report,
    same,
)
from sharing.ownership import Named
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
    assert replace(HELD, since=since, until=until).counts_on(TODAY) == counts


MATCH = Match(HELD, PARTNER, "the partner")
NEAR = Alike(HELD, Named(1, "Northlight Visions"), "the partner", 97.0)
OWNED = Screening([], owners=["Northlight Holding B.V."])


def results(screening: Screening, sponsor: str | None, known: bool) -> list[Result]:
    """The results of gate 3, in order."""
    return [finding.result for finding in report(screening, sponsor, known)]


def test_each_finding() -> None:
    """Every result of each check can be reached."""
    compliant, violation, gap = Result.COMPLIANT, Result.VIOLATION, Result.GAP
    matched = Screening([MATCH], [NEAR])
    dismissed = replace(OWNED, alike=[replace(NEAR, ruling="dismissed", reason="Another firm.")])
    assert results(OWNED, None, False) == [compliant, compliant, compliant, compliant]
    assert results(matched, "per_2", True) == [gap, gap, gap, gap]
    assert results(replace(OWNED, matches=[MATCH]), "per_1", True)[2] is violation
    assert results(OWNED, "somebody", False) == [compliant, compliant, gap, compliant]
    assert results(dismissed, None, False) == [compliant, compliant, compliant, compliant]
    for doubt in ({"cut": True}, {"too_large": ["Huge"]}, {"over_all": ["Odd"]}):
        assert results(replace(OWNED, **doubt), None, False)[3] is gap, doubt


def test_people_appear_by_id_only() -> None:
    """Findings name people by their ids, and say what the tie is and how strong."""
    parent = Match(HELD, PARENT, "a parent of the partner")
    told = report(Screening([parent]), None, False)[0].detail
    assert "per_1 (fund) in Northlight Holding B.V., a parent of the partner" in told
    assert "strong, 0.8" in told


def test_a_name_that_was_dismissed_stays_told() -> None:
    """A name that is alike and was dismissed is told with the reason, and is no gap any more."""
    seen = report(
        Screening([], [replace(NEAR, ruling="dismissed", reason="Another firm")]), None, False
    )
    told = {finding.check: finding for finding in seen}["names_alike"]
    assert told.result is Result.COMPLIANT
    assert "Northlight Visions" in told.detail
    assert "Another firm" in told.detail
