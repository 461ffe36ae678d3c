"""Scopes with data of several categories: each needs a yes, whenever consent is asked."""

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from sharing.export import runs
from sharing.export.releases import Stale
from sharing.export.select import choose
from sharing.records import consents, exports, notices, policies, requests, scopes
from sharing.records.database import Database
from sharing.records.datasets import Dataset
from sharing.records.exports import ExportShard
from sharing.records.recalls import RecallItem
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Stage
from tests.records.desk import Desk, at_desk
from tests.records.exporting import Exporting
from tests.walk import CATEGORY, PURPOSE, said

COUNTRY, AGE = "pd:Country", "pd:Age"
TABLE = {
    "location": "profiles.parquet",
    "source": None,
    "subject": "id",
    "columns": [
        {"name": "country", "category": COUNTRY, "forms": ["keep"]},
        {"name": "age", "category": AGE, "forms": ["decade"]},
    ],
}
SCOPE = {"fields": ["photo", "country"], "where": {}, "limit": 1000}


async def with_table(database: Database, home: Path) -> Desk:
    """A desk whose dataset has a table, and whose users were told of it."""
    desk = await at_desk(database, home)

    def declare(unit: Unit) -> None:
        unit.session.get_one(Dataset, desk.world.dataset).tabular = TABLE
        told = [CATEGORY, COUNTRY, AGE]
        notices.add(unit.session, "profiles", "1", "We share profiles.", [PURPOSE], told)

    await database.write(declare)
    return desk


def event(subject: str, category: str, action: str = "given", /, **more: Any) -> dict[str, Any]:
    """What a subject said of a category, under the notice that speaks of all."""
    about = {"category": category, "notice": "profiles", "jurisdiction": "CA", "source": "test"}
    return said(subject, action, **{"at": now(), **about, **more})


@dataclass(slots=True)
class Out:
    """A running export of photographs and countries of ten subjects, who all said yes to both."""

    export: Exporting
    desk: Desk

    async def say(self, *events: dict[str, Any]) -> int:
        """Further events; returns the last one's position."""
        return await self.desk.database.write(lambda u: consents.append(u, events))


@pytest.fixture
async def out(database: Database, tmp_path: Path) -> Out:
    """All shards of it are made."""
    desk = await with_table(database, tmp_path)
    events = [event(f"s{n:03}", of) for n in range(10) for of in (CATEGORY, COUNTRY)]
    await database.write(lambda u: consents.append(u, events))
    request, digest = await desk.cleared(scope=SCOPE)
    export = Exporting(desk, request, digest, await desk.triggered(request, digest))
    await export.all_packed()
    return Out(export, desk)


async def test_no_to_a_field_stops_the_release(out: Out) -> None:
    """A consent to the country that ends after a shard was made makes that shard stale, and the
    shard that is made anew is without the subject; a no to what is not asked for does nothing."""
    await out.say(event("s007", AGE, "withdrawn"))
    run = await out.export.attempt()
    await out.say(event("s003", COUNTRY, "withdrawn"))
    stale = await out.export.release(run)
    assert stale == Stale((1,))
    again = await out.export.packed(1)
    assert "s003" not in {one.subject for one in again.candidates}
    assert again.excluded == {"withdrawn": 2}
    assert await out.export.release(await out.export.attempt()) is None


async def test_field_consent_that_runs_out_counts(out: Out) -> None:
    """A shard may go no longer than the first consent in it lasts, whatever it is to."""
    until = now() + timedelta(hours=1)
    await out.say(event("s000", COUNTRY, valid_until=until))
    fresh = Exporting(out.desk, out.export.request, out.export.digest, out.export.export)
    await out.desk.database.write(lambda u: _forget(u, fresh.export))
    assert (await fresh.packed(0)).until == until


def _forget(unit: Unit, export: str) -> None:
    exports.shards_of(unit.session, export)[0].result = None


async def test_end_of_a_field_consent_is_called_back(out: Out) -> None:
    """Behind the release, a no to the country opens a recall item for all that went out of the
    subject; a no to the age opens none, for it was not asked for."""
    assert await out.export.release(await out.export.attempt()) is None
    await out.say(event("s004", AGE, "withdrawn"))
    position = await out.say(event("s005", COUNTRY, "refused"))

    def items(session: Session) -> list[tuple[str, str, int, int]]:
        rows = session.exec(select(RecallItem).order_by(col(RecallItem.subject)))
        return [(row.subject, row.reason, row.position, row.objects) for row in rows]

    assert await out.desk.database.read(items) == [("s005", "refused", position, 2)]


@pytest.mark.parametrize("seed", range(3))
async def test_the_count_is_what_is_chosen(database: Database, tmp_path: Path, seed: int) -> None:
    """The gate's count over a snapshot and the choice shard by shard come to the same, with the
    reason of the first category that has no yes."""
    desk = await with_table(database, tmp_path)
    chance = random.Random(seed)
    events = [
        event(
            f"s{chance.randrange(10):03}",
            chance.choice([CATEGORY, COUNTRY, AGE, "pd:Location"]),
            chance.choice(["given"] * 6 + ["withdrawn", "refused", "revoked"]),
            valid_until=chance.choice([None, None, now() - timedelta(days=1)]),
            notice=chance.choice(["profiles"] * 5 + ["privacy"]),
        )
        for _ in range(60)
    ]
    await database.write(lambda u: consents.append(u, events))
    fields = ["photo", "country", "age:decade"]
    request, _ = await desk.submitted(scope={**SCOPE, "fields": fields})

    def both(session: Session) -> tuple[Any, Any]:
        row = requests.get(session, request)
        counted = scopes.coverage(session, row)
        revision = requests.revision_row(session, row)
        whole = ExportShard(export_id="exp", number=0, first=0, last=19)
        return counted, choose(session, row, revision, whole, now())

    counted, chosen = await database.read(both)
    assert dict(counted.excluded) == dict(chosen.excluded)
    assert counted.covered_objects == len(chosen.candidates)
    assert counted.covered_subjects == len({one.subject for one in chosen.candidates})
    assert sum(counted.breakdown["notice"].values()) == counted.covered_objects
    assert counted.terms_sha256 == chosen.terms
    assert counted.categories == [CATEGORY, COUNTRY, AGE]


async def test_the_gate_names_what_is_asked(database: Database, tmp_path: Path) -> None:
    """The purpose gate lists each field with its form and category and asks whether it is needed;
    the legal gate says what of each subject is shared."""
    desk = await with_table(database, tmp_path)
    await database.write(
        lambda u: consents.append(u, [event("s000", of) for of in (CATEGORY, COUNTRY, AGE)])
    )
    scope = {**SCOPE, "fields": ["photo", "country", "age:decade"]}
    request, digest = await desk.submitted(scope=scope)
    first, *rest = Stage.PURPOSE_REVIEW, Stage.CONSENT_VERIFICATION, Stage.CONFLICT_SIGNOFF
    await desk.passed(request, digest, first, *rest)
    await desk.opened(request, digest, Stage.LEGAL_APPROVAL)

    def found(session: Session) -> dict[str, tuple[str, str]]:
        gates = requests.gates_of(session, request)
        return {f["check"]: (f["result"], f["detail"]) for gate in gates for f in gate.findings}

    findings = await database.read(found)
    result, detail = findings["fields_needed"]
    assert result == "gap"
    for told in ("pd:Country: country (as it is)", "pd:Age: age (its decade)", "needed"):
        assert told in detail
    assert findings["notice_covers"][0] == "compliant"
    assert "photo, country (as it is), age (its decade)" in findings["fields_shared"][1]
    assert "1 of 10 subjects gave consent" in findings["subjects_covered"][1]
    assert "pd:Picture, pd:Country, pd:Age" in findings["subjects_covered"][1]


async def test_policy_sees_the_categories_of_fields(database: Database, tmp_path: Path) -> None:
    """A rule about where people are is about a request for photographs with the country."""
    desk = await with_table(database, tmp_path)

    async def asked(*fields: str) -> tuple[str, ...]:
        request, _ = await desk.submitted(scope={**SCOPE, "fields": list(fields)})
        facts = await database.read(lambda s: policies.facts(s, requests.get(s, request)))
        return facts.category, *facts.besides

    assert await asked("photo") == (CATEGORY,)
    assert await asked("photo", "country") == (CATEGORY, COUNTRY)


async def test_run_takes_what_was_asked(out: Out) -> None:
    """A shard's attempt is told which columns to take in which form, and no other."""
    await out.desk.database.write(lambda u: _forget(u, out.export.export))
    fenced = await out.desk.database.write(lambda u: runs.take_shard(u, out.export.export, 0))
    assert fenced is not None
    assert fenced.table is not None
    assert [str(field) for field in fenced.table.fields] == ["country"]
    assert (fenced.table.photos, fenced.table.alone) == (True, False)
