"""A small world for tests: people in every role, a partner, a dataset, and signed orders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.conflict import InterestKind, Organisation
from sharing.keys import public_text
from sharing.orders import Order, Verb, signed
from sharing.records import (
    consents,
    datasets,
    interests,
    notices,
    parties,
    policies,
    requests,
    signing_keys,
)
from sharing.records.database import Database
from sharing.records.datasets import Dataset
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.request import Revision
from sharing.stages import GATE_ROLES, Outcome, Role, Stage

PURPOSE, CATEGORY = "ai:ModelTraining", "pd:Picture"

BODY: Mapping[str, Any] = {
    "title": "Face matching research",
    "dataset": "profile-photos",
    "purpose": PURPOSE,
    "intended_use": "Train a face-matching model for a photo album application.",
    "scope": {"fields": ["photo"], "where": {}, "limit": 1000},
    "legal_basis": "gdpr:A6-1-a",
    "special_category_basis": "gdpr:A9-2-a",
    "retention_days": 365,
    "trains_models": True,
    "onward_recipients": [],
    "sponsor": None,
    "delivery": {"format": "webdataset"},
}


def said(subject: str, action: str = "given", /, **besides: Any) -> dict[str, Any]:
    """One event: what a subject said of what BODY asks, explicitly, under the world's notice."""
    return {
        "subject": subject,
        "purpose": PURPOSE,
        "category": CATEGORY,
        "recipient": "*",
        "action": action,
        "explicit": True,
        "notice": "privacy",
        "notice_version": "1",
        **besides,
    }


@dataclass(slots=True)
class World:
    """Who is there, by role; `people[role]` is that role's first person."""

    database: Database
    key: Ed25519PrivateKey
    partner: str = ""
    dataset: str = ""
    people: dict[str, str] = field(default_factory=dict)

    def order(
        self,
        verb: Verb,
        request: str,
        actor: str,
        digest: str = "",
        *,
        order_id: str | None = None,
        **body: Any,
    ) -> Order:
        """An order that the API signed."""
        return signed(
            Order(order_id or new_id("ord"), verb, request, actor, now().isoformat(), digest, body),
            self.key,
        )

    def submission(
        self,
        request: str | None = None,
        number: int = 1,
        index: int = 1,
        policy: int = 1,
        **changes: Any,
    ) -> Order:
        """A partner's submission, or its next revision where `number` is above 1."""
        request = request or new_id("req")
        body = {**BODY, **changes}
        digest = Revision(request, number, self.partner, None, index, body, policy).digest
        verb = Verb.SUBMIT if number == 1 else Verb.AMEND
        return self.order(
            verb,
            request,
            self.partner,
            digest,
            **body,
            index=index,
            number=number,
            policy=policy,
            age_recipient=None,
            client=self.partner,
            key=None,
            body_hash=None,
        )

    def decision(
        self,
        request: str,
        digest: str,
        stage: Stage,
        outcome: Outcome = Outcome.APPROVED,
        actor: str | None = None,
        role: Role | None = None,
    ) -> Order:
        """A decision at a gate, by the gate's own person and in its own role unless others are
        named."""
        return self.order(
            Verb.DECIDE,
            request,
            actor or self.people[GATE_ROLES[stage]],
            digest,
            stage=str(stage),
            outcome=str(outcome),
            reason="Read and considered.",
            conditions=[],
            **({"role": str(role)} if role else {}),
        )

    async def request(self, request_id: str) -> requests.Request:
        """The request's row as it stands."""
        return await self.database.read(lambda s: requests.get(s, request_id))

    async def say(self, subject: str, action: str = "given", **changes: Any) -> int:
        """A consent event of one subject; returns its position."""
        event = said(
            subject,
            action,
            **{"at": datetime.now(UTC), "jurisdiction": "CA", "source": "test", **changes},
        )
        return await self.database.write(lambda u: consents.append(u, [event]))

    async def person(self, name: str, *roles: Role) -> str:
        """One more person: their id."""
        return await self.database.write(
            lambda u: parties.add_person(u.session, name, f"{name}@example.org", roles).id
        )

    async def force(self, policy: str) -> int:
        """Puts a policy in force, by two admins: its number."""
        second = await self.person(new_id("admin"), Role.ADMIN)

        def work(unit: Unit) -> int:
            proposer, month = self.people["admin"], timedelta(days=30)
            number = policies.propose(unit.session, policy, "why", proposer, month).number
            policies.approve(unit.session, number, second, month)
            return number

        return await self.database.write(work)

    async def declare_interest(self, person: str, organisation: str) -> None:
        """A fund of this person holds equity in an organisation, since long ago."""
        await self.database.write(
            lambda u: interests.declare(
                u,
                person,
                Organisation(organisation),
                InterestKind.FUND,
                date(2010, 1, 1),
                None,
                "",
                person,
            )
        )


async def populate(
    database: Database,
    *,
    special_category: bool = False,
    location: str = "photos",
    subject_from: str = "path:{subject}/*",
) -> World:
    """One person a role and a second engineer, a partner with a parent, a notice and a dataset."""
    world = World(database, Ed25519PrivateKey.generate())

    def fill(unit: Unit) -> None:
        session = unit.session
        signing_keys.register(session, "order", public_text(world.key))
        for role in (*GATE_ROLES.values(), Role.ENGINEER, Role.AUDITOR, Role.ADMIN):
            world.people[role] = parties.add_person(session, role, f"{role}@example.org", [role]).id
        second = parties.add_person(session, "Second", "second@example.org", [Role.ENGINEER])
        world.people["second_engineer"] = second.id
        partner = parties.add_partner(
            session, "Northlight Vision", None, [(Organisation("Northlight Holding"), 0.8)], None
        )
        world.partner = partner.id
        notices.add(
            session, "privacy", "1", "We may share photos to train AI.", [PURPOSE], [CATEGORY]
        )
        world.dataset = datasets.add(
            session,
            name="profile-photos",
            location=location,
            category=CATEGORY,
            special_category=special_category,
            subject_from=subject_from,
        ).id

    await database.write(fill)
    return world


async def index(world: World, subjects: int = 10, each: int = 2) -> list[str]:
    """An index of objects that exist as rows only; returns the subjects."""
    names = [f"s{i:03}" for i in range(subjects)]
    rows = [
        {
            "dataset_id": world.dataset,
            "index_version": 1,
            "position": i * each + j,
            "path": f"{name}/{j}.jpg",
            "subject": name,
            "bytes": 10,
            "modified_ns": 0,
            "media_type": "image/jpeg",
            "taken_at": None,
        }
        for i, name in enumerate(names)
        for j in range(each)
    ]

    def write(unit: Unit) -> Dataset:
        datasets.append_objects(unit.session, rows)
        return datasets.publish_index(unit.session, world.dataset, 1)

    await world.database.write(write)
    return names
