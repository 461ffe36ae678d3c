"""Which older versions of a notice still stand beside newer ones."""

from hypothesis import given
from hypothesis import strategies as st

from sharing.notice import comparisons, open_questions, overtaken

VERSIONS = [("privacy", "1"), ("ads", "1"), ("privacy", "2"), ("privacy", "3")]


def standing(decided: dict[tuple[str, str], bool]) -> set[str]:
    """The versions of the notice `privacy` that stand."""
    told = {("privacy", *pair): word for pair, word in decided.items()}
    fallen = overtaken(list(comparisons(VERSIONS, told)))
    return {version for name, version in VERSIONS if name == "privacy"} - {v for _, v in fallen}


def test_the_newest_stands_alone_until_somebody_decides() -> None:
    """Of three versions that nobody compared only the last stands."""
    assert standing({}) == {"3"}


def test_a_version_stands_beside_every_newer_one_or_not_at_all() -> None:
    """Compatible with the next version is not enough where a third is there."""
    assert standing({("1", "2"): True}) == {"3"}
    assert standing({("1", "2"): True, ("2", "3"): True}) == {"2", "3"}
    assert standing({("1", "2"): True, ("1", "3"): True}) == {"1", "3"}
    assert standing({("1", "2"): False, ("1", "3"): True}) == {"3"}


def test_notices_of_other_names_do_not_matter() -> None:
    """Versions are compared with those of the same name only."""
    pairs = [(p.name, p.older, p.newer) for p in comparisons(VERSIONS, {})]
    assert pairs == [("privacy", "1", "2"), ("privacy", "1", "3"), ("privacy", "2", "3")]


def test_nothing_is_asked_of_a_version_that_has_fallen() -> None:
    """Once a version is incompatible with one newer version, no question about it is open."""
    pairs = list(comparisons(VERSIONS, {("privacy", "1", "2"): False}))
    assert [(p.older, p.newer) for p in open_questions(pairs)] == [("2", "3")]


@given(st.dictionaries(st.tuples(st.sampled_from("123"), st.sampled_from("123")), st.booleans()))
def test_the_newest_always_stands(decided: dict[tuple[str, str], bool]) -> None:
    """No decision whatever takes the newest version down."""
    assert "3" in standing(decided)
