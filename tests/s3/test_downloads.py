"""Packages in S3, fetched through the API: in whole and in part, each time in the log."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from sharing.export.bucket import Bucket
from sharing.export.verify import verify
from sharing.keys import signing_key
from tests.api.test_exports import Plane, triggered
from tests.api.world import SUBJECTS, World, request_body, world
from tests.s3.conftest import get_folder
from tests.s3.server import READER, S3Server
from workflows.activities.shards import ExportPlane


@pytest.fixture
async def there(
    sqlite_url: str, tmp_path: Path, here: S3Server, delivery: Bucket
) -> AsyncIterator[tuple[World, dict[str, Any], Plane]]:
    """An API, and an export delivered to S3 by the keys of the export worker."""
    async with world(sqlite_url, tmp_path) as made:
        plane = Plane(made, tmp_path)
        plane.settings = replace(plane.settings, delivery_url=str(delivery))
        plane.activities = ExportPlane(made.database, plane.settings)
        plane._run = ActivityEnvironment().run
        await plane.index()
        push = {"format": "webdataset", "push": f"s3://partner/{delivery.prefix}"}
        export = await triggered(made, await made.cleared(delivery=push))
        await made.post("engineer2", f"/v1/exports/{export['id']}/confirm")
        await plane.export(export["id"])
        yield made, export, plane


async def test_a_package_in_s3_is_fetched_by_links(
    there: tuple[World, dict[str, Any], Plane], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With keys that only read, the API hands over each file, in whole or by Range; what came
    verifies, and each download is in the log. Without keys it says what to set."""
    office, export, plane = there
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    path = f"/v1/exports/{export['id']}/package"
    refused = await office.get("partner", path)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_served_here")
    assert "CLEARANCE_DELIVERY_READ_KEY" in refused.json()["detail"]
    backend = office.app.state.backend
    key = replace(backend.settings, delivery_read_key=f"{READER.id}:{READER.secret}")
    office.app.state.backend = replace(backend, settings=key)
    listed = (await office.get("partner", path)).json()["files"]
    for file in listed:
        answer = await office.http.get(file["url"])
        assert (answer.status_code, len(answer.content)) == (200, file["bytes"])
        (tmp_path / "got").mkdir(exist_ok=True)
        (tmp_path / "got" / file["path"]).write_bytes(answer.content)
    public = signing_key(plane.settings.signing_key, "key").public_key()
    assert verify(tmp_path / "got", public).objects == 2 * (SUBJECTS - 1)
    await parts_are_right(office, listed[0]["url"], (tmp_path / "got" / listed[0]["path"]))
    taken = [e for e in await office.audit() if e["action"] == "package.downloaded"]
    assert len(taken) == len(listed) + 7
    assert (await office.http.get(listed[0]["url"].replace(".json", ".jsom"))).status_code == 404


async def test_a_package_is_pushed_where_counsel_approved(
    there: tuple[World, dict[str, Any], Plane], delivery: Bucket, tmp_path: Path
) -> None:
    """The package lies in the partner's own bucket too, and verifies; partner and staff see where,
    the audit log says so, and another place would have been another digest."""
    office, export, plane = there
    lies = Bucket("s3://partner", delivery.prefix) / export["id"]
    for who in ("partner", "engineer"):
        shown = (await office.get(who, f"/v1/exports/{export['id']}")).json()
        assert shown["pushed_to"] == str(lies)
    public = signing_key(plane.settings.signing_key, "key").public_key()
    checked = verify(get_folder(lies, tmp_path / "theirs"), public)
    assert checked.objects == 2 * (SUBJECTS - 1)
    (entry,) = [e for e in await office.audit() if e["action"] == "package.pushed"]
    assert str(lies) in str(entry)
    view = (await office.get("partner", f"/v1/requests/{export['request']}")).json()
    assert view["digest"] == export["digest"]


async def test_only_a_plain_prefix_may_be_pushed_to(sqlite_url: str, tmp_path: Path) -> None:
    """Any other place is refused at submission by its field; a place changes the digest's body, and
    without one the body is as it was."""
    async with world(sqlite_url, tmp_path) as office:
        for url in ("file:///etc", "s3://key:secret@bucket/a", "s3://bucket/a/../b"):
            body = request_body(delivery={"format": "webdataset", "push": url})
            answer = await office.post("partner", "/v1/requests", body)
            assert answer.status_code == 422, url
            assert [e["path"] for e in answer.json()["errors"]] == ["delivery.push"]
        plain = await office.submitted(delivery={"format": "webdataset"})
        assert "push" not in str(plain)


async def parts_are_right(office: World, url: str, file: Path) -> None:
    """Every kind of range is answered as RFC 9110 says."""
    whole, size = file.read_bytes(), file.stat().st_size
    tag = (await office.http.get(url)).headers["etag"]
    for asked, status, body in (
        ({"Range": "bytes=1-4"}, 206, whole[1:5]),
        ({"Range": "bytes=5-"}, 206, whole[5:]),
        ({"Range": "bytes=-7"}, 206, whole[-7:]),
        ({"Range": "bytes=5-", "If-Range": tag}, 206, whole[5:]),
        ({"Range": "bytes=5-", "If-Range": '"other"'}, 200, whole),
    ):
        answer = await office.http.get(url, headers=asked)
        assert (answer.status_code, answer.content) == (status, body), asked
        assert status != 206 or answer.headers["content-range"].endswith(f"/{size}")
    past = await office.http.get(url, headers={"Range": f"bytes={size}-"})
    assert (past.status_code, past.headers["content-range"]) == (416, f"bytes */{size}")
    assert past.json()["code"] == "range_not_satisfiable"
