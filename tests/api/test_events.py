"""Events in order: as pages, and as a stream that goes on where it broke off."""

import asyncio
from typing import Any

import httpx2

from tests.api.served import served
from tests.api.world import World


async def read(
    world: World,
    http: httpx2.AsyncClient,
    count: int,
    last: str = "",
    who: str = "auditor",
    began: asyncio.Event | None = None,
) -> list[Any]:
    """The next events of the stream, behind `last`; `began` is set at the first."""
    headers = {"Authorization": f"Bearer {world.tokens[who]}", "Accept": "text/event-stream"}
    if last:
        headers["Last-Event-ID"] = last
    found: list[Any] = []
    async with asyncio.timeout(60), http.sse("/v1/events", headers=headers) as source:
        async for event in source:
            found.append(event)
            if began is not None:
                began.set()
            if len(found) == count:
                break
    return found


async def test_pages_of_events_join_up(there: World) -> None:
    """Walking the pages gives every event once, in gap-free order, as CloudEvents."""
    await there.submitted()
    seen: list[Any] = []
    cursor = None
    while True:
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        found = (await there.get("auditor", "/v1/events", **query)).json()
        seen += found["items"]
        if (cursor := found["next"]) is None:
            break
    assert [int(event["id"]) for event in seen] == list(range(1, len(seen) + 1))
    assert [event["type"] for event in seen][-2:] == [
        "clearance.request.submitted",
        "clearance.gate.opened",
    ]
    assert all(event["specversion"] == "1.0" and event["time"].endswith("Z") for event in seen)
    after = (await there.get("auditor", "/v1/events", after=seen[0]["id"])).json()["items"]
    assert after == seen[1:]


async def test_a_stream_goes_on_where_it_broke_off(there: World) -> None:
    """A reader that comes back with Last-Event-ID misses nothing and sees nothing twice."""
    await there.submitted()
    async with served(there.app) as http:
        first = await read(there, http, 1)
        rest = read(there, http, 3, last=first[0].id)
        later = asyncio.create_task(there.submitted(title="Later"))
        seen = [*first, *await rest]
        await later
    assert [event.id for event in seen] == ["1", "2", "3", "4"]
    assert [event.event for event in seen][2:] == [
        "clearance.request.submitted",
        "clearance.gate.opened",
    ]


async def test_a_partners_stream_holds_only_its_own(there: World) -> None:
    """Of two partners' events each stream carries the reader's own."""
    await there.submitted()
    other = await there.post("other", "/v1/requests", {**BODY, "dataset": "profile-photos"})
    assert other.status_code == 201
    async with served(there.app) as http:
        seen = await read(there, http, 2, who="other")
    assert {event.json()["data"]["request"] for event in seen} == {other.json()["id"]}


async def test_a_stream_ends_with_its_token(here: World) -> None:
    """When the token is revoked the stream ends by itself."""
    from sharing.records import parties

    await here.submitted()
    token = here.tokens["auditor"]
    async with served(here.app) as http:
        began = asyncio.Event()
        reading = asyncio.create_task(read(here, http, 1000, began=began))
        await asyncio.wait_for(began.wait(), 60)
        await here.database.write(lambda unit: parties.revoke_token(unit.session, token))
        here.app.state.backend.doorkeeper.forget()
        assert await asyncio.wait_for(reading, 60)


BODY = {
    "title": "T",
    "purpose": "ai:ModelTraining",
    "intended_use": "Train a model.",
    "scope": {"limit": 10},
    "legal_basis": "gdpr:A6-1-a",
    "retention_days": 30,
}
