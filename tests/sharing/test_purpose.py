"""Purpose findings: known, allowed, told to people, described."""

import pytest

from sharing.findings import Finding, findings_digest
from sharing.offered import Asked, Offer
from sharing.purpose import CATEGORIES, PURPOSES, NoticeTerms, needs_explicit, review
from sharing.stages import Result

COMPLIANT, VIOLATION, GAP = Result.COMPLIANT, Result.VIOLATION, Result.GAP
USE = "Train a face-matching model for a photo album application."
TOLD = NoticeTerms("privacy", "2", ("dpv:ResearchAndDevelopment",), ("pd:Picture",))
ADS = NoticeTerms("ads", "1", ("dpv:Marketing",), ("pd:Picture",))


def photo(category: str) -> tuple[Asked, ...]:
    """A scope of photographs of a category."""
    return Offer(True, category).asked(["photo"])


def found(purpose: str = "ai:ModelTraining", use: str = USE, category: str = "pd:Picture",
          allowed: list[str] | None = None, notices: tuple[NoticeTerms, ...] = (TOLD, ADS),
          ) -> dict[str, Finding]:  # fmt: skip
    """The findings of gate 1, by check."""
    return {f.check: f for f in review(purpose, use, photo(category), allowed, notices)}


def test_known() -> None:
    """A purpose of the vocabulary is explained; another is a violation."""
    assert found()["purpose_known"].result is COMPLIANT
    assert "Training AI models" in found()["purpose_known"].detail
    assert found("ai:WorldDomination")["purpose_known"].result is VIOLATION


@pytest.mark.parametrize(
    ("allowed", "result"),
    [
        (None, GAP),
        ([], GAP),
        (["ai:ModelTraining"], COMPLIANT),
        (["dpv:Marketing", "dpv:ResearchAndDevelopment"], COMPLIANT),
        (["ai:ModelTesting"], VIOLATION),
    ],
)
def test_allowed(allowed: list[str] | None, result: Result) -> None:
    """A dataset allows its purposes and what lies below them; if it doesn't say, a person must."""
    assert found(allowed=allowed)["purpose_allowed"].result is result


def test_a_narrower_allowance_is_not_a_wider_one() -> None:
    """A dataset that may be shared for model training may not be shared for all of research."""
    wide = found("dpv:ResearchAndDevelopment", allowed=["ai:ModelTraining"])
    assert wide["purpose_allowed"].result is VIOLATION


@pytest.mark.parametrize(
    ("notices", "category", "result"),
    [
        ((TOLD, ADS), "pd:Picture", COMPLIANT),
        ((TOLD,), "pd:ProfilePicture", COMPLIANT),
        ((TOLD,), "pd:Location", VIOLATION),
        ((ADS,), "pd:Picture", VIOLATION),
        ((), "pd:Picture", VIOLATION),
    ],
)
def test_told(notices: tuple[NoticeTerms, ...], category: str, result: Result) -> None:
    """A notice given to people must name the purpose and the category, or wider ones."""
    assert found(category=category, notices=notices)["notice_covers"].result is result


def test_a_notice_names_both_together() -> None:
    """Two notices, one naming the purpose and one the category, do not add up to one that does."""
    other = NoticeTerms("x", "1", ("dpv:Marketing",), ("pd:Location",))
    assert found(category="pd:Location", notices=(TOLD, other))["notice_covers"].result is VIOLATION


@pytest.mark.parametrize(
    ("use", "result"), [("one two three four", GAP), ("one two three four five", COMPLIANT),
                        ("", GAP), ("  a  b  c  d  ", GAP)],
)  # fmt: skip
def test_described(use: str, result: Result) -> None:
    """An intended use of fewer than five words is too short to publish."""
    assert found(use=use)["intended_use"].result is result


@pytest.mark.parametrize("vocabulary", [PURPOSES, CATEGORIES])
def test_vocabularies_are_trees(vocabulary: dict[str, object]) -> None:
    """Every parent is a word of the same vocabulary, and no word lies above itself."""
    for name, term in vocabulary.items():
        above, at = {name}, term
        while (parent := at.parent) is not None:  # type: ignore[attr-defined]
            assert parent in vocabulary
            assert parent not in above
            above.add(parent)
            at = vocabulary[parent]


def test_explicit_consent() -> None:
    """Special categories, sensitive categories and sensitive purposes need explicit consent."""
    assert needs_explicit("dpv:Marketing", "pd:Picture", special_category=True)
    assert needs_explicit("dpv:Marketing", "pd:FacialPrint", special_category=False)
    assert needs_explicit("ai:ModelTraining", "pd:Picture", special_category=False)
    assert not needs_explicit("dpv:Marketing", "pd:Picture", special_category=False)


def test_what_lies_below_something_sensitive_is_sensitive() -> None:
    """No word below one that needs explicit consent does without it."""
    for vocabulary in (PURPOSES, CATEGORIES):
        for name, term in vocabulary.items():
            if term.parent is not None and vocabulary[term.parent].explicit:
                assert term.explicit, name


def test_findings_have_a_digest_of_their_own() -> None:
    """Another result, sentence, check or order of findings is another digest to decide on."""
    one, two = Finding("a", COMPLIANT, "x"), Finding("b", GAP, "y")
    seen = [
        [one, two],
        [two, one],
        [one],
        [],
        [Finding("a", GAP, "x"), two],
        [Finding("a", COMPLIANT, "z"), two],
        [Finding("c", COMPLIANT, "x"), two],
    ]
    assert len({findings_digest(findings) for findings in seen}) == len(seen)
