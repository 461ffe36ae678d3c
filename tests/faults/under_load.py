"""A `clearance up` of its own process, and people who use it without a pause."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from api import parts
from api.home import command_line, recorded
from sharing.records import parties
from sharing.records.database import Database
from sharing.records.unit import Unit
from sharing.stages import GATE_ROLES, GATES, Role
from tests.faults.caller import Acknowledged, Caller, Json
from tests.faults.depot import until
from tests.faults.machine import SETTINGS
from tests.photos import fill
from tests.walk import BODY, CATEGORY, PURPOSE, populate

LOOK_EVERY = 0.2  # seconds


@dataclass(slots=True)
class Up:
    """`clearance up` on a fixed port of one home, started again as often as it is killed."""

    home: Path
    port: int
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where its API listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Returns once it says where everything is."""
        program = parts.program("up", "--home", str(self.home), "--port", str(self.port), "--json")
        with (self.home / "up.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *program,
                env={**os.environ, **SETTINGS},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 180)
        assert json.loads(line)["url"] == self.url, (self.home / "up.log").read_text()

    async def kill(self, name: str) -> None:
        """kill -9 for one part, as soon as it is up."""

        async def killed() -> bool:
            processes = recorded(self.home).get("processes")
            pid = processes.get(name) if isinstance(processes, dict) else None
            if isinstance(pid, int) and str(self.home) in command_line(pid):
                os.kill(pid, signal.SIGKILL)
                return True
            return False

        await until(killed, f"a running {name}")

    async def kill_itself(self) -> None:
        """kill -9 for `up`, which takes everything with it."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """Ends it politely."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(self.process.wait(), 180)


@dataclass(slots=True)
class Crowd:
    """A caller for each role, and the book of what they were told."""

    callers: dict[str, Caller]
    book: Acknowledged = field(default_factory=Acknowledged)

    async def walk(self) -> None:
        """One request from submission to delivery."""
        partner, book = self.callers["partner"], self.book
        view = await partner.post("/v1/requests", dict(BODY))
        request, digest = str(view["id"]), str(view["digest"])
        book.requests.append(request)
        for stage in GATES:
            await self._reaches(request, stage)
            body = {"stage": stage, "outcome": "approved", "digest": digest, "no_interest": True}
            caller = self.callers[GATE_ROLES[stage]]
            path = f"/v1/requests/{request}/decisions"
            taken = await caller.post(path, {**body, "reason": "Read and considered."})
            book.decisions.append((request, str(taken["decision"])))
        await self._reaches(request, "cleared")
        run = await self.callers["engineer"].post(
            f"/v1/requests/{request}/exports", {"digest": digest}
        )
        book.exports.append((request, str(run["id"])))
        await self.callers["second_engineer"].post(f"/v1/exports/{run['id']}/confirm", {})
        await self._reaches(request, "delivered")

    async def _reaches(self, request: str, state: str) -> None:
        async def there() -> bool:
            view = await self.callers["partner"].get(f"/v1/requests/{request}")
            return view["state"] == state and (state not in GATES or bool(view["waiting_for"]))

        await until(there, f"{state} of {request}", every=LOOK_EVERY, patience=180)


@asynccontextmanager
async def under_load(home: Path) -> AsyncIterator[tuple[Up, Crowd]]:
    """A running system with twenty people's photos and consent, and the crowd to use it."""
    home.mkdir()
    subjects = fill(home / "store" / "photos", 20)
    up = Up(home, _free_port())
    await up.start()
    try:
        async with Database(f"sqlite+aiosqlite:///{home}/clearance.sqlite3") as database:
            world = await populate(database, special_category=True)
            people = {**world.people, "partner": world.partner}
            tokens = await database.write(lambda unit: _tokens(unit, people))
        book = Acknowledged()
        callers = {who: Caller(up.url, token, book) for who, token in tokens.items()}
        await callers["admin"].post("/v1/datasets/profile-photos/index", {})
        await callers["admin"].post("/v1/consents", [_given(subject) for subject in subjects])
        yield up, Crowd(callers, book)
    finally:
        await up.stop()


def _tokens(unit: Unit, people: dict[str, str]) -> dict[str, str]:
    """A token for everybody."""
    issue, session = parties.issue_token, unit.session
    given = {}
    for who, id_ in people.items():
        role = Role.ENGINEER if who == "second_engineer" else Role(who)
        if role is Role.PARTNER:
            given[who] = issue(session, role, partner_id=id_)
        else:
            given[who] = issue(session, role, person_id=id_)
    return given


def _given(subject: str) -> Json:
    at = datetime.now(UTC).isoformat()
    event = {"subject": subject, "purpose": PURPOSE, "category": CATEGORY, "recipient": "*"}
    notice = {"notice": "privacy", "notice_version": "1", "at": at, "source": "test"}
    notice["jurisdiction"] = "CA"
    return {**event, **notice, "action": "given", "explicit": True}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
    return port
