"""A partner reads no exact count of consent before the release, by whatever way it looks."""

import json
import re
from pathlib import Path
from typing import Any

from sharing.stages import Role
from tests.api.test_exports import Plane, delivered, triggered
from tests.api.visitor import visiting
from tests.api.world import SUBJECTS, World

EXACT = rf"\b({SUBJECTS}|{SUBJECTS - 1}|{2 * SUBJECTS - 2})\b"
GATE2 = ("scope_size", "subjects_covered", "objects_excluded")


def findings(view: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Result and detail of gate 2's findings."""
    stage = next(one for one in view["stages"] if one["stage"] == "consent_verification")
    return {one["check"]: (one["result"], one["detail"]) for one in stage["findings"]}


async def test_the_partner_reads_no_count_of_gate_2(there: World, tmp_path: Path) -> None:
    """People inside read how many agreed; the partner, that few people are not spoken of: in the
    request, in the list, in answers to its own acts, and on its pages."""
    await Plane(there, tmp_path).index()
    view = await there.submitted()
    await there.decide(view, "purpose_review")
    exact = findings(await there.seen(view))
    assert exact["subjects_covered"][1].startswith(f"{SUBJECTS - 1} of {SUBJECTS} subjects")
    own = (await there.get("partner", f"/v1/requests/{view['id']}")).json()
    listed = (await there.get("partner", "/v1/requests")).json()["items"][0]
    gone = (await there.post("partner", f"/v1/requests/{view['id']}/withdraw")).json()
    for one in (own, listed, gone):
        told = findings(one)
        assert set(told) == set(exact)
        assert told["scope_size"] == ("compliant", "Fewer than 100 objects are in scope.")
        assert [told[name][0] for name in GATE2[1:]] == ["gap", "gap"]
        for name in GATE2:
            assert not re.search(
                rf"\b({SUBJECTS}|{SUBJECTS - 1}|{2 * SUBJECTS - 2})\b", told[name][1]
            )
    async with visiting(there, Role.PARTNER) as (partner,):
        page = (await partner.open(f"/requests/{view['id']}")).text
    assert told["subjects_covered"][1].split(":")[0] in page
    assert exact["subjects_covered"][1] not in page


async def test_what_everybody_said_is_not_told_by_a_result(there: World, tmp_path: Path) -> None:
    """A scope of one person reads the same to the partner whether that person agreed or not."""
    await Plane(there, tmp_path).index()
    told = []
    for limit in (1, 2 * SUBJECTS):  # the first object is of somebody who agreed
        view = await there.submitted(scope={"fields": ["photo"], "where": {}, "limit": limit})
        await there.decide(view, "purpose_review")
        own = (await there.get("partner", f"/v1/requests/{view['id']}")).json()
        told.append(findings(own))
    assert told[0] == told[1]


async def test_an_export_has_whole_shards_until_it_is_released(
    there: World, tmp_path: Path
) -> None:
    """While it runs the partner reads shards, and no count that hangs on what anybody said; nor
    does it in the events, or from what was erased."""
    plane = Plane(there, tmp_path)
    await plane.index()
    view = await there.cleared()
    export = await triggered(there, view)
    path = f"/v1/exports/{export['id']}"
    own = (await there.get("partner", path)).json()
    assert own["progress"]["rough"] is True
    assert (own["progress"]["objects"], own["progress"]["excluded"], own["excluded"]) == (0, 0, {})
    assert "rough" not in (await there.get("engineer", path)).json()["progress"]
    assert (await there.post("engineer", f"{path}/cancel")).status_code == 200
    own = (await there.get("partner", f"/v1/requests/{view['id']}")).json()["exports"][0]
    assert own["progress"]["rough"] is True
    told = (await there.get("partner", "/v1/events", limit=200)).json()["items"]
    counts = [one for one in told if {"objects", "bytes", "excluded"} & set(one["data"])]
    assert counts == []


async def test_what_was_released_is_told_exactly(there: World, tmp_path: Path) -> None:
    """After the delivery the counts are those of the partner's own manifest."""
    export = await delivered(there, tmp_path)
    own = (await there.get("partner", f"/v1/exports/{export['id']}")).json()
    inside = (await there.get("engineer", f"/v1/exports/{export['id']}")).json()
    assert "rough" not in own["progress"]
    for name in ("progress", "excluded", "release"):
        assert json.dumps(own[name]) == json.dumps(inside[name])
