"""Bad input: each is a problem with a code, the field, and the cure; and nothing changes."""

from typing import Any

import pytest

from tests.api.bodies import DATASET, NOTICE
from tests.api.world import World, request_body

LONG = "x" * 201
DIGEST = "0" * 64
PEOPLE, INTERESTS, REQUESTS = "/v1/people", "/v1/interests", "/v1/requests"
DECISION = {
    "stage": "purpose_review",
    "outcome": "approved",
    "digest": DIGEST,
    "reason": "It holds.",
    "no_interest": True,
}
INTEREST = {
    "person": "engineer@example.org",
    "organisation": {"name": "Acme"},
    "kind": "equity",
    "from": "2020-01-01",
    "detail": "Shares.",
}


def scope(**changes: Any) -> dict[str, Any]:
    """A request body with a changed scope."""
    return request_body(scope={"fields": ["photo"], "where": {}, "limit": 10, **changes})


BAD = [
    # who, where, body, the field that is named, a word of the cure
    ("partner", REQUESTS, request_body(colour=1), "colour", "not known"),
    ("partner", REQUESTS, request_body(titel="x"), "titel", "'title'"),
    ("partner", REQUESTS, scope(limt=1), "scope.limt", "'limit'"),
    ("partner", REQUESTS, {}, "title", "required"),
    ("partner", REQUESTS, request_body(title=""), "title", "at least 1"),
    ("partner", REQUESTS, request_body(title=LONG), "title", "at most 200"),
    ("partner", REQUESTS, request_body(title="a\nb"), "title", "one line"),
    ("partner", REQUESTS, request_body(title="a\x00b"), "title", "control"),
    ("partner", REQUESTS, request_body(title=7), "title", "text"),
    ("partner", REQUESTS, request_body(dataset="profile-fotos"), "dataset", "'profile-photos'"),
    ("partner", REQUESTS, request_body(purpose="ai:Fun"), "purpose", "ai:ModelTraining"),
    ("partner", REQUESTS, request_body(intended_use="x" * 5001), "intended_use", "at most 5000"),
    ("partner", REQUESTS, request_body(legal_basis="because"), "legal_basis", "gdpr:A6-1-a"),
    (
        "partner",
        REQUESTS,
        request_body(special_category_basis="no"),
        "special_category_basis",
        "gdpr:A9-2-a",
    ),
    ("partner", REQUESTS, request_body(retention_days=0), "retention_days", "greater"),
    ("partner", REQUESTS, request_body(retention_days=10**9), "retention_days", "less"),
    ("partner", REQUESTS, request_body(retention_days="30"), "retention_days", "whole number"),
    ("partner", REQUESTS, request_body(retention_days=1.5), "retention_days", "whole number"),
    ("partner", REQUESTS, request_body(trains_models="yes"), "trains_models", "true or false"),
    ("partner", REQUESTS, request_body(delivery={"format": "zip"}), "delivery.format", "objects"),
    ("partner", REQUESTS, request_body(scope=[]), "scope", "JSON object"),
    ("partner", REQUESTS, scope(limit=-1), "scope.limit", "greater"),
    ("partner", REQUESTS, scope(limit=10**30), "scope.limit", "less"),
    ("partner", REQUESTS, scope(limit=True), "scope.limit", "whole number"),
    ("partner", REQUESTS, scope(fields=[]), "scope.fields", "at least 1"),
    ("partner", REQUESTS, scope(fields=["email"]), "scope.fields.0", "photo"),
    ("partner", REQUESTS, scope(fields=["photo", "photo"]), "scope.fields", "twice"),
    ("partner", REQUESTS, scope(where={"city": "x"}), "scope.where.city", "taken_after"),
    (
        "partner",
        REQUESTS,
        scope(where={"taken_after": "soon"}),
        "scope.where.taken_after",
        "2012-01-01",
    ),
    ("admin", "/v1/partners", {"name": "x", "lei": "5493001KJTIIGC8Y1R13"}, "lei", "check digits"),
    ("admin", "/v1/partners", {"name": "x", "lei": "short"}, "lei", "18 letters"),
    ("admin", "/v1/partners", {"name": "x", "age_recipient": "age1"}, "age_recipient", "age1..."),
    (
        "admin",
        "/v1/partners",
        {"name": "x", "parents": [{"name": "y", "share": 2}]},
        "parents.0.share",
        "less",
    ),
    ("admin", "/v1/partners", {"name": "x", "parents": [{"nme": "y"}]}, "parents.0.nme", "'name'"),
    ("admin", PEOPLE, {"name": "x", "email": "nobody", "roles": []}, "email", "e-mail"),
    ("admin", PEOPLE, {"name": "x", "email": "a@b", "roles": ["king"]}, "roles.0", "auditor"),
    (
        "admin",
        PEOPLE,
        {"name": "x", "email": "a@b", "roles": [], "partner": "ptr_0"},
        "partner",
        "its id",
    ),
    ("admin", "/v1/tokens", {"role": "admin"}, "person", "either"),
    ("admin", "/v1/tokens", {"person": "nobody", "role": "admin"}, "person", "e-mail"),
    ("admin", "/v1/tokens", {"person": "engineer@example.org", "role": "admin"}, "role", "hold"),
    ("admin", "/v1/tokens", {"partner": "ptr_0", "role": "partner"}, "partner", "its id"),
    ("admin", "/v1/datasets", {**DATASET, "name": "a b"}, "name", "pattern"),
    ("admin", "/v1/datasets", {**DATASET, "category": "pd:Shoe"}, "category", "pd:Picture"),
    ("admin", "/v1/datasets", {**DATASET, "special_category": 1}, "special_category", "true"),
    ("admin", "/v1/datasets", {**DATASET, "subject_from": "guess"}, "subject_from", "{subject}"),
    ("admin", "/v1/datasets", {**DATASET, "purposes": ["dpv:Fun"]}, "purposes.0", "dpv:"),
    ("admin", "/v1/notices", {**NOTICE, "purposes": []}, "purposes", "at least 1"),
    ("admin", "/v1/notices", {**NOTICE, "categories": ["x"]}, "categories.0", "pd:"),
    ("conflict_officer", INTERESTS, {**INTEREST, "person": "nobody"}, "person", "e-mail"),
    ("conflict_officer", INTERESTS, {**INTEREST, "kind": "love"}, "kind", "equity"),
    ("conflict_officer", INTERESTS, {**INTEREST, "from": "1.1.2020"}, "from", "2024-05-31"),
    ("conflict_officer", INTERESTS, {**INTEREST, "from": 20200101}, "from", "2024-05-31"),
    ("conflict_officer", INTERESTS, {**INTEREST, "until": "2019-01-01"}, "until", "before"),
]


@pytest.mark.parametrize(
    ("who", "path", "body", "field", "cure"), BAD, ids=[f"{p[1]}:{p[3]}:{p[4]}" for p in BAD]
)
async def test_a_bad_field_is_named_with_its_cure(
    shared: World, who: str, path: str, body: object, field: str, cure: str
) -> None:
    """A body with one bad field gets 422 that names the field and what would be accepted."""
    answer = await shared.post(who, path, body)
    told = answer.json()
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["code"] == "invalid_body"
    assert {"type", "title", "status", "detail"} <= set(told)
    assert [
        error for error in told["errors"] if error["path"] == field and cure in error["message"]
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"no_interest": False}, "no_interest"),
        ({"no_interest": 1}, "no_interest"),
        ({"no_interest": None}, "no_interest"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 5001}, "reason"),
        ({"outcome": "expired"}, "outcome"),
        ({"stage": "export"}, "stage"),
        ({"stage": "purpose"}, "stage"),
        ({"digest": 7}, "digest"),
        ({"verdict": 1}, "verdict"),
    ],
)
async def test_a_bad_decision_decides_nothing(
    here: World, change: dict[str, Any], field: str
) -> None:
    """A decision with one bad field gets 422 for it, and the gate stays open."""
    view = await here.submitted()
    path = f"/v1/requests/{view['id']}/decisions"
    body = {**DECISION, "digest": view["digest"], **change}
    answer = await here.post("purpose_reviewer", path, body)
    assert answer.status_code == 422
    assert field in [error["path"] for error in answer.json()["errors"]]
    assert (await here.seen(view, "purpose_review"))["stages"][0]["decisions"] == []


@pytest.mark.parametrize("field", ["stage", "outcome"])
async def test_choices_are_told_as_they_are_written(shared: World, field: str) -> None:
    """A value that is no choice gets the choices in the API's own words, not in Python's."""
    path = "/v1/requests/req_0/decisions"
    told = (await shared.post("purpose_reviewer", path, {**DECISION, field: "x"})).json()
    assert f"{field}: must be '{DECISION[field]}', '" in told["detail"]
    assert "<" not in told["detail"]


@pytest.mark.parametrize("missing", ["no_interest", "reason", "digest", "stage", "outcome"])
async def test_a_decision_needs_all_its_fields(shared: World, missing: str) -> None:
    """A decision without one of its fields gets 422 that says it is required."""
    body = {name: value for name, value in DECISION.items() if name != missing}
    answer = await shared.post("purpose_reviewer", "/v1/requests/req_0/decisions", body)
    assert answer.json()["errors"] == [{"path": missing, "message": "is required."}]


@pytest.mark.parametrize(
    ("sent", "kind", "status", "code"),
    [
        (b"{bad", "application/json", 400, "invalid_json"),
        (b"[" * 100_000, "application/json", 400, "invalid_json"),
        (b'{"name": ' + b"1" * 5000 + b"}", "application/json", 400, "invalid_json"),
        (b"[]", "application/json", 422, "invalid_body"),
        (b"", "application/json", 422, "invalid_body"),
        (b'{"name": "\\ud800"}', "application/json", 422, "invalid_body"),
        (b"{}", "", 415, "unsupported_media_type"),
        (b"name=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"a" * 10_000_000, "application/json", 413, "body_too_large"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    shared: World, sent: bytes, kind: str, status: int, code: str
) -> None:
    """What is not a JSON object within the limit is a problem with a code, and never a crash."""
    headers = {"Content-Type": kind} if kind else {}
    answer = await shared.call("admin", "POST", "/v1/partners", content=sent, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_long_body_is_refused_before_it_is_read(shared: World) -> None:
    """A body without a declared length is refused as soon as it passes the limit."""
    sent = 0

    async def pieces() -> Any:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b"a" * 100_000

    headers = {"Content-Type": "application/json"}
    answer = await shared.call("admin", "POST", "/v1/partners", content=pieces(), headers=headers)
    assert answer.status_code == 413
    assert sent < 20


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/requests/%00", 404, "not_found"),
        ("GET", "/v1/requests/..%2f..%2fetc", 404, "not_found"),
        ("GET", "/v1/requests/" + "x" * 2000, 404, "not_found"),
        ("PUT", "/v1/requests", 405, "method_not_allowed"),
        ("GET", "/v1/requests?limit=0", 422, "invalid_body"),
        ("GET", "/v1/requests?limit=201", 422, "invalid_body"),
        ("GET", "/v1/requests?limit=many", 422, "invalid_body"),
        ("GET", "/v1/requests?state=odd", 422, "invalid_body"),
        ("GET", "/v1/requests?cursor=odd", 422, "invalid_body"),
        ("GET", "/v1/audit?cursor=WyJhIl0", 422, "invalid_body"),
        ("GET", "/v1/events?after=-1", 422, "invalid_body"),
    ],
)
async def test_a_bad_address_is_a_problem_too(
    shared: World, method: str, path: str, status: int, code: str
) -> None:
    """Addresses, methods and query parameters are refused in the same form as bodies."""
    answer = await shared.call("admin", method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unforeseen_failure_shows_nothing_of_itself(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is 500 with a code, and neither its words nor a traceback leave."""

    async def broken() -> None:
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr(here.engine, "ready", broken)
    answer = await here.get("", "/readyz")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text
