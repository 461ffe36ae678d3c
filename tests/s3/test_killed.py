"""The export worker killed with -9 while it delivers to S3: the package is the one that a folder
gets, byte for byte, and nothing else is left."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api import parts
from sharing.export.bucket import Bucket, place
from tests.faults.machine import Machine, Moment, before_delivery, in_the_middle, machine
from tests.s3.conftest import get_folder, paths
from tests.s3.server import S3Server

pytestmark = pytest.mark.slow
TRIES = 5


@pytest.fixture
async def s3_machine(
    here: S3Server, delivery: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Machine]:
    """A system of real processes that delivers to S3."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    given = {"CLEARANCE_DELIVERY_URL": str(delivery)}
    async with machine(tmp_path / "home", given) as made:
        yield made


async def fetched(machine: Machine, export: str, folder: Path) -> Path:
    """Waits for the export's end; gives its package, fetched from S3."""
    row = await machine.well_ended(export)
    lies = place(row.location or "", "location")
    assert isinstance(lies, Bucket)
    return get_folder(lies, folder)


@pytest.mark.parametrize("moment", [in_the_middle, before_delivery])
async def test_killed_while_it_sends(
    s3_machine: Machine, delivery: Bucket, tmp_path: Path, moment: Moment
) -> None:
    """Killed between shards or during delivery, the export goes on by itself; its package is the
    same as an undisturbed one's, and no staged object and no scratch folder stays."""
    await s3_machine.cleared()
    whole = await fetched(s3_machine, await s3_machine.exporting(), tmp_path / "whole")
    for number in range(TRIES):
        await s3_machine.cleared()
        export = await s3_machine.exporting()
        hit = await s3_machine.killed_at(export, moment)
        got = await fetched(s3_machine, export, tmp_path / f"got{number}")
        for file in (*whole.glob("*.tar"), whole / "manifest.parquet"):
            assert file.read_bytes() == (got / file.name).read_bytes()
        assert {file.name for file in whole.iterdir()} == {file.name for file in got.iterdir()}
        assert not [path for path in paths(delivery) if path.startswith(".staging")]
        if hit:
            assert not list(Path(os.environ["TMPDIR"]).glob("clearance-scratch-*"))
            return
    raise AssertionError(f"never hit in {TRIES} runs: {moment.__doc__}")


async def test_only_the_export_worker_has_the_stores_keys(
    s3_machine: Machine, here: S3Server
) -> None:
    """No other running part has AWS_SECRET_ACCESS_KEY in its environment; the API has the
    address."""
    environs = {
        name: Path(f"/proc/{pid}/environ").read_text()
        for name, pid in s3_machine.system.processes.items()
    }
    holders = {name for name, text in environs.items() if "AWS_SECRET_ACCESS_KEY" in text}
    assert parts.EXPORT in holders
    assert holders <= {parts.EXPORT, "supervisor"}
    assert "AWS_ENDPOINT_URL" in environs[parts.API]
    assert "AWS_" not in environs[parts.CONTROL]
