"""Who and what a bench needs on record, and the signed orders by which it acts."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.export import bucket_index
from sharing.export.bucket import Bucket
from sharing.export.index import IndexedObject, scan
from sharing.keys import public_text, signing_key
from sharing.orders import Order, Verb, signed
from sharing.records import consents, datasets, notices, parties, signing_keys
from sharing.records.database import Database
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.request import Revision
from sharing.settings import Settings
from sharing.stages import GATE_ROLES, Role, Stage

PURPOSE, CATEGORY = "ai:ModelTraining", "pd:ProfilePicture"
SUBJECT_FROM = "path:{subject}/*"
PAGE = 5000


@dataclass(frozen=True, slots=True)
class Cast:
    """Ids of those who act; `partners` by whether they have an age key."""

    plain_partner: str
    age_partner: str
    deciders: Mapping[Stage, str]
    engineer: str
    signer: Ed25519PrivateKey
    age_recipient: str


async def cast(
    database: Database, settings: Settings, photos: Path | Bucket, age_recipient: str
) -> Cast:
    """Records two partners, five people and a dataset of `photos` whose subjects all said yes."""
    signer = signing_key(settings.decision_key, "CLEARANCE_DECISION_KEY")

    def people(unit: Unit) -> Cast:
        signing_keys.register(unit.session, "order", public_text(signer))
        notices.add(unit.session, "terms", "1", "What we do", [PURPOSE], [CATEGORY])
        plain = parties.add_partner(unit.session, "Plain Ltd", None, [], None)
        sealed = parties.add_partner(unit.session, "Sealed Ltd", None, [], age_recipient)
        deciders = {
            stage: parties.add_person(unit.session, stage, f"{stage}@bench", [role]).id
            for stage, role in GATE_ROLES.items()
        }
        engineer = parties.add_person(unit.session, "engineer", "engineer@bench", [Role.ENGINEER])
        return Cast(plain.id, sealed.id, deciders, engineer.id, signer, age_recipient)

    made = await database.write(people)
    await _dataset(database, photos)
    return made


def _scanned(photos: Path | Bucket) -> list[IndexedObject]:
    if isinstance(photos, Bucket):
        return list(bucket_index.scan(photos, SUBJECT_FROM))
    return list(scan(str(photos), SUBJECT_FROM))


async def _dataset(database: Database, photos: Path | Bucket) -> None:
    def add(unit: Unit) -> str:
        return datasets.add(
            unit.session,
            name="photos",
            location=str(photos),
            category=CATEGORY,
            special_category=False,
            subject_from=SUBJECT_FROM,
            purposes=[PURPOSE],
        ).id

    dataset_id = await database.write(add)
    found = await asyncio.to_thread(_scanned, photos)
    rows = [_row(dataset_id, place, one) for place, one in enumerate(found)]
    said = [yes(subject) for subject in sorted({one.subject for one in found})]
    for page in _pages(rows):
        await database.write(partial(_append_objects, rows=page))
    for page in _pages(said):
        await database.write(partial(_append_consents, events=page))
    await database.write(partial(_publish, dataset_id=dataset_id))


def _append_objects(unit: Unit, rows: list[dict[str, object]]) -> None:
    datasets.append_objects(unit.session, rows)


def _append_consents(unit: Unit, events: list[dict[str, object]]) -> None:
    consents.append(unit, events)


def _publish(unit: Unit, dataset_id: str) -> None:
    datasets.publish_index(unit.session, dataset_id, 1)


def _pages(rows: list[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    for start in range(0, len(rows), PAGE):
        yield rows[start : start + PAGE]


def _row(dataset_id: str, place: int, one: IndexedObject) -> dict[str, object]:
    return {"dataset_id": dataset_id, "index_version": 1, "position": place, **asdict(one)}


def yes(subject: str) -> dict[str, object]:
    """A subject's consent to what a bench asks for."""
    return {
        "subject": subject,
        "purpose": PURPOSE,
        "category": CATEGORY,
        "recipient": "*",
        "action": "given",
        "explicit": True,
        "notice": "terms",
        "notice_version": "1",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "jurisdiction": "CA",
        "source": "bench",
    }


class Acts:
    """Signed orders, as the API makes them."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._numbers = itertools.count()

    def submission(self, partner: str, packing: str = "webdataset") -> Order:
        """A new request by a partner, for everything in the dataset."""
        request_id = new_id("req")
        age = self._cast.age_recipient if partner == self._cast.age_partner else None
        body = request_body(next(self._numbers), packing)
        digest = Revision(request_id, 1, partner, age, 1, body).digest
        apart = {"index": 1, "age_recipient": age, "number": 1}
        return self._order(Verb.SUBMIT, request_id, partner, digest, {**body, **apart})

    def decision(self, request: Order, stage: Stage) -> Order:
        """The gate's own person approves."""
        body = {"stage": stage, "outcome": "approved", "reason": "It is fine.", "conditions": []}
        return self._order(
            Verb.DECIDE, request.request_id, self._cast.deciders[stage], request.digest, body
        )

    def trigger(self, request: Order) -> Order:
        """The engineer triggers the export; the order's id is the export's."""
        return self._order(
            Verb.TRIGGER, request.request_id, self._cast.engineer, request.digest, {}
        )

    def _order(
        self, verb: Verb, request_id: str, actor: str, digest: str, body: Mapping[str, Any]
    ) -> Order:
        order_id = new_id({Verb.DECIDE: "dec", Verb.TRIGGER: "exp"}.get(verb, "ord"))
        order = Order(order_id, verb, request_id, actor, now().isoformat(), digest, body)
        return signed(order, self._cast.signer)


def request_body(number: int, packing: str) -> dict[str, Any]:
    """What a partner sends, with every default set."""
    return {
        "title": f"Bench {number}",
        "dataset": "photos",
        "purpose": PURPOSE,
        "intended_use": "Measure how fast this is.",
        "legal_basis": "gdpr:A6-1-a",
        "special_category_basis": None,
        "retention_days": 30,
        "trains_models": True,
        "onward_recipients": [],
        "sponsor": None,
        "delivery": {"format": packing},
        "scope": {"fields": ["photo"], "where": {}, "limit": 10_000_000},
    }
