"""Legal findings: each result of each check can be reached, and means what it says."""

from typing import Any

import pytest

from sharing.agreement import drafted
from sharing.agreement_file import in_force
from sharing.errors import Refused
from sharing.legal import LEGAL_BASES, SPECIAL_BASES, demand_answered, review
from sharing.stages import Outcome, Result
from tests.walk import BODY

COMPLIANT, VIOLATION, GAP = Result.COMPLIANT, Result.VIOLATION, Result.GAP


def found(special: bool = True, terms: dict[str, Any] | None = None, longest: int = 1825,
          **changes: Any) -> dict[str, Result]:  # fmt: skip
    """The findings on a body, by check."""
    body = {**BODY, **changes}
    agreed = drafted(in_force(), body, "ptr", "P") if terms is None else terms
    return {f.check: f.result for f in review(body, special, agreed, longest)}


def test_a_body_in_order_is_compliant() -> None:
    """Explicit consent as the basis, retention within bounds, nobody else: nothing to object to."""
    assert set(found().values()) == {COMPLIANT}


@pytest.mark.parametrize(
    ("check", "result", "given"),
    [
        *(
            ("legal_basis", COMPLIANT if basis == "gdpr:A6-1-a" else GAP, {"legal_basis": basis})
            for basis in LEGAL_BASES
        ),
        *(
            (
                "special_category_basis",
                COMPLIANT if basis == "gdpr:A9-2-a" else GAP,
                {"special_category_basis": basis},
            )
            for basis in SPECIAL_BASES
        ),
        ("special_category_basis", VIOLATION, {"special_category_basis": None}),
        ("special_category_basis", COMPLIANT, {"special_category_basis": None, "special": False}),
        ("retention", COMPLIANT, {"retention_days": 1825}),
        ("retention", VIOLATION, {"retention_days": 1826}),
        ("retention", VIOLATION, {"retention_days": 31, "longest": 30}),
        ("models", VIOLATION, {"purpose": "dpv:AcademicResearch", "trains_models": True}),
        ("models", COMPLIANT, {"purpose": "dpv:AcademicResearch", "trains_models": False}),
        ("models", COMPLIANT, {"purpose": "ai:ModelTraining", "trains_models": False}),
        ("onward_transfer", GAP, {"onward_recipients": ["ptr_other"]}),
        ("agreement_terms", VIOLATION, {"terms": {"permissions": [1], "prohibitions": []}}),
    ],
)
def test_each_result(check: str, result: Result, given: dict[str, Any]) -> None:
    """Each check comes to the result that its rule says."""
    assert found(**given)[check] is result


@pytest.mark.parametrize("name", ["permissions", "prohibitions", "duties"])
def test_an_agreement_lacks_nothing(name: str) -> None:
    """An agreement without permissions, prohibitions or duties is a violation that names them."""
    terms = {n: v for n, v in drafted(in_force(), BODY, "ptr", "P").items() if n != name}
    finding = review(BODY, True, terms, 1825)[-1]
    assert (finding.check, finding.result) == ("agreement_terms", VIOLATION)
    assert name in finding.detail


def test_a_broken_promise_is_a_violation() -> None:
    """Each promise that the request goes against is told, word for word, in one violation."""
    agreed = drafted(in_force(), BODY, "ptr", "P")
    found = {f.check: f for f in review(BODY, True, agreed, 1825, ["One.", "Two."])}
    assert found["privacy_promise"].result is VIOLATION
    assert found["privacy_promise"].detail == "One. Two."


def promised(*broken: str) -> list[Any]:
    """The findings of a body in order, with these promises broken."""
    return review(BODY, True, drafted(in_force(), BODY, "ptr", "P"), 1825, broken)


@pytest.mark.parametrize("answers", [{}, {"privacy_promise": " "}, {"retention": "It is short."}])
def test_a_broken_promise_is_answered_in_words(answers: dict[str, str]) -> None:
    """Nobody approves over a broken promise without a word on it; the error names the field."""
    with pytest.raises(Refused) as refused:
        demand_answered(promised("It was."), Outcome.APPROVED, answers)
    assert refused.value.code == "invalid_body"
    assert [error.path for error in refused.value.errors] == ["answers.privacy_promise"]
    assert "It was." in refused.value.detail


@pytest.mark.parametrize(
    ("broken", "outcome", "answers"),
    [
        (["It was."], Outcome.APPROVED, {"privacy_promise": "Everybody said yes since."}),
        (["It was."], Outcome.REFUSED, {}),
        (["It was."], Outcome.RETURNED, {}),
        ([], Outcome.APPROVED, {}),
    ],
)
def test_what_needs_no_further_word(
    broken: list[str], outcome: Outcome, answers: dict[str, str]
) -> None:
    """An answered violation, a refusal, a return and a request without violation need no word."""
    demand_answered(promised(*broken), outcome, answers)


def test_only_a_promise_asks_for_words() -> None:
    """Other violations are approved with the reason alone, as ever."""
    agreed = drafted(in_force(), BODY, "ptr", "P")
    found = review({**BODY, "special_category_basis": None}, True, agreed, 1)
    assert sum(f.result is VIOLATION for f in found) == 2
    demand_answered(found, Outcome.APPROVED, {})


def test_an_answer_to_nothing_is_refused() -> None:
    """An answer to a check that the gate does not have is told with the checks that it has."""
    with pytest.raises(Refused, match=r"answers\.privacy: .* privacy_promise"):
        demand_answered(promised(), Outcome.APPROVED, {"privacy": "x"})


def test_a_place_to_push_to_goes_to_a_person() -> None:
    """Where the package would be put into a bucket, counsel is asked whose it is."""
    delivery = {"format": "webdataset", "push": "s3://bucket/in"}
    found = {f.check: f for f in review({**BODY, "delivery": delivery}, True, {}, 1825)}
    assert found["delivery_place"].result == "gap"
    assert "s3://bucket/in" in found["delivery_place"].detail
    assert "delivery_place" not in {f.check for f in review(BODY, True, {}, 1825)}
