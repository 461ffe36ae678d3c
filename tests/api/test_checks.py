"""Before a request is submitted: what is missing, what is wrong, and what will be asked."""

from pathlib import Path
from typing import Any

from tests.api.test_exports import code, delivered
from tests.api.world import World, request_body

CHECK = "/v1/requests/check"


def noted(view: dict[str, Any], result: str) -> dict[str, str]:
    """Checks that came to that, and the field that each is about."""
    return {
        one["check"]: one["field"]
        for gate in view["gates"]
        for one in gate["findings"]
        if one["result"] == result
    }


async def test_nothing_yet_is_all_missing(here: World) -> None:
    """Of an empty body every needed field is missing, none is wrong, and no gate can say a word."""
    view = (await here.post("partner", CHECK, {})).json()
    assert (view["ready"], view["errors"], view["gates"]) == (False, [], [])
    needed = {"title", "dataset", "purpose", "intended_use", "scope", "legal_basis"}
    assert needed | {"retention_days"} == set(view["missing"])


async def test_what_is_there_is_judged_as_at_the_gates(here: World) -> None:
    """What the check says of a whole body is what the machine finds at the first gate, and nothing
    is recorded by it."""
    body = request_body(intended_use="Research.", onward_recipients=["Cloud"])
    view = (await here.post("partner", CHECK, body)).json()
    assert (view["ready"], view["missing"], view["errors"]) == (True, [], [])
    assert [gate["stage"] for gate in view["gates"]][::3] == ["purpose_review", "legal_approval"]
    gaps = noted(view, "gap")
    assert gaps["intended_use"] == "intended_use"
    assert gaps["onward_transfer"] == "onward_recipients"
    assert (await here.get("partner", "/v1/requests")).json()["items"] == []
    seen = await here.seen(await here.submitted(intended_use="Research."))
    said = {k: v for k, v in view["gates"][0]["findings"][-1].items() if k != "field"}
    assert said in seen["stages"][0]["findings"]


async def test_what_is_absent_or_wrong_is_not_judged(here: World) -> None:
    """A finding about a field that is not there yet, or does not hold, is not told."""
    body = request_body(retention_days="soon", purpose=None)
    view = (await here.post("partner", CHECK, body)).json()
    assert [one["path"] for one in view["errors"]] == ["retention_days"]
    assert view["missing"] == ["purpose"]
    told = {**noted(view, "gap"), **noted(view, "violation"), **noted(view, "compliant")}
    assert "legal_basis" in told
    assert not {"retention", "purpose_known", "notice_covers", "models"} & set(told)


async def test_a_partner_learns_no_rule_of_the_policy(here: World) -> None:
    """A gate names its role and days: how many people a policy asks for, and who has an interest,
    is not in it."""
    view = (await here.post("partner", CHECK, request_body())).json()
    assert {tuple(gate) for gate in view["gates"]} == {
        ("stage", "role", "days", "unit", "findings")
    }
    assert view["gates"][2]["findings"] == []


async def test_duties_are_listed_by_date(here: World, tmp_path: Path) -> None:
    """Once a package is delivered, what is owed for it has dates; another partner owes nothing."""
    await delivered(here, tmp_path)
    # The plane hands the package over; the request's own end is the workflow's to record.
    view = (await here.get("partner", "/v1/duties")).json()
    assert set(view) == {"dated", "standing", "recalls"}
    assert (await here.get("other", "/v1/duties")).json() == {
        "dated": [],
        "standing": [],
        "recalls": [],
    }
    assert code(await here.get("admin", "/v1/duties"))[:2] == (403, "forbidden")
