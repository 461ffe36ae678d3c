"""What lapses between shard and release: who said no, and consent that ran out."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from sharing import vocabulary
from sharing.export.plan import Bounds, cut
from sharing.export.select import Proof, choose, lapsed, look_ahead
from sharing.jurisdiction import Rules
from sharing.records import consents, heads, news, notices, requests, scopes
from sharing.records.database import Database
from sharing.records.exports import ExportShard
from sharing.records.places import marked
from sharing.records.tables import now
from sharing.records.unit import Unit
from tests.records.shelf import DAY, Shelf, said, scope, shelf


def packed(session: Session, request: Any, revision: Any, size: int, at: datetime
           ) -> tuple[list[ExportShard], dict[int, set[str]]]:  # fmt: skip
    """The shards of a scope as they would be committed at a moment, and who is in each."""
    shards, inside = [], {}
    for number, piece in enumerate(cut(scopes.sizes(session, revision), Bounds(size, 10**9))):
        first, last = piece.first, piece.last
        shard = ExportShard(export_id="x", number=number, first=first, last=last)
        part = choose(session, request, revision, shard, at)
        shard.consent_position, shard.consent_until = part.position, part.until
        shard.consent_terms = part.terms
        shard.places = marked(first, last, part.places)
        shards.append(shard)
        inside[number] = {candidate.subject for candidate in part.candidates}
    return shards, inside


async def stale(
    there: Shelf, shards: Sequence[ExportShard], at: datetime, proof: Proof | None = None
) -> list[int]:
    """The shards that may not be released at a moment."""

    def ask(unit: Unit) -> list[int]:
        request = requests.get(unit.session, there.request)
        revision = requests.revision_row(unit.session, request)
        return lapsed(unit.session, request, revision, shards, at, proof)

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


async def test_what_was_excluded_holds_up_nothing(database: Database, tmp_path: Path) -> None:
    """A shard in whose reach a subject lies that is not in it may go, whatever the subject says."""
    there = await shelf(database, tmp_path, scope(), 7)
    shards, inside = await there.look(packed, 11, now())
    for shard in shards:
        shard.consent_until = None
    out = sorted({f"s{n:03}" for n in range(60)} - set().union(*inside.values()))
    for subject in out[:5]:
        await there.desk.world.say(subject, "withdrawn")
    assert await stale(there, shards, now()) == []
    for shard in shards:
        shard.places = None  # as if nobody had recorded who is in it
    assert await stale(there, shards, now()) != []


@pytest.mark.parametrize("change", ["notice", "rules", "vocabulary"])
async def test_other_terms_hold_every_shard(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Where a notice no longer stands, or rules or vocabulary became others since the shards were
    made, none of them may go as it is; a notice about something else changes nothing."""
    there = await shelf(database, tmp_path, scope(), 7)
    shards, _ = await there.look(packed, 11, now())
    for shard in shards:
        shard.consent_until = None

    def notice(name: str, version: str, purpose: str) -> Any:
        told = (name, version, "Words.", [purpose], ["pd:Picture"])
        return database.write(lambda u: notices.add(u.session, *told))

    await notice("ads", "2", "dpv:Marketing")
    assert await stale(there, shards, now()) == []
    if change == "notice":
        await notice("privacy", "2", "ai:ModelTraining")
    elif change == "rules":
        monkeypatch.setattr(Rules, "digest", lambda self: "another")
    else:
        monkeypatch.setattr(vocabulary, "digest", lambda: "another")
    assert await stale(there, shards, now()) == [shard.number for shard in shards]


async def test_what_was_proven_is_not_looked_at_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release reads only events behind the proof; what is said after it counts all the same."""
    there = await shelf(database, tmp_path, scope(), 7)
    shards, inside = await there.look(packed, 11, now())
    for shard in shards:
        shard.consent_until = None
    subject, other = sorted(set().union(*inside.values()))[:2]
    await there.desk.world.say(subject)
    proof, none = await there.look(look_ahead, shards, now())
    read, since = list[str](), news.since

    def watched(*given: Any) -> dict[str, news.Said]:
        found = since(*given)
        read.extend(found)
        return found

    monkeypatch.setattr(news, "since", watched)
    assert none == []
    assert await stale(there, shards, now(), proof) == []
    assert read == []
    await there.desk.world.say(other, "withdrawn")
    held = [number for number, subjects in inside.items() if other in subjects]
    assert await stale(there, shards, now(), proof) == held
    assert read == [other]
    assert (await there.look(look_ahead, shards, now()))[1] == held


async def test_a_proof_ends_when_a_later_yes_runs_out(database: Database, tmp_path: Path) -> None:
    """A yes that was said again, for a shorter time, after the shard was made holds the shard from
    the moment at which it runs out, also where it was proven before that."""
    there = await shelf(database, tmp_path, scope(), 7)
    shards, inside = await there.look(packed, 11, now())
    for shard in shards:
        shard.consent_until = None
    subject, until = min(inside[0]), now() + DAY
    await there.desk.world.say(subject, valid_until=until)
    proof, none = await there.look(look_ahead, shards, now())
    assert (none, proof.until) == ([], until)
    held = [number for number, subjects in inside.items() if subject in subjects]
    assert await stale(there, shards, until - timedelta(microseconds=1), proof) == []
    assert await stale(there, shards, until, proof) == held


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
        await other.write(lambda u: consents.append(u, event))
        before, after = await held
        assert before == after
