"""A small world to test in: people, partners, a dataset with an index, and calls in their name."""

import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from api.app import create_app
from api.backend import Backend
from sharing.records import consents, datasets, notices, parties
from sharing.records.database import Database
from sharing.records.unit import Unit
from sharing.settings import Settings
from sharing.stages import GATE_ROLES, GATES, Role, Stage
from tests.api.bodies import CONSENT
from tests.api.engine import DirectEngine

LEI = "5493001KJTIIGC8Y1R12"
SUBJECTS = 4


def request_body(**changes: Any) -> dict[str, Any]:
    """A request that can be cleared, with some fields changed."""
    return {
        "title": "Face matching research",
        "dataset": "profile-photos",
        "purpose": "ai:ModelTraining",
        "intended_use": "Train a face matching model for research.",
        "scope": {"fields": ["photo"], "where": {}, "limit": 1000},
        "legal_basis": "gdpr:A6-1-a",
        "special_category_basis": "gdpr:A9-2-a",
        "retention_days": 365,
        "trains_models": True,
        "onward_recipients": [],
        "sponsor": None,
        "delivery": {"format": "webdataset"},
        **changes,
    }


@dataclass(slots=True)
class World:
    """`people` by role (one each, and `engineer2`), `tokens` by role, `partner2` for the other."""

    app: FastAPI
    http: httpx2.AsyncClient
    engine: DirectEngine
    database: Database
    partner: str = ""
    other: str = ""
    dataset: str = ""
    people: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def call(
        self,
        who: str,
        method: str,
        path: str,
        json: Any = None,
        key: str | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """One HTTP call in somebody's name; `who` is a key of `tokens`, or empty for nobody."""
        headers = dict(more.pop("headers", {}))
        if who:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        if key:
            headers["Idempotency-Key"] = key
        if json is not None:
            more["json"] = json
        return await self.http.request(method, path, headers=headers, **more)

    async def get(self, who: str, path: str, **query: Any) -> httpx2.Response:
        """A GET in somebody's name."""
        return await self.call(who, "GET", path, params=query)

    async def post(
        self, who: str, path: str, json: Any = None, key: str | None = None
    ) -> httpx2.Response:
        """A POST in somebody's name."""
        return await self.call(who, "POST", path, json, key)

    async def submitted(self, **changes: Any) -> dict[str, Any]:
        """A new request of the first partner."""
        answer = await self.post("partner", "/v1/requests", request_body(**changes))
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def decide(
        self,
        view: dict[str, Any],
        stage: str,
        outcome: str = "approved",
        who: str = "",
        **more: Any,
    ) -> httpx2.Response:
        """A decision by the stage's own role, unless somebody else is named."""
        body = {
            "stage": stage,
            "outcome": outcome,
            "digest": view["digest"],
            "reason": "It holds.",
            "no_interest": True,
            **more,
        }
        return await self.post(
            who or GATE_ROLES[Stage(stage)], f"/v1/requests/{view['id']}/decisions", body
        )

    async def cleared(self, **changes: Any) -> dict[str, Any]:
        """A request that passed all four gates."""
        view = await self.submitted(**changes)
        for stage in GATES:
            answer = await self.decide(view, stage)
            assert answer.status_code == 201, answer.text
        return await self.seen(view, state="cleared")

    async def seen(self, view: dict[str, Any], state: str = "") -> dict[str, Any]:
        """The request as people inside see it now; in that state, if one is given."""
        now: dict[str, Any] = (await self.get("admin", f"/v1/requests/{view['id']}")).json()
        assert not state or now["state"] == state, now
        return now

    async def audit(self) -> list[dict[str, Any]]:
        """The whole audit log."""
        found: list[dict[str, Any]] = (await self.get("auditor", "/v1/audit", limit=200)).json()[
            "items"
        ]
        return found


@asynccontextmanager
async def world(database_url: str, home: Path) -> AsyncIterator[World]:
    """The application on a fresh database, with everybody in it."""
    key = base64.b64encode(os.urandom(32)).decode()
    settings = Settings(home=home, database_url=database_url, decision_key=key).resolved()
    worker = Database(settings.database_url)
    app = create_app(settings, DirectEngine(worker, settings))
    backend: Backend = app.state.backend
    transport = httpx2.ASGITransport(app=app)
    async with (
        worker,
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="https://clearance.test") as http,
    ):
        made = World(app, http, backend.engine, worker)  # type: ignore[arg-type]
        await worker.write(lambda unit: _people(unit, made))
        yield made


def _people(unit: Unit, made: World) -> None:
    session = unit.session
    partner = parties.add_partner(session, "Acme Ltd", LEI, [], None)
    other = parties.add_partner(session, "Other Inc", None, [], None)
    made.partner, made.other = partner.id, other.id
    for name, role in [
        *((str(r), r) for r in Role if r not in (Role.PARTNER, Role.SUBJECT)),
        ("engineer2", Role.ENGINEER),
    ]:
        person = parties.add_person(session, name, f"{name}@example.org", [role])
        made.people[name] = person.id
        made.tokens[name] = parties.issue_token(session, role, person_id=person.id)
    made.tokens["partner"] = parties.issue_token(session, Role.PARTNER, partner_id=partner.id)
    made.tokens["subject"] = parties.issue_token(session, Role.SUBJECT, subject="s0")
    made.tokens["subject1"] = parties.issue_token(session, Role.SUBJECT, subject="s1")
    made.tokens["other"] = parties.issue_token(session, Role.PARTNER, partner_id=other.id)
    _data(unit, made)


def _data(unit: Unit, made: World) -> None:
    session, at = unit.session, datetime(2024, 1, 1, tzinfo=UTC)
    terms = (["ai:ModelTraining"], ["pd:ProfilePicture"])
    notices.add(session, "privacy", "3", "We may train models.", *terms)
    dataset = datasets.add(
        session,
        name="profile-photos",
        location="photos",
        category="pd:ProfilePicture",
        special_category=True,
        subject_from="path:{subject}/*",
    )
    session.flush()
    made.dataset = dataset.id
    datasets.append_objects(
        session,
        [
            {
                "dataset_id": dataset.id,
                "index_version": 1,
                "position": i,
                "path": f"s{i}/a.jpg",
                "subject": f"s{i}",
                "bytes": 100,
                "modified_ns": 0,
                "media_type": "image/jpeg",
                "taken_at": at,
            }
            for i in range(SUBJECTS)
        ],
    )
    datasets.publish_index(session, dataset.id, 1)
    consents.append(
        unit,
        [{**CONSENT, "subject": f"s{i}", "at": at, "source": "test"} for i in range(SUBJECTS - 1)],
    )
