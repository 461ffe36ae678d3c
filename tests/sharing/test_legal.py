"""Legal findings: each result of each check can be reached, and means what it says."""

from typing import Any

import pytest

from sharing.legal import LEGAL_BASES, SPECIAL_BASES, agreement_digest, agreement_terms, review
from sharing.stages import Result
from tests.walk import BODY

COMPLIANT, VIOLATION, GAP = Result.COMPLIANT, Result.VIOLATION, Result.GAP


def found(special: bool = True, terms: dict[str, Any] | None = None, longest: int = 1825,
          **changes: Any) -> dict[str, Result]:  # fmt: skip
    """The findings on a body, by check."""
    body = {**BODY, **changes}
    drafted = agreement_terms(body, "ptr") if terms is None else terms
    return {f.check: f.result for f in review(body, special, drafted, longest)}


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
    terms = {n: v for n, v in agreement_terms(BODY, "ptr").items() if n != name}
    finding = review(BODY, True, terms, 1825)[-1]
    assert (finding.check, finding.result) == ("agreement_terms", VIOLATION)
    assert name in finding.detail


def test_what_was_not_asked_for_is_prohibited() -> None:
    """A partner who does not train models or pass data on is forbidden to; one who does is not."""
    plain = agreement_terms({**BODY, "trains_models": False}, "ptr")["prohibitions"]
    asked = agreement_terms({**BODY, "onward_recipients": ["ptr_other"]}, "ptr")["prohibitions"]
    assert {"train_models", "onward_transfer"} <= set(plain)
    assert {"train_models", "onward_transfer"}.isdisjoint(asked)
    assert {"re_identify", "combine_with_other_data"} <= set(plain) & set(asked)


def test_duties_follow_the_request() -> None:
    """Erasure and its attestation are due when the retention asked for is over."""
    duties = {d["action"]: d for d in agreement_terms({**BODY, "retention_days": 9}, "p")["duties"]}
    assert duties["erase"]["within_days"] == duties["attest_erasure"]["within_days"] == 9
    assert {"notify_breach", "obey_recall"} <= set(duties)


@pytest.mark.parametrize(
    "changes",
    [{"purpose": "x"}, {"dataset": "x"}, {"retention_days": 1}, {"trains_models": False},
     {"onward_recipients": ["x"]}],
)  # fmt: skip
def test_other_terms_are_another_digest(changes: dict[str, Any]) -> None:
    """The digest that counsel's decision names changes with every term."""
    terms = agreement_terms(BODY, "ptr")
    assert agreement_digest(agreement_terms({**BODY, **changes}, "ptr")) != agreement_digest(terms)
    assert agreement_digest(agreement_terms(BODY, "other")) != agreement_digest(terms)
