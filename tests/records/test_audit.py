"""The log: it verifies as written, every way of tampering with it is found, and it only grows."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import Session

from sharing.records import audit, requests
from sharing.records.audit import GENESIS, AuditEntry, LogBroken, entry_hash
from sharing.records.database import Database
from sharing.stages import GATES, Outcome, RequestState, Stage
from tests.records.desk import at_desk

REVIEW, CONSENT = Stage.PURPOSE_REVIEW, Stage.CONSENT_VERIFICATION
GUARDS = {
    "sqlite": ("audit_entry_no_update", "audit_entry_no_delete", "audit_entry_no_replace"),
    "postgresql": ("audit_entry_append_only", "audit_entry_no_truncate"),
}
COPY = (
    "INSERT INTO audit_entry (position, at, actor, action, request_id, detail, previous, hash) "
    "SELECT {position}, at, actor, action, request_id, detail, previous, hash FROM audit_entry "
    "WHERE position = {of}"
)
# What is done to the log, and the position at which that is noticed.
TAMPERINGS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "actor": (4, ("UPDATE audit_entry SET actor = 'per_other' WHERE position = 4",)),
    "action": (4, ("UPDATE audit_entry SET action = 'nothing.done' WHERE position = 4",)),
    "detail": (3, ("UPDATE audit_entry SET detail = '{\"stage\": \"other\"}' WHERE position = 3",)),
    "request": (5, ("UPDATE audit_entry SET request_id = 'req_other' WHERE position = 5",)),
    "no request": (5, ("UPDATE audit_entry SET request_id = NULL WHERE position = 5",)),
    "moment": (2, ("UPDATE audit_entry SET at = (SELECT MIN(at) FROM audit_entry WHERE "
                   "position = 1) WHERE position = 2",)),
    "hash": (6, ("UPDATE audit_entry SET hash = previous WHERE position = 6",)),
    "previous": (6, ("UPDATE audit_entry SET previous = hash WHERE position = 6",)),
    "first removed": (1, ("DELETE FROM audit_entry WHERE position = 1",)),
    "one removed": (3, ("DELETE FROM audit_entry WHERE position = 3",)),
    "one removed, gap closed": (3, (
        "DELETE FROM audit_entry WHERE position = 3",
        "UPDATE audit_entry SET position = position + 1000 WHERE position > 3",
        "UPDATE audit_entry SET position = position - 1001 WHERE position > 3")),
    "last removed": (0, ("DELETE FROM audit_entry WHERE position = "
                         "(SELECT MAX(position) FROM audit_entry)",)),
    "all removed": (1, ("DELETE FROM audit_entry",)),
    "two swapped": (3, (
        "UPDATE audit_entry SET position = -1 WHERE position = 3",
        "UPDATE audit_entry SET position = 3 WHERE position = 4",
        "UPDATE audit_entry SET position = 4 WHERE position = -1")),
    "one repeated": (0, (COPY.format(of=2, position="(SELECT MAX(position) FROM audit_entry) + 1"
                                     ),)),
    "one before the first": (1, (COPY.format(position=0, of=1),)),
}  # fmt: skip


async def walked(database: Database, home: Path) -> int:
    """A log with two requests in it, one refused and one cleared; returns its length."""
    desk = await at_desk(database, home)
    request, digest = await desk.submitted()
    await desk.opened(request, digest, REVIEW)
    await desk.decided(request, digest, REVIEW, Outcome.REFUSED)
    await desk.cleared()
    return (await database.read(audit.verify))[0]


async def on(database_url: str, work: Callable[[Connection], None]) -> None:
    """Runs `work` past all our code and takes back all that it did."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()


def unguarded(connection: Connection) -> None:
    """Takes away the guards: an owner of the database can."""
    name = connection.dialect.name
    for guard in GUARDS[name]:
        suffix = "" if name == "sqlite" else " ON audit_entry"
        connection.execute(text(f"DROP TRIGGER {guard}{suffix}"))


def found_at(connection: Connection) -> str:
    """What the verifier says of the log."""
    with Session(connection) as session, pytest.raises(LogBroken) as broken:
        audit.verify(session)
    return str(broken.value)


async def test_every_tampering_is_found(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Whatever is changed, removed, swapped or added with the guards taken away, the verifier
    says so, and names the first entry that is not as it was written."""
    length = await walked(database, tmp_path)

    def tamper(connection: Connection) -> None:
        connection.execute(text("UPDATE head SET position = position"))  # a transaction is open
        unguarded(connection)
        for kind, (noticed, statements) in TAMPERINGS.items():
            point = connection.begin_nested()
            for statement in statements:
                connection.exec_driver_sql(statement)
            expected = noticed or {"last removed": length, "one repeated": length + 1}[kind]
            assert f"Entry {expected} " in found_at(connection), kind
            point.rollback()
        with Session(connection) as session:
            assert audit.verify(session)[0] == length

    await on(database_url, tamper)


async def test_an_entry_with_a_hash_of_its_own_is_found(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Who changes an entry and makes its own hash right again is found at the next entry, which
    is linked to the hash that was."""
    await walked(database, tmp_path)

    def rehash(connection: Connection) -> None:
        connection.execute(text("UPDATE head SET position = position"))
        unguarded(connection)
        with Session(connection) as session:
            entry = session.get_one(AuditEntry, 4)
            entry.actor = "per_other"
            entry.hash = entry_hash(entry.model_dump(exclude={"hash"}))
            session.flush()
            with pytest.raises(LogBroken, match="Entry 5 "):
                audit.verify(session)

    await on(database_url, rehash)


async def test_a_log_written_anew_does_not_match_its_witness(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Who rewrites an entry and every hash behind it makes a log that verifies, but its head is
    not the one that manifests carry (I15)."""
    await walked(database, tmp_path)
    witnessed = await database.read(audit.head)

    def rewrite(connection: Connection) -> None:
        connection.execute(text("UPDATE head SET position = position"))
        unguarded(connection)
        with Session(connection) as session:
            previous = GENESIS
            for entry in audit.page(session, 0, witnessed[0]):
                entry.actor = "per_other" if entry.position == 4 else entry.actor
                entry.previous = previous
                row = entry.model_dump(exclude={"hash"})
                entry.hash = previous = entry_hash(row)
            session.flush()
            assert audit.verify(session)[0] == witnessed[0]
            assert audit.head(session) != witnessed

    await on(database_url, rewrite)


async def test_the_log_never_shrinks(database: Database, tmp_path: Path) -> None:
    """Return, revision, withdrawal and expiry each add entries, hide none, and leave decisions
    readable (F6, F7)."""
    desk = await at_desk(database, tmp_path)
    lengths: list[int] = []
    seen: list[AuditEntry] = []

    async def look() -> None:
        entries = await database.read(lambda s: audit.page(s, 0, 10_000))
        assert [e.hash for e in entries][: len(seen)] == [e.hash for e in seen]
        seen[:] = entries
        lengths.append(len(entries))

    first, digest = await desk.submitted()
    await desk.opened(first, digest, REVIEW)
    await look()
    await desk.decided(first, digest, REVIEW, Outcome.RETURNED)
    await look()
    digest = await desk.revised(first, 2, retention_days=30)
    await look()
    await desk.passed(first, digest, REVIEW, CONSENT)
    await look()
    await desk.withdrawn(first)
    await look()
    second, digest = await desk.submitted()
    await desk.opened(second, digest, REVIEW)
    await look()
    await desk.lapsed(second, digest, RequestState.PURPOSE_REVIEW)
    await look()
    assert lengths == sorted(set(lengths))
    taken = await database.read(lambda s: requests.decisions_of(s, first))
    assert [d.outcome for d in taken] == ["returned", "approved", "approved"]
    assert (await database.read(audit.verify))[0] == lengths[-1]


async def test_a_decision_and_its_entry_stand_together(database: Database, tmp_path: Path) -> None:
    """Every decision has exactly one audit entry and one event by which it was told."""
    desk = await at_desk(database, tmp_path)
    request, _ = await desk.cleared()
    entries = await database.read(lambda s: audit.page(s, 0, 10_000, request))
    told = [e.detail["decision"] for e in entries if e.action == "decision.taken"]
    taken = await database.read(lambda s: requests.decisions_of(s, request))
    assert told == [d.id for d in taken]
    assert [d.stage for d in taken] == list(GATES)


words = st.text(st.characters(exclude_categories=["Cs"]))
values = words | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.none()


@given(
    actor=words,
    detail=st.dictionaries(
        words, values | st.floats(allow_nan=False, allow_infinity=False) | st.lists(values)
    ),
)
def test_hash_is_over_the_canonical_form(actor: str, detail: dict[str, Any]) -> None:
    """Whatever an entry holds, its hash is that of its RFC 8785 form."""
    at = datetime(2026, 1, 2, tzinfo=UTC)
    row: dict[str, Any] = {
        "position": 7,
        "at": at,
        "actor": actor,
        "detail": detail,
        "previous": GENESIS,
    }
    canonical = rfc8785.dumps({**row, "at": at.isoformat()})
    assert entry_hash(row) == hashlib.sha256(canonical).hexdigest()
