"""A tie in words and numbers, and names that are alike."""

from datetime import date

import pytest

from sharing.alike import THRESHOLD, alike, score
from sharing.conflict import Interest, InterestKind, Leg, Match, Organisation
from sharing.ownership import BODS, GLEIF, Edge, EdgeKind, Named, worth
from sharing.ties import Strength, strength, words

FUND, HOLDINGS, PARTNER = (
    Named(1, "Aurora Fund"),
    Named(2, "Aurora Holdings"),
    Named(3, "Northlight"),
)
UP = (
    Leg(FUND, HOLDINGS, True, EdgeKind.OWNERSHIP, 0.2),
    Leg(HOLDINGS, PARTNER, True, EdgeKind.CONTROL),
)


def match(kind: InterestKind, *legs: Leg) -> Match:
    """An interest of somebody in the fund, and the way from there."""
    interest = Interest("int_1", "per_1", Organisation("Aurora Fund"), kind, date(2020, 1, 1))
    return Match(interest, Organisation("Aurora Fund"), "an owner of the partner", legs)


def test_a_path_is_told_as_a_sentence() -> None:
    """Words go from the person along each organisation to the partner, with shares where known."""
    assert words(match(InterestKind.EQUITY, *UP)) == (
        "per_1 holds a stake in Aurora Fund, which owns 20 % of Aurora Holdings, which controls "
        "Northlight"
    )
    down = Leg(FUND, PARTNER, False, EdgeKind.OWNERSHIP, 0.125)
    assert words(match(InterestKind.BOARD, down)) == (
        "per_1 sits on the board of Aurora Fund, which is owned by Northlight (12.5 %)"
    )


@pytest.mark.parametrize("kind", InterestKind)
@pytest.mark.parametrize("edge", EdgeKind)
def test_every_tie_has_words_and_a_number(kind: InterestKind, edge: EdgeKind) -> None:
    """Each kind of interest and each kind of edge can be told, both ways, above 0 and at most 1."""
    for owns in (True, False):
        told = match(kind, Leg(FUND, PARTNER, owns, edge))
        assert "Northlight" in words(told)
        assert 0 < strength(told).number <= 1


def test_strength_is_the_product_of_what_each_step_is_worth() -> None:
    """Shares multiply where they are known; a turn at a common owner halves."""
    assert strength(match(InterestKind.EMPLOYMENT)).number == 1
    assert strength(match(InterestKind.EMPLOYMENT, *UP)).number == pytest.approx(0.2)
    sister = (Leg(FUND, HOLDINGS, False, EdgeKind.CONTROL), UP[1])
    assert strength(match(InterestKind.EMPLOYMENT, *sister)).number == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.5, Strength.STRONG), (0.49, Strength.MODERATE), (0.1, Strength.MODERATE),
     (0.09, Strength.WEAK), (1e-12, Strength.WEAK)],
)  # fmt: skip
def test_classes_of_strength(share: float, said: Strength) -> None:
    """From a half on a tie is strong, from a tenth on moderate, below it weak."""
    leg = Leg(FUND, PARTNER, True, EdgeKind.OWNERSHIP, share)
    assert strength(match(InterestKind.BOARD, leg)).strength is said


def test_every_word_of_the_standards_has_a_kind() -> None:
    """Each relationship of GLEIF and each interest of BODS is of a kind that has a worth."""
    for kind in (*BODS.values(), *(kind for kind, _ in GLEIF.values())):
        assert 0 < worth(Edge(1, 2, kind)) <= 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Northlight Vision", "Nortlight Vision Inc."),
        ("Aurora Holdings", "Aurora Holding B.V."),
        ("Aurora Fund Management", "Management Aurora Funds"),
        ("Société Générale", "Societe Generall"),
    ],
)
def test_names_that_are_alike(one: str, other: str) -> None:
    """A letter more, less or other, or words in another order, is alike."""
    found = score(one, other)
    assert found is not None
    assert THRESHOLD <= found <= 100


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Northlight Vision", "Northlight Vision Inc"),
        ("Northlight Vision", "Westfield Vision"),
        ("Aurora Fund", "Aurora Bank"),
        ("ABC", "ABD"),
        ("Northlight", "Northlight Vision"),
    ],
)
def test_names_that_are_the_same_or_others(one: str, other: str) -> None:
    """The same name is no question, and neither is another word or a very short name."""
    assert score(one, other) is None


def test_pages_of_names_are_compared_as_one() -> None:
    """Every pair is compared, however many names there are."""
    near = [f"Kontor {n:05}" for n in range(1200)]
    found = alike(["Kontorr 01199", "Nothing of the kind"], near)
    assert (0, 1199) in {(ours, theirs) for ours, theirs, _ in found}
    assert {ours for ours, _, _ in found} == {0}
