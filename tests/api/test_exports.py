"""Exports and packages over HTTP: trigger, confirm, cancel, follow, and fetch by links."""

import base64
import json
import os
import shutil
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from temporalio.testing import ActivityEnvironment

from sharing.records.tables import now
from sharing.settings import Settings
from tests.api.served import served
from tests.api.world import SUBJECTS, World
from tests.photos import fill
from workflows.activities.indexing import Indexing
from workflows.activities.shards import ExportPlane
from workflows.messages import ShardTask


def secret() -> str:
    """A new random key as settings take it."""
    return base64.b64encode(os.urandom(32)).decode()


class Plane:
    """The export worker's own activities, run here one after another."""

    def __init__(self, world: World, home: Path) -> None:
        settings = Settings(
            home=home, signing_key=secret(), pseudonym_key=secret(), database_url=world.database.url
        )
        self.settings = replace(settings.resolved(), store_url=f"file://{home}/store")
        self._world = world
        self._run = ActivityEnvironment().run
        self.activities = ExportPlane(world.database, self.settings)
        fill(home / "store" / "photos", SUBJECTS, each=2)
        for i in range(SUBJECTS):  # the subjects of the world's consents
            (home / "store" / "photos" / f"s{i:03}").rename(home / "store" / "photos" / f"s{i}")

    async def index(self) -> None:
        """Scans the world's dataset."""
        await self._run(
            Indexing(self._world.database, self.settings).index_dataset, self._world.dataset
        )

    async def export(self, export_id: str) -> None:
        """Runs a confirmed export to its end."""
        plan = await self._run(self.activities.plan_export, export_id)
        for number in range(plan.shards):
            await self._run(self.activities.export_shard, ShardTask(export_id, number))
        assert (await self._run(self.activities.release_package, export_id)).released
        await self._run(self.activities.deliver_package, export_id)


async def triggered(world: World, view: dict[str, Any]) -> dict[str, Any]:
    """A new export of a cleared request; it waits for a second engineer."""
    path = f"/v1/requests/{view['id']}/exports"
    answer = await world.post("engineer", path, {"digest": view["digest"]})
    assert answer.status_code == 202, answer.text
    export: dict[str, Any] = answer.json()
    return export


async def delivered(world: World, home: Path) -> dict[str, Any]:
    """An export that was confirmed, run, released and delivered."""
    plane = Plane(world, home)
    await plane.index()
    export = await triggered(world, await world.cleared())
    confirmed = await world.post("engineer2", f"/v1/exports/{export['id']}/confirm")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "running")
    await plane.export(export["id"])
    return export


def code(answer: Any) -> tuple[int, str, str]:
    """Status, code and why of a refusal."""
    told = answer.json()
    return answer.status_code, told["code"], told.get("why", "")


async def test_an_export_waits_for_its_clearance(here: World) -> None:
    """A trigger before four approvals, or on another digest, is refused."""
    view = await here.submitted()
    path = f"/v1/requests/{view['id']}/exports"
    early = await here.post("engineer", path, {"digest": view["digest"]})
    assert code(early) == (409, "not_cleared", "")
    other = await here.post("engineer", path, {"digest": "0" * 64})
    assert code(other) == (409, "stale_digest", "")


async def test_a_clearance_runs_out(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trigger behind the clearance's end is refused as not_cleared (I22)."""
    view = await here.cleared()
    later = now() + timedelta(days=31)
    monkeypatch.setattr("sharing.records.standing.now", lambda: later)
    path = f"/v1/requests/{view['id']}/exports"
    answer = await here.post("engineer", path, {"digest": view["digest"]})
    assert code(answer) == (409, "not_cleared", "")
    assert "run out" in answer.json()["detail"]


async def test_one_export_is_live_at_a_time(here: World) -> None:
    """A second trigger while an export is under way is refused as export_live (I18)."""
    view = await here.cleared()
    await triggered(here, view)
    path = f"/v1/requests/{view['id']}/exports"
    answer = await here.post("engineer2", path, {"digest": view["digest"]})
    assert code(answer) == (409, "export_live", "")


async def test_the_second_engineer_is_another_one(here: World) -> None:
    """Whoever triggered cannot confirm; another engineer can, once (I21)."""
    export = await triggered(here, await here.cleared())
    path = f"/v1/exports/{export['id']}/confirm"
    assert code(await here.post("engineer", path)) == (403, "not_eligible", "same_person")
    waiting = (await here.get("engineer2", "/v1/reviews")).json()["items"]
    assert [(one["act"], one["export"]) for one in waiting] == [("confirm", export["id"])]
    assert (await here.get("engineer", "/v1/reviews")).json()["items"] == []
    assert (await here.post("engineer2", path)).json()["confirmed_by"] == here.people["engineer2"]
    assert code(await here.post("engineer2", path)) == (409, "wrong_state", "")


@pytest.mark.parametrize("who", ["engineer", "conflict_officer", "legal_counsel"])
async def test_an_export_can_be_stopped(here: World, who: str) -> None:
    """Engineer, conflict officer and counsel may cancel, the decider too; then it has ended."""
    export = await triggered(here, await here.cleared())
    answer = await here.post(who, f"/v1/exports/{export['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    again = await here.post(who, f"/v1/exports/{export['id']}/cancel")
    assert code(again) == (409, "wrong_state", "")


async def test_an_absent_export_is_not_found(here: World) -> None:
    """Every call on an export that does not exist is 404."""
    for path in ("/v1/exports/exp_0/confirm", "/v1/exports/exp_0/cancel"):
        assert code(await here.post("engineer", path)) == (404, "not_found", "")
    assert code(await here.get("engineer", "/v1/exports/exp_0")) == (404, "not_found", "")


async def test_a_package_is_fetched_by_links(there: World, tmp_path: Path) -> None:
    """A partner lists its package and fetches each file whole or in part, each time in the log."""
    export = await delivered(there, tmp_path)
    shown = (await there.get("partner", f"/v1/exports/{export['id']}")).json()
    assert shown["state"] == "delivered"
    assert shown["progress"]["objects"] == 2 * (SUBJECTS - 1)
    assert shown["excluded"] == {"never_asked": 2}
    assert "package" not in shown
    package = (await there.get("partner", f"/v1/exports/{export['id']}/package")).json()
    assert {"manifest.json", "manifest.parquet", "seal.json"} <= {
        f["path"] for f in package["files"]
    }
    for file in package["files"]:
        answer = await there.http.get(file["url"])
        assert (answer.status_code, len(answer.content)) == (200, file["bytes"])
    part = await there.http.get(package["files"][0]["url"], headers={"Range": "bytes=1-4"})
    assert (part.status_code, len(part.content)) == (206, 4)
    taken = [e for e in await there.audit() if e["action"] == "package.downloaded"]
    assert len(taken) == len(package["files"]) + 1
    assert {entry["actor"] for entry in taken} == {there.partner}


async def test_pages_of_a_package_join_up(here: World, tmp_path: Path) -> None:
    """Walking a package by its cursors gives each file once."""
    export = await delivered(here, tmp_path)
    path = f"/v1/exports/{export['id']}/package"
    whole = [f["path"] for f in (await here.get("partner", path)).json()["files"]]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        found = (await here.get("partner", path, **query)).json()
        seen += [file["path"] for file in found["files"]]
        if (cursor := found["next"]) is None:
            break
    assert seen == whole


async def test_a_link_is_for_one_file_and_a_time(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link with another path, a changed signature or behind its time opens nothing."""
    export = await delivered(here, tmp_path)
    package = (await here.get("partner", f"/v1/exports/{export['id']}/package")).json()
    link = next(f["url"] for f in package["files"] if f["path"] == "manifest.json")
    path = urlsplit(link).path
    base, token = path.rsplit("/", 1)[0].rsplit("/", 1)
    for other in (
        f"{base}/{token}/seal.json",
        f"{base}/{token}/../../../../etc/passwd",
        f"{base}/{token}/%2e%2e/%2e%2e/manifest.json",
        f"{base}/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}/manifest.json",
        f"{base}/{token.replace('.', '.9', 1)}/manifest.json",
        f"{base}/x/manifest.json",
    ):
        assert (await here.http.get(other)).status_code == 404, other
    assert (await here.http.get(path)).status_code == 200
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert code(await here.http.get(path)) == (403, "link_expired", "")


async def test_a_link_out_of_the_package_leads_nowhere(here: World, tmp_path: Path) -> None:
    """A symbolic link in the package's folder is not followed out of it."""
    export = await delivered(here, tmp_path)
    folder = Path((await here.get("engineer", f"/v1/exports/{export['id']}")).json()["package"])
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    shutil.copy(folder / "manifest.json", folder / "inside.txt")
    (folder / "leak.txt").symlink_to(outside)
    package = (await here.get("partner", f"/v1/exports/{export['id']}/package")).json()
    links = {file["path"]: file["url"] for file in package["files"]}
    assert (await here.http.get(links["inside.txt"])).status_code == 200
    assert "leak.txt" not in links


async def test_without_a_release_there_is_no_package(here: World) -> None:
    """Before the release row is there a package is refused, whatever lies on the disk."""
    export = await triggered(here, await here.cleared())
    answer = await here.get("partner", f"/v1/exports/{export['id']}/package")
    assert code(answer) == (409, "not_released", "")


async def test_progress_is_streamed_until_the_end(here: World) -> None:
    """The stream of an export begins with how it stands, tells each change, and then ends."""
    export = await triggered(here, await here.cleared())
    headers = {"Authorization": f"Bearer {here.tokens['partner']}", "Last-Event-ID": "6"}
    seen = []
    async with (
        served(here.app) as http,
        http.sse(f"/v1/exports/{export['id']}/events", headers=headers) as source,
    ):
        async for event in source:
            seen.append((event.id, json.loads(event.data)["state"]))
            if len(seen) == 1:
                await here.post("engineer", f"/v1/exports/{export['id']}/cancel")
    assert seen == [("7", "awaiting_confirmation"), ("8", "cancelled")]
