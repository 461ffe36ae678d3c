"""Exports as engineers watch them over HTTP: the list, shards, failures, throughput, downloads."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from sharing.errors import NotYet, Refused
from tests.api.test_exports import Plane, delivered, triggered
from tests.api.world import World
from workflows.messages import ShardTask


async def shown(world: World, show: str, who: str = "engineer", **more: Any) -> list[Any]:
    """The items of one view."""
    answer = await world.get(who, "/v1/exports", show=show, **more)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


async def test_an_export_is_in_the_view_where_it_stands(here: World) -> None:
    """A cleared request is ready, then its export waits, runs, and has ended; each view says what
    the caller may do next, and why not."""
    view = await here.cleared()
    (ready,) = await shown(here, "ready")
    assert (ready["request"], ready["export"]) == (view["id"], None)
    assert (ready["act"], ready["may"], ready["why"]) == ("trigger", True, None)
    (none,) = await shown(here, "ready", "legal_counsel")
    assert (none["may"], none["why"]) == (False, "role")
    export = await triggered(here, view)
    assert await shown(here, "ready") == []
    (mine,), (theirs,) = [await shown(here, "waiting", who) for who in ("engineer", "engineer2")]
    assert (mine["act"], mine["may"], mine["why"]) == ("confirm", False, "same_person")
    assert (theirs["may"], theirs["triggered_by_name"]) == (True, "engineer")
    await here.post("engineer2", f"/v1/exports/{export['id']}/confirm")
    (runs,) = await shown(here, "running")
    assert (runs["export"], runs["state"], runs["act"]) == (export["id"], "running", "steer")
    assert "bytes_per_second" in runs["progress"]
    await here.post("engineer", f"/v1/exports/{export['id']}/cancel")
    (ended,) = await shown(here, "ended")
    assert (ended["state"], ended["code"]) == ("cancelled", "export_cancelled")


async def test_views_are_filtered_and_paged(here: World) -> None:
    """Words, partner and kind of end narrow a view; pages come one after the other, each export
    once."""
    ids = []
    for title in ("Pose estimation", "Face 100% matching", "Landmarks"):
        export = await triggered(here, await here.cleared(title=title))
        await here.post("engineer", f"/v1/exports/{export['id']}/cancel")
        ids.append(export["id"])
    (one,) = await shown(here, "ended", q="acme 100% MATCH")
    assert one["export"] == ids[1]
    assert await shown(here, "ended", partner=here.other) == []
    assert await shown(here, "ended", ended="failed") == []
    assert len(await shown(here, "ended", ended="cancelled", partner=here.partner)) == 3
    found, cursor = [], None
    while True:
        query = {"show": "ended", "limit": 1} | ({"cursor": cursor} if cursor else {})
        told = (await here.get("auditor", "/v1/exports", **query)).json()
        found += [item["export"] for item in told["items"]]
        if (cursor := told["next"]) is None:
            break
    assert found == ids[::-1]


async def test_a_delivered_export_tells_how_it_went(here: World, tmp_path: Path) -> None:
    """Its shards with attempts, how it moved, what was sealed; and what was fetched of it, file by
    file, once somebody has."""
    export = await delivered(here, tmp_path)
    path = f"/v1/exports/{export['id']}"
    (shard,) = (await here.get("auditor", f"{path}/shards")).json()["items"]
    assert (shard["shard"], shard["state"], shard["attempts"]) == (0, "committed", 1)
    assert (shard["objects"], shard["failures"]) == (6, [])
    moved = (await here.get("auditor", f"{path}/throughput")).json()
    assert bool(moved["seconds"]) == bool(moved["workers"])  # a pulse only after a second's work
    assert sum(part["bytes_per_second"] > 0 for part in moved["run"]) == 1
    view = (await here.get("auditor", path)).json()
    assert view["release"]["objects"] == 6
    assert len(view["release"]["manifest_sha256"]) == 64
    assert (await here.get("auditor", f"{path}/downloads")).json()["items"] == []

    def fetched(unit: Any) -> None:
        for action, more in (
            ("package.downloaded", {}),
            ("package.sent", {"bytes": 40, "complete": False}),
            ("package.downloaded", {"range": "bytes=40-"}),
            ("package.sent", {"bytes": 60, "complete": True}),
        ):
            told = {"export": export["id"], "file": "seal.json", **more}
            unit.audit(here.partner, action, view["request"], **told)

    await here.database.write(fetched)
    (file,) = (await here.get("auditor", f"{path}/downloads")).json()["items"]
    del file["at"]
    assert file == {"file": "seal.json", "asked": 2, "bytes": 100, "complete": 1}


async def test_an_attempt_that_failed_says_why(here: World, tmp_path: Path) -> None:
    """Where the photos are gone an attempt fails, by number and cause; the next one, when
    they are back, commits."""
    plane = Plane(here, tmp_path)
    await plane.index()
    export = await triggered(here, await here.cleared())
    await here.post("engineer2", f"/v1/exports/{export['id']}/confirm")
    run, photos = ActivityEnvironment().run, tmp_path / "store" / "photos"
    await run(plane.activities.plan_export, export["id"])
    photos.rename(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="cannot be read"):
        await run(plane.activities.export_shard, ShardTask(export["id"], 0))
    (tmp_path / "elsewhere").rename(photos)
    await run(plane.activities.export_shard, ShardTask(export["id"], 0))
    (shard,) = (await here.get("auditor", f"/v1/exports/{export['id']}/shards")).json()["items"]
    assert (shard["state"], shard["attempts"]) == ("committed", 2)
    ((attempt, code),) = [(f["attempt"], f["code"]) for f in shard["failures"]]
    assert (attempt, code) == (1, "source_missing")


async def test_a_pause_is_no_failure_of_an_attempt(here: World, tmp_path: Path) -> None:
    """A shard that was not begun because somebody paused the export has no failed attempt."""
    plane = Plane(here, tmp_path)
    await plane.index()
    export = await triggered(here, await here.cleared())
    await here.post("engineer2", f"/v1/exports/{export['id']}/confirm")
    run = ActivityEnvironment().run
    await run(plane.activities.plan_export, export["id"])
    await here.post("engineer", f"/v1/exports/{export['id']}/pause")
    with pytest.raises(NotYet):
        await run(plane.activities.export_shard, ShardTask(export["id"], 0))
    (shard,) = (await here.get("auditor", f"/v1/exports/{export['id']}/shards")).json()["items"]
    assert (shard["state"], shard["failures"]) == ("to_come", [])
