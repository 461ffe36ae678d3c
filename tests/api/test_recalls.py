"""Recall items over HTTP: for those inside item by item, for the partner as counts."""

import json
from pathlib import Path
from typing import Any

import pytest

from sharing.records.tables import now
from tests.api.test_exports import Plane
from tests.api.world import World


def word(subject: str, action: str) -> dict[str, Any]:
    """What a subject says about model training."""
    return {"subject": subject, "purpose": "ai:ModelTraining", "category": "pd:ProfilePicture",
            "recipient": "*", "action": action, "explicit": True, "notice": "privacy",
            "notice_version": "3", "at": now().isoformat(), "source": "test"}  # fmt: skip


@pytest.fixture
async def released(there: World, tmp_path: Path) -> str:
    """A released export of s0, s1 and s2, of whom two withdrew and one refused afterwards."""
    plane = Plane(there, tmp_path)
    await plane.index()
    view = await there.cleared()
    path = f"/v1/requests/{view['id']}/exports"
    export: str = (await there.post("engineer", path, {"digest": view["digest"]})).json()["id"]
    await there.post("engineer2", f"/v1/exports/{export}/confirm", {})
    await plane.export(export)
    said = [word("s0", "withdrawn"), word("s1", "withdrawn"), word("s2", "refused")]
    answer = await there.post("consent_steward", "/v1/consents", said)
    assert answer.json()["accepted"] == 3, answer.text
    return export


async def test_items_are_listed_page_by_page(there: World, released: str) -> None:
    """Those inside see each item with its subject and reason, in the order in which consents
    ended, and no page leaves one out; nothing of it is personal in a cursor."""
    seen: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        found = (await there.get("consent_steward", "/v1/recalls", limit=1, **cursor)).json()
        seen += found["items"]
        if found["next"] is None:
            break
        cursor = {"cursor": found["next"]}
    assert [(i["subject"], i["reason"], i["objects"]) for i in seen] == [
        ("s0", "withdrawn", 2),
        ("s1", "withdrawn", 2),
        ("s2", "refused", 2),
    ]
    assert {(i["export"], i["partner"], i["state"]) for i in seen} == {
        (released, there.partner, "open")
    }
    of_another = (await there.get("auditor", "/v1/recalls", export="exp_other")).json()
    assert of_another == {"items": [], "next": None}


async def test_a_partner_sees_counts_of_its_own(there: World, released: str) -> None:
    """The partner sees how many are to come back from which export and why, page by page, and
    never a subject; another partner sees nothing."""
    first = (await there.get("partner", "/v1/recalls", limit=1)).json()
    rest = (await there.get("partner", "/v1/recalls", cursor=first["next"])).json()
    assert [(i["export"], i["reason"], i["items"], i["objects"])
            for i in (*first["items"], *rest["items"])] == [
        (released, "refused", 1, 2),
        (released, "withdrawn", 2, 4),
    ]  # fmt: skip
    assert rest["next"] is None
    assert "subject" not in json.dumps([first, rest])
    assert (await there.get("other", "/v1/recalls")).json()["items"] == []


async def test_an_export_counts_its_recalls(there: World, released: str) -> None:
    """An export says how many subjects and objects are to come back; its partner is told of it as
    an event, in counts."""
    view = (await there.get("partner", f"/v1/exports/{released}")).json()
    assert view["recalls"] == {"items": 3, "objects": 6}
    told = (await there.get("partner", "/v1/events", limit=200)).json()["items"][-1]
    assert (told["type"], told["subject"]) == ("clearance.recall_item.opened", released)
    counts = {name: told["data"][name] for name in ("items", "objects", "reasons")}
    assert counts == {"items": 3, "objects": 6, "reasons": {"refused": 1, "withdrawn": 2}}


@pytest.mark.parametrize("who", ["auditor", "partner"])
async def test_a_cursor_that_no_page_gave_is_refused(there: World, who: str) -> None:
    """A made-up cursor is a bad field, and no error of the database's."""
    answer = await there.get(who, "/v1/recalls", cursor="bm9uc2Vuc2U")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "cursor"
