"""Everything on one machine: it starts, holds its secrets apart, and survives being killed."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api import parts
from api.commands.token import issued
from api.home import HomeInUse, command_line
from api.http_client import Api
from api.up import NotStarted, System, running
from sharing.settings import SettingsError
from sharing.stages import Role
from tests.e2e.commands import PATIENCE

PARTS = (parts.TEMPORAL, parts.API, parts.CONTROL, parts.EXPORT)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
LOOPBACK, LISTENING = "0100007F", "0A"  # as /proc/net/tcp writes them

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A whole system on a fresh home, shared by this file's tests."""
    async with running(tmp_path_factory.mktemp("up") / "home") as system:
        yield system


@pytest.fixture(scope="module")
async def admin(system: System) -> AsyncIterator[Api]:
    """The first admin, let in from the command line."""
    async with Api(system.url, await issued(system.settings, "Ada", Role.ADMIN)) as api:
        yield api


async def test_every_part_serves(system: System) -> None:
    """When `running` gives the system, all four parts are up and the API is ready."""
    assert set(system.processes) == set(PARTS)
    async with httpx2.AsyncClient(trust_env=False) as http:
        for path in ("/readyz", "/docs"):
            assert (await http.get(system.url + path)).status_code == 200


@LINUX
@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        (parts.TEMPORAL, set()),
        (parts.API, {"DECISION_KEY", "PAYLOAD_KEYS", "DELIVERY_URL"}),
        (parts.CONTROL, {"PAYLOAD_KEYS"}),
        (
            parts.EXPORT,
            {"SIGNING_KEY", "PSEUDONYM_KEY", "PAYLOAD_KEYS", "STORE_URL", "DELIVERY_URL"},
        ),
    ],
)
async def test_a_part_is_given_only_its_own_secrets(
    system: System, name: str, secrets: set[str]
) -> None:
    """No part's environment names a key or a place of data that another part is for."""
    file = Path(f"/proc/{system.processes[name]}/environ")
    given = {entry.split("=")[0] for entry in file.read_text().split("\0")}
    watched = {"DECISION_KEY", "SIGNING_KEY", "PSEUDONYM_KEY", "PAYLOAD_KEYS"}
    watched |= {"STORE_URL", "DELIVERY_URL", "HOME", "TOKEN"}
    assert {word for word in watched if f"CLEARANCE_{word}" in given} == secrets


@LINUX
async def test_nothing_listens_outside_this_machine(system: System) -> None:
    """Every listening socket of every part is on 127.0.0.1."""
    sockets = {
        str(link.readlink())
        for pid in system.processes.values()
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink()
    }
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == LISTENING and f"socket:[{columns[9]}]" in sockets:
                found.append(columns[1].split(":")[0])
    assert len(found) >= 5  # the API, and Temporal's own
    assert set(found) == {LOOPBACK}


async def test_a_home_has_one_system(system: System) -> None:
    """A second system on the same home is refused while the first one runs."""
    with pytest.raises(HomeInUse, match=f"process {os.getpid()}"):
        async with running(system.settings.home):
            pass


async def test_a_taken_port_is_told(system: System, tmp_path: Path) -> None:
    """A port that somebody else listens on is a clear error that names the cure."""
    port = int(system.url.rsplit(":", 1)[1])
    with pytest.raises(NotStarted, match=rf"Port {port} .* --port"):
        async with running(tmp_path / "other", port):
            pass


async def test_another_engine_is_not_ignored(tmp_path: Path) -> None:
    """A Temporal address in the settings is refused, as this command runs a server of its own."""
    with pytest.raises(SettingsError, match="CLEARANCE_TEMPORAL_ADDRESS"):
        async with running(tmp_path / "x", None, {"CLEARANCE_TEMPORAL_ADDRESS": "host:7233"}):
            pass


@pytest.mark.parametrize("name", PARTS)
async def test_a_killed_part_comes_back(system: System, admin: Api, name: str) -> None:
    """After kill -9 of any part it is started again, and what was answered before is there."""
    partner = await admin.post("/v1/partners", {"name": f"Partner before {name} died"})
    killed = system.kill(name)
    names = [p["id"] async for p in admin.items("/v1/partners")]
    assert partner["id"] in names
    deadline = time.monotonic() + PATIENCE
    while system.processes.get(name) in (None, killed):
        assert time.monotonic() < deadline, f"the {name} was not started again"
        await asyncio.sleep(0.05)
    await system.ready()


async def test_callers_wait_while_the_api_is_down(system: System, admin: Api) -> None:
    """A call that comes while the API is being started again is answered, not refused."""
    system.kill(parts.API)
    assert await admin.get("/v1/me")


async def _up(home: Path) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *parts.program("up", "--home", str(home), "--port", "0", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
    assert line, (await process.communicate())[1].decode()
    return process, json.loads(line)


async def _gone(processes: dict[str, int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while any(command_line(pid) for pid in processes.values()):
        assert time.monotonic() < deadline, f"still there: {processes}"
        await asyncio.sleep(0.05)


async def test_up_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    """`up` says where everything is; killed with -9 it leaves nothing running; the next one has
    all that was answered; SIGTERM ends that one quietly with exit code 0."""
    first, told = await _up(tmp_path / "home")
    assert {link["role"] for link in told["sign_in"]} == set(Role) - {Role.SUBJECT}
    assert "consent import" in told["no_sign_in"]["subject"]
    assert len({link["url"] for link in told["sign_in"]}) == len(told["sign_in"])
    async with httpx2.AsyncClient(trust_env=False) as http:
        assert (await http.get(told["sign_in"][0]["url"])).status_code == 200
        assert (await http.get(told["temporal_ui"])).status_code == 200
    token = (tmp_path / "home" / "keys" / "up.token").read_text()
    first.kill()
    await first.wait()
    if sys.platform == "linux":
        await _gone(told["processes"])

    second, again = await _up(tmp_path / "home")
    assert (tmp_path / "home" / "keys" / "up.token").read_text() == token
    async with Api(again["url"], token) as api:
        entries = [entry["action"] async for entry in api.items("/v1/audit")]
    assert entries.count("sign_in.issued") == 2 * len(told["sign_in"])
    second.send_signal(signal.SIGTERM)
    _, err = await asyncio.wait_for(second.communicate(), PATIENCE)
    assert (second.returncode, err) == (0, b"")
    await _gone(again["processes"])
