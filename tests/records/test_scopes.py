"""Scopes counted over the ledger against a recount in plain SQL, and what lapses before release."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from sharing.consent import Coverage
from sharing.export.select import choose, cut, lapsed
from sharing.purpose import CATEGORIES, PURPOSES, Term
from sharing.records import consents, datasets, heads, notices, requests, scopes
from sharing.records.database import Database
from sharing.records.exports import ExportShard
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Exclusion
from tests.records.desk import Desk, at_desk
from tests.walk import CATEGORY, PURPOSE

SUBJECTS, OBJECTS = 60, 240
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
# Who spoke of this purpose and category: for a yes the same or a wider word, for a no a narrower
# one too. The last of these events stands for its subject.
RECOUNT = """
WITH relevant AS (
  SELECT e.*, ROW_NUMBER() OVER (PARTITION BY subject ORDER BY at DESC, position DESC) AS nth
  FROM consent_event e
  WHERE recipient IN ('*', :partner)
  AND ((action = 'given' AND purpose IN ({wide_p}) AND category IN ({wide_c}))
    OR (action <> 'given' AND purpose IN ({near_p}) AND category IN ({near_c})))
), standing AS (
  SELECT subject, CASE
    WHEN action IN ('withdrawn', 'refused') THEN action
    WHEN valid_until IS NOT NULL AND valid_until <= :at THEN 'expired'
    WHEN NOT explicit THEN 'not_explicit'
    WHEN notice <> 'privacy' THEN 'old_notice'
    ELSE 'covered' END AS answer
  FROM relevant WHERE nth = 1
), scope AS (
  SELECT subject FROM dataset_object
  WHERE taken_at >= :after AND taken_at < :before ORDER BY position LIMIT :limit
)
SELECT COALESCE(standing.answer, CASE
    WHEN NOT EXISTS (SELECT 1 FROM consent_event e WHERE e.subject = scope.subject)
      THEN 'never_asked'
    WHEN NOT EXISTS (SELECT 1 FROM consent_event e WHERE e.subject = scope.subject
      AND e.purpose IN ({wide_p})) THEN 'wrong_purpose'
    WHEN NOT EXISTS (SELECT 1 FROM consent_event e WHERE e.subject = scope.subject
      AND e.purpose IN ({wide_p}) AND e.category IN ({wide_c})) THEN 'wrong_category'
    ELSE 'wrong_recipient' END) AS answer,
  COUNT(*), COUNT(DISTINCT scope.subject)
FROM scope LEFT JOIN standing ON standing.subject = scope.subject GROUP BY 1
"""


def wide(vocabulary: dict[str, Term], word: str) -> set[str]:
    """A word and all above it."""
    parent = vocabulary[word].parent
    return {word} | (wide(vocabulary, parent) if parent else set())


def near(vocabulary: dict[str, Term], word: str) -> set[str]:
    """A word, all above it and all below it."""
    return wide(vocabulary, word) | {w for w in vocabulary if word in wide(vocabulary, w)}


def listed(words: set[str]) -> str:
    """Words as SQL has them."""
    return ", ".join(f"'{word}'" for word in sorted(words))


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
            "action": chance.choice(["given"] * 5 + ["withdrawn", "refused"]),
            "explicit": chance.random() < 0.85,
            "notice": chance.choice(["privacy"] * 6 + ["ads"]),
            "notice_version": "1",
            "at": at - chance.randrange(1, 40) * DAY,
            "valid_until": chance.choice([None, None, at - DAY / 2, at + DAY]),
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
        consents.append(unit.session, said(chance, desk.world.partner, now()))

    await database.write(fill)
    request, _ = await desk.submitted(scope=scope, index=2)
    return Shelf(desk, request)


def scope(limit: int = 1000, **where: str) -> dict[str, Any]:
    """A scope of photographs."""
    return {"fields": ["photo"], "where": where, "limit": limit}


def recounted(session: Session, *, partner: str, limit: int, after: datetime, before: datetime
              ) -> dict[str, tuple[int, int]]:  # fmt: skip
    """Objects and subjects by answer, counted by the database alone."""
    purposes, categories = dict(PURPOSES), dict(CATEGORIES)
    query = RECOUNT.format(
        wide_p=listed(wide(purposes, PURPOSE)),
        wide_c=listed(wide(categories, CATEGORY)),
        near_p=listed(near(purposes, PURPOSE)),
        near_c=listed(near(categories, CATEGORY)),
    )
    moments = {"at": now(), "after": after, "before": before}
    if session.get_bind().dialect.name == "sqlite":
        moments = {n: m.strftime("%Y-%m-%d %H:%M:%S.%f") for n, m in moments.items()}  # type: ignore[misc]
    rows = session.execute(text(query), {"partner": partner, "limit": limit, **moments})
    return {answer: (objects, subjects) for answer, objects, subjects in rows}


@pytest.mark.parametrize(
    ("limit", "where"),
    [
        (1000, {}),
        (50, {}),
        (1000, {"taken_after": "2020-03-01"}),
        (1000, {"taken_before": "2020-03-01"}),
        (30, {"taken_after": "2020-02-01", "taken_before": "2020-05-01T12:00:00Z"}),
    ],
)
async def test_coverage_is_what_sql_counts(
    database: Database, tmp_path: Path, limit: int, where: dict[str, str]
) -> None:
    """A scope's coverage, reason by reason, is what a recount in plain SQL finds, under every kind
    of limit and filter; and the shards together choose exactly that."""
    there = await shelf(database, tmp_path, scope(limit, **where), seed=limit + len(where))
    counted: Coverage = await there.look(lambda s, request, _: scopes.coverage(s, request))

    def recount(session: Session, *_: Any) -> dict[str, tuple[int, int]]:
        after = datetime.fromisoformat(where.get("taken_after", "1900-01-01")).replace(tzinfo=UTC)
        before = datetime.fromisoformat(where.get("taken_before", "2900-01-01")).replace(tzinfo=UTC)
        return recounted(session, partner=there.desk.world.partner, limit=limit, after=after,
                         before=before)  # fmt: skip

    found = await there.look(recount)
    covered = found.pop("covered")
    assert (counted.covered_objects, counted.covered_subjects) == covered
    assert counted.excluded == {reason: objects for reason, (objects, _) in found.items()}
    assert counted.subjects == covered[1] + sum(subjects for _, subjects in found.values())
    assert counted.objects == covered[0] + sum(counted.excluded.values()) <= limit
    assert await chosen(there) == (counted.covered_objects, counted.excluded)


async def chosen(there: Shelf) -> tuple[int, dict[str, int]]:
    """What all shards together let through and leave out."""

    def all_shards(session: Session, request: Any, revision: Any) -> tuple[int, dict[str, int]]:
        through, out = 0, dict[str, int]()
        for first, last in cut(scopes.objects_of(session, revision), 7):
            shard = ExportShard(export_id="x", number=0, first=first, last=last)
            part = choose(session, request, revision, shard, now())
            through += len(part.candidates)
            for reason, objects in part.excluded.items():
                out[reason] = out.get(reason, 0) + objects
        return through, out

    found: tuple[int, dict[str, int]] = await there.look(all_shards)
    return found


async def test_every_reason_occurs(database: Database, tmp_path: Path) -> None:
    """The random ledger holds every reason that a ledger can give: the recount above leaves none
    untried."""
    there = await shelf(database, tmp_path, scope(), seed=1000)
    counted: Coverage = await there.look(lambda s, request, _: scopes.coverage(s, request))
    from_elsewhere = {Exclusion.JURISDICTION, Exclusion.UNREADABLE}
    assert set(counted.excluded) == set(Exclusion) - from_elsewhere


def packed(session: Session, request: Any, revision: Any, size: int, at: datetime
           ) -> tuple[list[ExportShard], dict[int, set[str]]]:  # fmt: skip
    """The shards of a scope as they would be committed at a moment, and who is in each."""
    shards, inside = [], {}
    for number, (first, last) in enumerate(cut(scopes.objects_of(session, revision), size)):
        shard = ExportShard(export_id="x", number=number, first=first, last=last)
        part = choose(session, request, revision, shard, at)
        shard.consent_position, shard.consent_until = part.position, part.until
        shards.append(shard)
        inside[number] = {candidate.subject for candidate in part.candidates}
    return shards, inside


async def stale(there: Shelf, shards: Sequence[ExportShard], at: datetime) -> list[int]:
    """The shards that may not be released at a moment."""

    def ask(unit: Unit) -> list[int]:
        request = requests.get(unit.session, there.request)
        revision = requests.revision_row(unit.session, request)
        return lapsed(unit.session, request, revision, shards, at)

    return await there.desk.database.write(ask)


@pytest.mark.parametrize("seed", range(2))
async def test_lapsed_names_the_shards_of_who_said_no(
    database: Database, tmp_path: Path, seed: int
) -> None:
    """After some subjects withdrew or refused, exactly the shards that hold them may not go; who
    says yes once more, or was never in, holds up nothing (I8, I9)."""
    there = await shelf(database, tmp_path, scope(), seed)
    world = there.desk.world
    shards, inside = await there.look(packed, 11, now())
    for shard in shards:
        shard.consent_until = None  # only what is said counts here
    assert await stale(there, shards, now()) == []
    everyone = sorted(set().union(*inside.values()))
    chance = random.Random(seed)
    no, yes = set(chance.sample(everyone, 3)), set(chance.sample(everyone, 3))
    for subject in sorted(yes):
        await world.say(subject)
    for subject in sorted(no):
        await world.say(subject, chance.choice(["withdrawn", "refused"]))
    await world.say("s999", "withdrawn")
    await world.say(everyone[0], "withdrawn", purpose="dpv:Marketing")
    hit = [number for number, subjects in inside.items() if subjects & no]
    assert await stale(there, shards, now()) == hit
    assert 0 < len(hit) < len(shards)


async def test_what_was_made_after_the_no_may_go(database: Database, tmp_path: Path) -> None:
    """Once the shards that held a withdrawn subject are made again, all may go: those that were
    made before stay as they are, and the subject is in none."""
    there = await shelf(database, tmp_path, scope(), 7)
    shards, inside = await there.look(packed, 11, now())
    subject = min(inside[0])
    await there.desk.world.say(subject, "withdrawn")
    again, inside = await there.look(packed, 11, now())
    for shard in (*shards, *again):
        shard.consent_until = None
    held = await stale(there, shards, now())
    mixed = [again[n] if n in held else shard for n, shard in enumerate(shards)]
    assert 0 < len(held) < len(shards)
    assert await stale(there, mixed, now()) == []
    assert not any(subject in subjects for subjects in inside.values())


async def test_consent_that_runs_out_before_release(database: Database, tmp_path: Path) -> None:
    """A shard may go until just before the first of its consents runs out, and not at that moment
    or later."""
    there = await shelf(database, tmp_path, scope(), 7)
    world, at = there.desk.world, now()
    shards, inside = await there.look(packed, 11, at)
    subject = min(inside[0])
    await world.say(subject, valid_until=at + DAY / 3)
    shards, inside = await there.look(packed, 11, now())
    until = at + DAY / 3
    held = [number for number, subjects in inside.items() if subject in subjects]
    assert await stale(there, shards, until - timedelta(microseconds=1)) == []
    assert await stale(there, shards, until) == held
    everyone_else = {n for n, s in enumerate(shards) if s.consent_until is not None}
    assert set(await stale(there, shards, at + 2 * DAY)) == everyone_else


async def test_the_ledger_is_held_while_it_is_looked_at(
    postgresql_url: str, tmp_path: Path
) -> None:
    """From the moment a release looks at the ledger until it commits, nobody appends to it."""
    async with Database(postgresql_url) as database, Database(postgresql_url) as other:
        there = await shelf(database, tmp_path, scope(), 7)
        at = now()
        shards, _ = await there.look(packed, 11, at)

        def look_twice(unit: Unit) -> tuple[int, int]:
            request = requests.get(unit.session, there.request)
            revision = requests.revision_row(unit.session, request)
            lapsed(unit.session, request, revision, shards, at)
            before = heads.position(unit.session.connection(), "consent")
            unit.session.execute(text("SELECT pg_sleep(0.4)"))
            return before, heads.position(unit.session.connection(), "consent")

        held = asyncio.create_task(database.write(look_twice))
        await asyncio.sleep(0.15)
        event = said(random.Random(1), "ptr", at)[:1]
        await other.write(lambda u: consents.append(u.session, event))
        before, after = await held
        assert before == after
