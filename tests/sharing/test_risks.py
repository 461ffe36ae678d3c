"""What there is to weigh in a request, by what it asks and of whom."""

from dataclasses import replace
from typing import Any

import pytest

from sharing.risks import Known, risks

CALM = Known(
    objects=1_000_000,
    special_category=False,
    care="standard",
    encrypted=True,
    earlier=3,
    disputed=0,
    to_come_back=0,
)


def body(**changes: Any) -> dict[str, Any]:
    """A request with nothing to weigh, with some answers changed."""
    return {
        "scope": {"fields": ["photo"], "where": {}, "limit": 1000},
        "trains_models": False,
        "onward_recipients": [],
        "retention_days": 90,
        **changes,
    }


def names(given: dict[str, Any], known: Known = CALM) -> list[str]:
    """What there is to weigh, by name."""
    return [one.name for one in risks(given, known)]


def test_a_small_request_of_a_known_partner_has_nothing_to_weigh() -> None:
    """Where nothing stands out, nothing is said."""
    assert names(body()) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"trains_models": True}, "trains_models"),
        ({"onward_recipients": ["A", "B"]}, "onward"),
        ({"retention_days": 366}, "long"),
        ({"scope": {"where": {}, "limit": 600_000}}, "nearly_all"),
        ({"scope": {"where": {"taken_after": "2020-01-01"}, "limit": 100_000}}, "many"),
    ],
)
def test_each_answer_that_matters_is_told(changes: dict[str, Any], name: str) -> None:
    """Each of them alone is enough to be told."""
    assert name in names(body(**changes))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"special_category": True}, "special_category"),
        ({"care": "high"}, "care"),
        ({"disputed": 1}, "disputed"),
        ({"to_come_back": 2}, "to_come_back"),
        ({"earlier": 0}, "first"),
        ({"encrypted": False}, "plain"),
    ],
)
def test_what_is_known_of_dataset_and_partner_is_told(changes: dict[str, Any], name: str) -> None:
    """So is each thing on record beside the answers."""
    assert names(body(), replace(CALM, **changes)) == [name]


def test_what_cannot_be_undone_comes_first() -> None:
    """Grave things stand on top, and say so."""
    found = risks(body(trains_models=True, retention_days=900), replace(CALM, earlier=0))
    assert [one.grave for one in found] == sorted((one.grave for one in found), reverse=True)
    assert found[0].name == "trains_models"
