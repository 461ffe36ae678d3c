"""A request over a dataset whose subjects lie scattered, with a random ledger of consents."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from sharing.consent import Action
from sharing.records import consents, datasets, notices, requests
from sharing.records.database import Database
from sharing.records.tables import now
from sharing.records.unit import Unit
from tests.records.desk import Desk, at_desk
from tests.walk import CATEGORY, PURPOSE

SUBJECTS, OBJECTS = 60, 240
PLACES = [*["CA"] * 7, None, None, "XX"]  # XX: nobody knows of such a place
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def said(chance: random.Random, partner: str, at: datetime) -> list[dict[str, Any]]:
    """A ledger of random events, most of them near to what is asked."""
    silent, elsewhere = 5, 2  # of the last subjects some said nothing, some spoke of ads only
    speakers = [f"s{n:03}" for n in range(SUBJECTS - silent)]
    purposes = [*[PURPOSE] * 6, "ai:AIDevelopment", "dpv:Marketing"]
    return [
        {
            "subject": (subject := chance.choice(speakers)),
            "purpose": "dpv:Marketing"
            if subject in speakers[-elsewhere:]
            else chance.choice(purposes),
            "category": chance.choice([*[CATEGORY] * 6, "pd:ProfilePicture", "pd:Age"]),
            "recipient": chance.choice(["*", "*", "*", partner, "ptr_other"]),
            "action": chance.choice(["given"] * 12 + list(Action)),
            "explicit": chance.random() < 0.85,
            "notice": chance.choice(["privacy"] * 6 + ["ads"]),
            "notice_version": "1",
            "at": at - chance.randrange(1, 40) * DAY,
            "valid_until": chance.choice([None, None, at - DAY / 2, at + DAY]),
            "jurisdiction": chance.choice(PLACES),
            "source": "test",
        }
        for _ in range(150)
    ]


@dataclass(slots=True)
class Shelf:
    """A request over a dataset whose subjects lie scattered over it."""

    desk: Desk
    request: str

    async def look(self, query: Any, *given: Any) -> Any:
        """A question about the request's row and its revision."""

        def ask(session: Session) -> Any:
            request = requests.get(session, self.request)
            return query(session, request, requests.revision_row(session, request), *given)

        return await self.desk.database.read(ask)


async def shelf(database: Database, home: Path, scope: dict[str, Any], seed: int) -> Shelf:
    """Random consents, and a request with this scope."""
    desk = await at_desk(database, home)
    chance = random.Random(seed)
    rows = [
        {"dataset_id": desk.world.dataset, "index_version": 2, "position": n, "path": f"{n}.jpg",
         "subject": f"s{chance.randrange(SUBJECTS):03}", "bytes": 10, "modified_ns": 0,
         "media_type": "image/jpeg", "taken_at": BEGIN + n * DAY}
        for n in range(OBJECTS)
    ]  # fmt: skip

    def fill(unit: Unit) -> None:
        datasets.discard_index(unit.session, desk.world.dataset, 1)
        datasets.append_objects(unit.session, rows)
        datasets.publish_index(unit.session, desk.world.dataset, 2)
        notices.add(unit.session, "ads", "1", "Ads.", ["dpv:Marketing"], [CATEGORY])
        consents.append(unit, said(chance, desk.world.partner, now()))

    await database.write(fill)
    request, _ = await desk.submitted(scope=scope, index=2)
    return Shelf(desk, request)


def scope(limit: int = 1000, **where: str) -> dict[str, Any]:
    """A scope of photographs."""
    return {"fields": ["photo"], "where": where, "limit": limit}
