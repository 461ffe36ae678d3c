"""What people are called, say and are shown in stays out of the engine, the logs and the ids (I25).

A whole system is walked through, refusals and broken photos included, with canaries wherever
somebody's data goes in. Then all that it left outside of its database and photo store is searched.
"""

import re
import sqlite3
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.commands.dataset import scanned
from api.commands.token import issued
from api.http_client import Api, ApiProblem
from api.up import System, running
from sharing.stages import GATE_ROLES, GATES, Role
from tests.faults.depot import until
from tests.photos import photo
from tests.walk import BODY, CATEGORY, PURPOSE
from workflows.client import connect

pytestmark = pytest.mark.slow

CANARIES = {
    "name": "Zebulon Quackenbush",
    "address": "zebulon.quackenbush",
    "reason": "because Petronella likes her aunt",
    "subject": "wilhelmina-1987",
    "object": "beach-at-Lowestoft",
    "organisation": "Pumpernickel Brothers",
    "detail": "inherited from uncle Bartholomew",
    "title": "Eyebrows of Suffolk",
    "use": "to tell cousins apart",
}
IDS = re.compile(r"(share-request|export|index-dataset):[a-z]{3}_[0-9a-f]{20}")


@dataclass(slots=True)
class Walked:
    """A home in which everything has happened and nothing runs any more, and what the engine
    showed of its workflows while it did: (id, everything else about it)."""

    home: Path
    request: str
    workflows: list[tuple[str, str]]


@dataclass(slots=True)
class Office:
    """A caller for each role; everybody has the canary's name and address."""

    system: System
    admin: Api
    callers: dict[str, Api]
    people: dict[str, str]


async def office(system: System, stack: AsyncExitStack) -> Office:
    """Everybody, let in over HTTP."""
    token = await issued(system.settings, "Ada", Role.ADMIN)
    admin = await stack.enter_async_context(Api(system.url, token))
    made = Office(system, admin, {}, {})
    partner = await admin.post("/v1/partners", {"name": CANARIES["organisation"]})
    holders = {"partner": ("partner", partner["id"], Role.PARTNER)}
    roles = {str(role): role for role in (*GATE_ROLES.values(), Role.ENGINEER)}
    for number, (who, role) in enumerate({**roles, "second": Role.ENGINEER}.items()):
        body = {
            "name": f"{CANARIES['name']} {number}",
            "email": f"{CANARIES['address']}.{number}@example.org",
            "roles": [role],
        }
        holders[who] = ("person", (await admin.post("/v1/people", body))["id"], role)
    for who, (kind, id_, role) in holders.items():
        given = await admin.post("/v1/tokens", {kind: id_, "role": role})
        made.callers[who] = await stack.enter_async_context(Api(system.url, given["token"]))
        made.people[who] = id_
    return made


async def held(there: Office) -> None:
    """Photos, one of them broken and one that vanishes, consent, and an interest."""
    folder = there.system.settings.home / "store" / "photos" / CANARIES["subject"]
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{CANARIES['object']}-{number}.jpg").write_bytes(photo(number))
    (folder / f"{CANARIES['object']}-broken.jpg").write_bytes(photo(9)[:300])
    notice = {"name": "privacy", "version": "1", "text": "We may share photos to train AI."}
    await there.admin.post(
        "/v1/notices", {**notice, "purposes": [PURPOSE], "categories": [CATEGORY]}
    )
    dataset = {"name": BODY["dataset"], "location": "photos", "category": CATEGORY}
    await there.admin.post(
        "/v1/datasets", {**dataset, "special_category": True, "subject_from": "path:{subject}/*"}
    )
    await scanned(there.admin, BODY["dataset"])
    (folder / f"{CANARIES['object']}-0.jpg").unlink()
    said = {"subject": CANARIES["subject"], "purpose": PURPOSE, "category": CATEGORY}
    event = {**said, "recipient": "*", "action": "given", "explicit": True, "notice": "privacy"}
    moment = {"notice_version": "1", "at": "2024-01-01T00:00:00Z", "source": "test"}
    moment["jurisdiction"] = "CA"
    await there.admin.post("/v1/consents", [{**event, **moment}])
    await there.callers[Role.CONFLICT_OFFICER].post(
        "/v1/interests",
        {
            "person": there.people["second"],
            "organisation": {"name": "Elsewhere"},
            "kind": "fund",
            "from": "2012-01-01",
            "detail": CANARIES["detail"],
        },
    )


async def refused(there: Office, who: str, path: str, body: dict[str, Any]) -> None:
    """Something that must not go through, with all that was said in it."""
    with pytest.raises(ApiProblem):
        await there.callers[who].post(path, body)


async def walked(there: Office) -> str:
    """From submission to delivery, with refusals on the way; gives the request."""
    partner = there.callers["partner"]
    body = {**BODY, "title": CANARIES["title"], "intended_use": CANARIES["use"]}
    await refused(there, "partner", "/v1/requests", {**body, CANARIES["name"]: CANARIES["reason"]})
    request = await partner.post("/v1/requests", body)
    path, digest = f"/v1/requests/{request['id']}", request["digest"]

    async def reaches(state: str) -> None:
        async def there_now() -> bool:
            view = await partner.get(path)
            return view["state"] == state and (state not in GATES or bool(view["waiting_for"]))

        await until(there_now, state)

    decision = {"outcome": "approved", "digest": digest, "reason": CANARIES["reason"]}
    for stage in GATES:
        await reaches(stage)
        act = {**decision, "stage": stage, "no_interest": True}
        await refused(there, "engineer", f"{path}/decisions", act)
        await refused(there, GATE_ROLES[stage], f"{path}/decisions", {**act, "digest": "0" * 64})
        await there.callers[GATE_ROLES[stage]].post(f"{path}/decisions", act)
    await reaches("cleared")
    export = await there.callers["engineer"].post(f"{path}/exports", {"digest": digest})
    await there.callers["second"].post(f"/v1/exports/{export['id']}/confirm", {})
    await reaches("delivered")
    shown = await there.callers["engineer"].get(f"/v1/exports/{export['id']}")
    assert shown["excluded"] == {"unreadable": 2}
    return str(request["id"])


@pytest.fixture(scope="module")
async def left(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """What the walk has left behind."""
    home = tmp_path_factory.mktemp("privacy") / "home"
    async with running(home, overrides={"CLEARANCE_LOG_LEVEL": "DEBUG"}) as system:
        async with AsyncExitStack() as stack:
            there = await office(system, stack)
            await held(there)
            request = await walked(there)
        client = await connect(system.settings)
        shown = [
            (found.id, f"{found.raw_info} {await found.memo()} {found.typed_search_attributes}")
            async for found in client.list_workflows()
        ]
    return Walked(home, request, shown)


def found_in(files: list[Path]) -> set[tuple[str, str]]:
    """(canary, file) for each canary in each file."""
    return {
        (what, file.name)
        for file in files
        for what, canary in CANARIES.items()
        if canary.encode() in file.read_bytes()
    }


def files(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return sorted(file for file in folder.rglob("*") if file.is_file())


def test_nothing_personal_in_the_engine_or_the_logs(left: Walked) -> None:
    """No canary is in Temporal's file, in a log, or in anything else outside the database."""
    database = [*left.home.glob("clearance.sqlite3*")]
    outside = [
        file
        for file in files(left.home)
        if file not in database and not file.is_relative_to(left.home / "store")
    ]
    names = {file.name for file in outside}
    assert names >= {"temporal.sqlite3", "api.log", "control-worker.log", "export-worker.log"}
    told = b"".join(file.read_bytes() for file in outside if file.name.startswith("temporal.sq"))
    assert left.request.encode() in told  # so that what is in there can be found
    assert {what for what, _ in found_in(database)} == CANARIES.keys()  # and was really said
    delivered = {file for file in outside if file.is_relative_to(left.home / "delivered")}
    assert found_in([file for file in outside if file not in delivered]) == set()
    # The partner's own words about its own request are all that goes back to it.
    assert {what for what, _ in found_in(sorted(delivered))} <= {"title", "use"}


def test_nothing_personal_in_ids_and_attributes(left: Walked) -> None:
    """Workflow ids are opaque, and no canary is in what the engine shows of a workflow."""
    assert len(left.workflows) == 3
    for name, shown in left.workflows:
        assert IDS.fullmatch(name)
        assert [what for what, canary in CANARIES.items() if canary in shown] == []


@pytest.mark.parametrize(("table", "column"), [("event", "data"), ("audit_entry", "detail")])
def test_nothing_personal_in_events(left: Walked, table: str, column: str) -> None:
    """Events and log entries hold ids, codes and numbers, and no canary."""
    with closing(sqlite3.connect(left.home / "clearance.sqlite3")) as database:
        told = [str(row) for (row,) in database.execute(f"SELECT {column} FROM {table}")]
    assert len(told) > 20
    assert [what for what, canary in CANARIES.items() if canary in " ".join(told)] == []
