"""The agreement: what a template and a request make, and when its duties are due."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sharing import agreement
from sharing.agreement import Kind, Span, Term, additions, drafted, due_dates, with_term
from sharing.agreement_file import in_force
from sharing.errors import Refused
from tests.walk import BODY

DELIVERED = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPORT = Term(Kind.DUTY, "report", "report what was found", within=Span("days", 9), after="recall")


def made(**changes: Any) -> dict[str, Any]:
    """The agreement of a body with some fields changed."""
    return drafted(in_force(), {**BODY, **changes}, "ptr", "Northlight Vision")


def actions(terms: dict[str, Any], kind: Kind) -> set[str]:
    """What an agreement is about, by kind."""
    return {term["action"] for term in terms[kind.plural]}


def test_what_was_not_asked_for_is_prohibited() -> None:
    """A partner who does not train models or pass data on must not; one who asked for it may."""
    plain = made(trains_models=False)
    asked = made(onward_recipients=["Lab B"])
    assert {"train_models", "onward_transfer"} <= actions(plain, Kind.PROHIBITION)
    assert {"train_models", "onward_transfer"}.isdisjoint(actions(plain, Kind.PERMISSION))
    assert {"train_models", "onward_transfer"}.isdisjoint(actions(asked, Kind.PROHIBITION))
    assert {"use", "train_models", "onward_transfer"} == actions(asked, Kind.PERMISSION)
    assert "re_identify" in actions(plain, Kind.PROHIBITION) & actions(asked, Kind.PROHIBITION)


def test_the_text_says_every_term() -> None:
    """Each term of the machine's list is a clause of the text that people read, word for word."""
    terms = made(onward_recipients=["Lab B"])
    listed = [term for kind in Kind for term in terms[kind.plural]]
    assert len(listed) > 8
    for number, term in enumerate(listed, 1):
        assert f"\n\n{number}. {term['text']}" in terms["text"]
    assert "Lab B" in terms["text"]
    assert "{" not in terms["text"]


@pytest.mark.parametrize(
    "changes",
    [{"purpose": "dpv:AcademicResearch"}, {"dataset": "x"}, {"retention_days": 1},
     {"trains_models": False}, {"onward_recipients": ["x"]}, {"intended_use": "x"}],
)  # fmt: skip
def test_other_terms_are_another_digest(changes: dict[str, Any]) -> None:
    """The digest that counsel's decision names changes with everything that the agreement says."""
    assert agreement.digest(made(**changes)) != agreement.digest(made())


def test_the_digest_is_the_partners_and_the_templates() -> None:
    """Another partner or another template is another digest; the same ones are the same."""
    other = drafted(in_force(), BODY, "ptr_other", "Northlight Vision")
    assert agreement.digest(made()) == agreement.digest(made())
    assert len({agreement.digest(made()), agreement.digest(other)}) == 2
    assert made()["template"] == {"version": in_force().version, "sha256": in_force().sha256}


def test_what_a_partner_wrote_is_no_clause() -> None:
    """An intended use that looks like further clauses stays one quoted line of the first part."""
    terms = made(intended_use="Research.”\n\n1. The recipient may keep the data for ever.")
    assert "\n\n1. The recipient may keep" not in terms["text"]
    assert terms["text"].count("\n\n1. ") == 1
    assert '“Research." 1. The recipient may keep the data for ever.”' in terms["text"]


def test_an_added_term_is_in_text_and_list() -> None:
    """A further term is a clause, a line in its list, a difference, and another digest; what it
    was added to stays as it was."""
    before = made()
    digest = agreement.digest(before)
    after = with_term(with_term(before, REPORT), Term(Kind.PROHIBITION, "sell", "sell the data"))
    assert agreement.digest(before) == digest != agreement.digest(after)
    assert after["text"].startswith(before["text"])
    assert after["text"].endswith(
        f"{agreement.FURTHER}\n\n1. The recipient must: report what was found"
        "\n\n2. The recipient must not: sell the data"
    )
    assert [(one["kind"], one["action"]) for one in additions(after)] == [
        ("prohibition", "sell"), ("duty", "report"),
    ]  # fmt: skip
    assert additions(before) == []


@pytest.mark.parametrize(
    ("kind", "action"), [(Kind.PERMISSION, "re_identify"), (Kind.PROHIBITION, "use")]
)
def test_an_agreement_does_not_contradict_itself(kind: Kind, action: str) -> None:
    """What is forbidden cannot be allowed beside it, nor the other way round."""
    with pytest.raises(Refused, match="contradict"):
        with_term(made(), Term(kind, action, "x"))


def test_duties_are_due_after_delivery() -> None:
    """Duties that count from delivery have dates, yearly ones a date a year, others none."""
    due = [
        (one.action, one.at - DELIVERED) for one in due_dates(made(retention_days=800), DELIVERED)
    ]
    year, end = timedelta(days=365), timedelta(days=800)
    assert due == [
        ("attest", year), ("attest", 2 * year), ("attest_erasure", end), ("erase", end),
    ]  # fmt: skip
    assert [one.action for one in due_dates(made(retention_days=30), DELIVERED)] == [
        "attest_erasure", "erase",
    ]  # fmt: skip


def test_an_hourly_duty_ends() -> None:
    """However often something is due, its dates can be listed."""
    often = Term(Kind.DUTY, "ping", "x", every=Span("hours", 1), after="delivery")
    due = due_dates(with_term(made(), often), DELIVERED)
    assert sum(one.action == "ping" for one in due) == agreement.MOST_DATES


def test_an_agreement_from_before_texts_can_be_read() -> None:
    """Terms without a text are shown as they are, and have no dates."""
    old = {"assignee": "ptr", "permissions": [], "prohibitions": ["re_identify"],
           "duties": [{"action": "erase", "within_days": 9}]}  # fmt: skip
    assert "re_identify" in agreement.readable(old)
    assert additions(old) == []
    assert due_dates(old, DELIVERED) == []
    with pytest.raises(Refused):
        with_term(old, Term(Kind.PERMISSION, "re_identify", "x"))
