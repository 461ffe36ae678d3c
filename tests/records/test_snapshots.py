"""Snapshots over a real database: what is read, kept, followed, and not believed."""

import random
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from sharing.consent import Question, verify
from sharing.records import consents, datasets
from sharing.records.database import Database
from sharing.records.ledger import LedgerBroken, micros
from sharing.records.unit import Unit
from sharing.snapshot import scope
from sharing.snapshot.decision import Decision
from sharing.snapshot.keeper import Asked, Snapshots, snapshots_of
from sharing.snapshot.selection import UNKNOWN, Filter
from sharing.stages import Exclusion
from tests.sharing.snapshot.books import AT, DAY, SUBJECTS, random_event, random_question
from tests.walk import World, populate

OBJECTS = 60
EVERYTHING = Filter(None, None, None)
MICROSECOND = timedelta(microseconds=1)
# Moments that are easily rounded, or mistaken for another.
MOMENTS = (None, datetime(1969, 7, 20, 20, 17, 40, 999999, AT.tzinfo), AT, AT - MICROSECOND,
           AT + MICROSECOND, AT - timedelta(milliseconds=500), AT - DAY)  # fmt: skip


async def indexed(database: Database, chance: random.Random) -> World:
    """A dataset of objects whose subjects lie scattered; some subjects never say anything."""
    world = await populate(database)
    rows = [
        {"dataset_id": world.dataset, "index_version": 1, "position": n, "path": f"{n}.jpg",
         "subject": f"s{chance.randrange(SUBJECTS + 3)}", "bytes": 1, "modified_ns": 0,
         "media_type": "image/jpeg", "taken_at": chance.choice(MOMENTS)}
        for n in range(OBJECTS)
    ]  # fmt: skip

    def fill(unit: Unit) -> None:
        datasets.append_objects(unit.session, rows)
        datasets.publish_index(unit.session, world.dataset, 1)

    await database.write(fill)
    return world


async def said(database: Database, chance: random.Random, count: int) -> int:
    """Some random events in one append; the position of the last."""
    rows = []
    for _ in range(count):
        row = asdict(random_event(chance, 0))
        del row["position"]
        rows.append({**row, "source": "test"})
    return await database.write(lambda unit: consents.append(unit, rows))


async def ask(
    database: Database,
    world: World,
    question: Question,
    *,
    kept: Snapshots | None = None,
    wanted: Filter = EVERYTHING,
    upto: int | None = None,
) -> Decision:
    """The whole scope decided."""

    def run(session: Session) -> Decision:
        asked = Asked(question, world.dataset, 1, wanted, micros(AT), upto=upto)
        return (kept or snapshots_of(session)).decided(session, asked)

    return await database.read(run)


async def by_rule(
    database: Database,
    world: World,
    question: Question,
    wanted: Filter = EVERYTHING,
    upto: int | None = None,
) -> list[Exclusion | None]:
    """The pure rule over each object that the database picks, with its subject's text events."""

    def run(session: Session) -> list[Exclusion | None]:
        after, before = (
            None if bound is None else AT + (bound - micros(AT)) * MICROSECOND
            for bound in (wanted.after, wanted.before)
        )
        picked = session.exec(datasets.in_scope(world.dataset, 1, after, before)).all()
        subjects = [one.subject for one in picked][: wanted.limit]
        events = consents.of_subjects(session, sorted(set(subjects)))
        return [
            verify(
                question,
                [e for e in events.get(name, ()) if upto is None or e.position <= upto],
                AT,
            ).excluded
            for name in subjects
        ]

    return await database.read(run)


@pytest.mark.parametrize("seed", range(6))
async def test_a_database_is_decided_as_by_the_rule(database: Database, seed: int) -> None:
    """Read from a database, followed from append to append and gone back to any position, each
    object has the answer of the pure rule over the text of the ledger."""
    chance = random.Random(seed)
    world, question = await indexed(database, chance), random_question(chance)
    assert set((await ask(database, world, question)).reasons()) == {Exclusion.NEVER_ASKED}
    for _ in range(4):
        last = await said(database, chance, chance.randrange(1, 40))
        decision = await ask(database, world, question)
        assert decision.position == last
        assert list(decision.reasons()) == await by_rule(database, world, question)
        then = chance.randrange(0, last + 1)
        past = await ask(database, world, question, upto=then)
        assert past.position == then
        assert list(past.reasons()) == await by_rule(database, world, question, upto=then)


@pytest.mark.parametrize("after", [None, *filter(None, MOMENTS)])
@pytest.mark.parametrize("before", [None, AT, AT + MICROSECOND])
async def test_filters_pick_what_sql_picks(
    database: Database, after: datetime | None, before: datetime | None
) -> None:
    """A filter by date picks the objects that the database picks, to the microsecond."""
    chance = random.Random(3)
    world, question = await indexed(database, chance), random_question(chance)
    await said(database, chance, 80)
    bounds = [None if bound is None else micros(bound) for bound in (after, before)]
    wanted = Filter(bounds[0], bounds[1], chance.randrange(OBJECTS))
    decision = await ask(database, world, question, wanted=wanted)
    assert list(decision.reasons()) == await by_rule(database, world, question, wanted)


async def harmed(database: Database, *statements: str) -> None:
    """The database changed by somebody who first took its guards down."""

    def run(unit: Unit) -> None:
        connection = unit.session.connection()
        if connection.dialect.name == "sqlite":
            for act in ("update", "delete", "replace"):
                connection.execute(text(f"DROP TRIGGER consent_checkpoint_no_{act}"))
        else:
            connection.execute(text("ALTER TABLE consent_checkpoint DISABLE TRIGGER USER"))
        for statement in statements:
            connection.execute(text(statement))

    await database.write(run)


async def test_a_changed_ledger_is_not_counted(database: Database) -> None:
    """A checkpoint changed in the database is refused, by a snapshot that is made anew."""
    chance = random.Random(4)
    world, question = await indexed(database, chance), random_question(chance)
    for _ in range(3):
        await said(database, chance, 10)
    await harmed(database, "UPDATE consent_checkpoint SET events_sha256 = 'x' WHERE last = 20")
    with pytest.raises(LedgerBroken):
        await ask(database, world, question)


async def test_a_snapshot_is_not_believed_over_its_ledger(database: Database) -> None:
    """Where the checkpoint that a snapshot stands at is gone or another, what it says is thrown
    away, and the ledger as it now is decides: here it was put back to an earlier day, and went on
    in another way."""
    chance, kept = random.Random(5), Snapshots()
    world, question = await indexed(database, chance), random_question(chance)
    for _ in range(2):
        await said(database, chance, 10)
    assert (await ask(database, world, question, kept=kept)).position == 20
    await harmed(
        database,
        "DELETE FROM consent_checkpoint WHERE last = 20",
    )
    assert (await ask(database, world, question, kept=kept)).position == 10
    past = await ask(database, world, question, upto=10)
    now = await ask(database, world, question, kept=kept)
    assert list(now.reasons()) == list(past.reasons())


async def test_what_was_not_committed_is_never_in_a_snapshot(database: Database) -> None:
    """An append that was rolled back is in no answer."""
    chance, kept = random.Random(6), Snapshots()
    world, question = await indexed(database, chance), random_question(chance)
    await said(database, chance, 30)
    before = await ask(database, world, question, kept=kept)

    def fail(unit: Unit) -> None:
        row = asdict(random_event(chance, 0))
        del row["position"]
        consents.append(unit, [{**row, "source": "test"}])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fail)
    assert (await ask(database, world, question, kept=kept)).sha256() == before.sha256()


async def test_an_index_is_read_in_pages(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many objects at a time: an array for each single one of three million took 1.4 GiB."""
    chance = random.Random(12)
    world = await indexed(database, chance)
    monkeypatch.setattr(scope, "PAGE", 7)
    pages = list[int]()

    def read(session: Session) -> None:
        given = {"dataset": world.dataset, "index": 1, "unknown": UNKNOWN}
        packed = session.get_bind().dialect.name == "postgresql"
        for numbers, moments in (scope._packed if packed else scope._plain)(session, given):
            assert len(numbers) == len(moments)
            pages.append(len(numbers))

    await database.read(read)
    assert sum(pages) == OBJECTS
    assert pages[:-1] == [] or set(pages[:-1]) == {7}


async def test_a_count_tells_how_far_it_has_come(database: Database) -> None:
    """The objects are read and the events folded step by step, to the last one; what is known
    already is not gone through again."""
    chance = random.Random(11)
    world, question = await indexed(database, chance), random_question(chance)
    last = await said(database, chance, 40)
    kept, told = Snapshots(), list[tuple[str, int, int]]()

    def tell(*step: Any) -> None:
        told.append(step)

    asked = Asked(question, world.dataset, 1, EVERYTHING, micros(AT))
    await database.read(lambda s: kept.decided(s, asked, tell))
    assert told == sorted(told, key=lambda step: (step[0] == "events", step[1]))
    assert ("objects", OBJECTS, OBJECTS) in told
    assert told[-1] == ("events", last, last)
    told.clear()
    await said(database, chance, 5)
    await database.read(lambda s: kept.decided(s, asked, tell))
    assert told[-1] == ("events", 5, 5)
    assert {step for step, _, _ in told} == {"events"}
