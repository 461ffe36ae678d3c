"""Datasets with a table by HTTP: what is declared, who sees it, and what may be asked for."""

from typing import Any

import pytest

from sharing.records.datasets import Dataset
from sharing.records.unit import Unit
from tests.api.world import World, request_body

TABLE: dict[str, Any] = {
    "location": "profiles.parquet",
    "subject": "id",
    "columns": [
        {"name": "country", "category": "pd:Country"},
        {"name": "birthday", "category": "pd:Age", "forms": ["year", "decade"]},
        {"name": "diary", "category": "pd:Communication", "forms": ["drop"]},
    ],
}
JOINED = {
    "name": "joined",
    "location": "photos",
    "subject_from": "path:{subject}/*",
    "category": "pd:Picture",
    "special_category": False,
    "table": TABLE,
}
ALONE = {"name": "alone", "category": "pd:Demographic", "special_category": False, "table": TABLE}


def column(**changes: Any) -> dict[str, Any]:
    """A joined dataset whose only column is changed."""
    one = {"name": "country", "category": "pd:Country", **changes}
    return {**JOINED, "table": {**TABLE, "columns": [one]}}


async def test_a_declaration_is_kept_and_shown(here: World) -> None:
    """A partner is told the fields with their forms, and not where the table lies; an admin is."""
    for body in (JOINED, ALONE):
        answer = await here.post("admin", "/v1/datasets", body)
        assert answer.status_code == 201, answer.text
    shown = (await here.get("partner", "/v1/datasets/joined")).json()
    assert shown["fields"] == [
        {"name": "photo", "forms": ["keep"], "category": "pd:Picture"},
        {"name": "country", "forms": ["keep"], "category": "pd:Country"},
        {"name": "birthday", "forms": ["year", "decade"], "category": "pd:Age"},
    ]
    assert "table" not in shown
    assert "profiles.parquet" not in (await here.get("legal_counsel", "/v1/datasets/alone")).text
    whole = (await here.get("admin", "/v1/datasets/alone")).json()
    assert (whole["location"], whole["subject_from"]) == (None, None)
    assert whole["table"]["location"] == "profiles.parquet"
    assert [one["forms"] for one in whole["table"]["columns"]][2] == ["drop"]
    plain = (await here.get("partner", "/v1/datasets/profile-photos")).json()
    assert [one["name"] for one in plain["fields"]] == ["photo"]


@pytest.mark.parametrize(
    ("body", "field", "cure"),
    [
        ({**ALONE, "table": None}, "location", "give a `table`"),
        ({**JOINED, "subject_from": None}, "subject_from", "is required"),
        ({**JOINED, "table": {**TABLE, "source": "s"}}, "table", "either"),
        ({**JOINED, "table": {**TABLE, "location": None}}, "table", "either"),
        ({**JOINED, "table": {**TABLE, "columns": []}}, "table.columns", "at least 1"),
        ({**JOINED, "table": {**TABLE, "colums": []}}, "table.colums", "'columns'"),
        ({**JOINED, "table": {**TABLE, "columns": TABLE["columns"][2:]}}, "table", "dropped"),
        ({**JOINED, "table": {**TABLE, "columns": TABLE["columns"] * 2}}, "table", "twice"),
        (column(forms=["month"]), "table.columns.0.forms.0", "Use one of keep"),
        (column(forms=["region"]), "table.columns.0.forms.0", "from 1 to 20"),
        (column(forms=["keep", "keep"]), "table.columns.0", "twice"),
        (column(forms=["keep", "drop"]), "table.columns.0", "dropped"),
        (column(category="pd:Shoe"), "table.columns.0.category", "pd:Picture"),
        (column(name="photo"), "table.columns.0", "rename"),
        (column(name="a.b"), "table.columns.0.name", "pattern"),
        (column(name="a b"), "table.columns.0.name", "pattern"),
    ],
)
async def test_a_bad_declaration_is_named(
    shared: World, body: dict[str, Any], field: str, cure: str
) -> None:
    """What cannot be declared is refused by its path, with the cure."""
    answer = await shared.post("admin", "/v1/datasets", body)
    assert answer.status_code == 422, answer.text
    found = {error["path"]: error["message"] for error in answer.json()["errors"]}
    assert cure in found[field]


async def test_a_scope_is_recorded_with_its_forms(here: World) -> None:
    """A plain list of names keeps working; the form that a name stands for is written out, so that
    the digest covers it. What is not offered is refused by its path."""
    made = (await here.post("admin", "/v1/datasets", JOINED)).json()
    await here.database.write(lambda unit: _indexed(unit, made["id"]))
    scope = {"fields": ["photo", "country", "birthday"], "where": {}, "limit": 10}
    one = await here.submitted(dataset="joined", scope=scope)
    assert one["scope"]["fields"] == ["photo", "country", "birthday:year"]
    for i, (name, cure) in enumerate([("diary", "never"), ("birthday:keep", "year, decade")]):
        body = request_body(dataset="joined", scope={**scope, "fields": ["photo", name]})
        answer = await here.post("partner", "/v1/requests", body, key=f"k{i}")
        assert answer.status_code == 422
        error = answer.json()["errors"][0]
        assert error["path"] == "scope.fields.1"
        assert cure in error["message"]
    agreed = await here.post(
        "partner", "/v1/agreements/preview", request_body(dataset="joined", scope=scope)
    )
    assert "photo, country (as it is), birthday (its year)" in agreed.json()["text"]


def _indexed(unit: Unit, dataset_id: str) -> None:
    unit.session.get_one(Dataset, dataset_id).index_version = 1
