"""The ledger proves whole as written, and every tampering past the guards is found and named."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, inspect, text
from sqlmodel import Session, select

from sharing.records import ledger, ledger_proof
from sharing.records.audit import AuditEntry
from sharing.records.database import Database
from sharing.records.ledger import Checkpoint, LedgerBroken
from sharing.records.ledger_proof import Proven
from tests.records.test_audit import on
from tests.records.test_ledger import append, said

TABLES = ("consent_event", "consent_checkpoint", "consent_statement", "subject", "audit_entry")
GUARDS = {"sqlite": ("no_update", "no_delete", "no_replace"),
          "postgresql": ("append_only", "no_truncate")}  # fmt: skip
CUT = ("DELETE FROM consent_event WHERE position > 6",
       "DELETE FROM consent_checkpoint WHERE last > 6")  # fmt: skip
SWAPPED = ("UPDATE {table} SET {key} = -1 WHERE {key} = {one}",
           "UPDATE {table} SET {key} = {one} WHERE {key} = {other}",
           "UPDATE {table} SET {key} = {other} WHERE {key} = -1")  # fmt: skip


def swapped(table: str, key: str, one: int, other: int) -> tuple[str, ...]:
    """Two rows take each other's key."""
    return tuple(s.format(table=table, key=key, one=one, other=other) for s in SWAPPED)


# What is done to a ledger of seven events in the checkpoints 1-3, 4, 5-6 and 7, and what is said.
TAMPERINGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "who": ("Event 2 was", ("UPDATE consent_event SET subject = 'a' WHERE position = 2",)),
    "a stranger": ("Event 2 was", ("UPDATE consent_event SET subject = 'z' WHERE position = 2",)),
    "a yes": ("Event 5 was", ("UPDATE consent_event SET action = 'given' WHERE position = 5",)),
    "explicit": ("Event 3 was", ("UPDATE consent_event SET explicit = false WHERE position = 3",)),
    "a minor": ("Event 4 was", ("UPDATE consent_event SET minor = false WHERE position = 4",)),
    "when": ("Event 6 was", ("UPDATE consent_event SET at = recorded_at WHERE position = 6",)),
    "until": ("Event 1 was", ("UPDATE consent_event SET valid_until = NULL WHERE position = 1",)),
    "source": ("event from 5 to 6",
               ("UPDATE consent_event SET source = 'x' WHERE position = 6",)),
    "evidence": ("Event 4 was", ("UPDATE consent_event SET evidence = 'x' WHERE position = 4",)),
    "recorded": ("event from 1 to 3",
                 ("UPDATE consent_event SET recorded_at = at WHERE position = 2",)),
    "event deleted": ("Event 5 is", ("DELETE FROM consent_event WHERE position = 5",)),
    "first deleted": ("Event 1 is", ("DELETE FROM consent_event WHERE position = 1",)),
    "last deleted": ("Event 7 is", ("DELETE FROM consent_event WHERE position = 7",)),
    "all deleted": ("Event 1 is", ("DELETE FROM consent_event",)),
    "gap closed": ("Event 2 was", ("DELETE FROM consent_event WHERE position = 2",
                                   "UPDATE consent_event SET position = 2 WHERE position = 3",
                                   "UPDATE consent_event SET position = 3 WHERE position = 4")),
    "events swapped": ("Event 1 was", swapped("consent_event", "position", 1, 6)),
    "event added": ("Event 99 was never", (
        "UPDATE consent_event SET position = 99 WHERE position = 7",
        "DELETE FROM consent_checkpoint WHERE last = 7",
        "UPDATE head SET position = 6 WHERE name = 'consent'",
        "DELETE FROM audit_entry WHERE action = 'consents.linked'")),
    "columns": ("checkpoint at position 6 was",
                ("UPDATE consent_checkpoint SET columns = (SELECT columns FROM consent_checkpoint "
                 "WHERE last = 4) WHERE last = 6",)),
    "digest": ("checkpoint at position 4 was",
               ("UPDATE consent_checkpoint SET events_sha256 = hash WHERE last = 4",)),
    "hash": ("checkpoint at position 4 was",
             ("UPDATE consent_checkpoint SET hash = previous WHERE last = 4",)),
    "previous": ("checkpoint at position 4 was",
                 ("UPDATE consent_checkpoint SET previous = hash WHERE last = 4",)),
    "range": ("checkpoint of position 4 is",
              ("UPDATE consent_checkpoint SET first = 3 WHERE last = 4",)),
    "checkpoint deleted": ("checkpoint of position 4 is",
                           ("DELETE FROM consent_checkpoint WHERE last = 4",)),
    "last checkpoint deleted": ("Event 7 is missing: the audit log",
                                ("DELETE FROM consent_checkpoint WHERE last = 7",)),
    "checkpoints swapped": ("checkpoint of position 4 is",
                            swapped("consent_checkpoint", "last", 4, 7)),
    "end cut off": ("Event 7 is missing: the audit log", CUT),
    "end cut off, and its head": (
        "Event 7 is missing: the audit log",
        (*CUT, "UPDATE head SET position = 6 WHERE name = 'consent'")),
    "end cut off, and the log": (
        "checkpoint of position 7 is",
        (*CUT, "DELETE FROM audit_entry WHERE action = 'consents.linked'")),
    "log silent": ("checkpoint at position 4 is not",
                   ("DELETE FROM audit_entry WHERE position = 2",)),
    "subject renamed": ("subject of event 1 was renumbered",
                        ("UPDATE subject SET name = 'z' WHERE name = 'a'",)),
    "subjects swapped": ("subject of event 1 was renumbered", swapped("subject", "number", 0, 1)),
    "subject removed": ("numbers of subjects", ("DELETE FROM subject WHERE number = 2",)),
    "statement": ("statement of event 1 was renumbered",
                  ("UPDATE consent_statement SET terms = '[]' WHERE number = 0",)),
    "statements swapped": ("statement of event 1 was renumbered",
                           swapped("consent_statement", "number", 0, 1)),
    "statement removed": ("numbers of statements",
                          ("DELETE FROM consent_statement WHERE number = 1",)),
}  # fmt: skip


async def filled(database: Database) -> None:
    """Seven events in four checkpoints."""
    until = datetime(2040, 1, 1, tzinfo=UTC)
    await append(database, said("a", valid_until=until), said("b"), said("c"))
    await append(database, said("b", minor=True, evidence="e/1", source_id="1"))
    await append(database, said("a", action="withdrawn"), said("c", jurisdiction="US-IL"))
    await append(database, said("b", action="refused"))


def unguarded(connection: Connection) -> None:
    """Takes away the guards: an owner of the database can."""
    connection.execute(text("UPDATE head SET position = position"))  # a transaction is open
    name = connection.dialect.name
    for table in TABLES:
        for guard in GUARDS[name]:
            suffix = "" if name == "sqlite" else f" ON {table}"
            connection.execute(text(f"DROP TRIGGER {table}_{guard}{suffix}"))


def proven(connection: Connection) -> str:
    """What the proof says of the ledger: why it is broken, or nothing."""
    with Session(connection) as session:
        try:
            ledger_proof.prove(session)
        except LedgerBroken as broken:
            return str(broken)
    return ""


async def test_the_ledger_is_whole_as_written(database: Database) -> None:
    """What was appended proves whole; so does a ledger without an event."""
    assert await database.read(ledger_proof.prove) == Proven(0, 0, ledger.GENESIS, None)
    await filled(database)
    told: list[tuple[int, int]] = []
    found = await database.read(lambda s: ledger_proof.prove(s, lambda *now: told.append(now)))
    head = await database.read(lambda s: ledger.head(s.connection()))
    assert found == Proven(7, 4, head[1], 1)
    assert told == [(3, 7), (4, 7), (6, 7), (7, 7)]


async def test_every_tampering_is_found(database: Database, database_url: str) -> None:
    """Whatever is changed, removed, swapped or cut off with the guards taken away, the proof says
    so, and names the first position that does not hold."""
    await filled(database)

    def tamper(connection: Connection) -> None:
        unguarded(connection)
        wrong = {}
        for kind, (expected, statements) in TAMPERINGS.items():
            point = connection.begin_nested()
            for statement in statements:
                connection.exec_driver_sql(statement)
            said = proven(connection)
            if expected not in said:
                wrong[kind] = said
            point.rollback()
        assert wrong == {}
        assert proven(connection) == ""

    await on(database_url, tamper)


async def test_every_column_is_proven(database: Database, database_url: str) -> None:
    """No column of an event or of a checkpoint, `at` of the latter aside, can be changed unseen."""
    await filled(database)

    def tamper(connection: Connection) -> None:
        unguarded(connection)
        for table, key in (("consent_event", "position"), ("consent_checkpoint", "last")):
            for column in inspect(connection).get_columns(table):
                name = column["name"]
                if name in (key, "at" if key == "last" else key):
                    continue
                point = connection.begin_nested()
                changed = connection.exec_driver_sql(
                    f"UPDATE {table} SET {name} = {_other(name)} WHERE {key} = 4"
                )
                assert changed.rowcount == 1
                assert "4" in proven(connection), name
                point.rollback()

    await on(database_url, tamper)


def _other(name: str) -> str:
    """Another value of a column than the fourth event and the checkpoint at position 4 have."""
    match name:
        case "explicit" | "minor":
            return "NOT " + name
        case "at" | "recorded_at" | "valid_until":
            return "'2001-01-01 00:00:00.000000'"
        case "first":
            return "3"
        case "columns":
            return "(SELECT columns FROM consent_checkpoint WHERE last = 7)"
    return "'other'"


async def test_a_ledger_written_anew_does_not_match_the_log(
    database: Database, database_url: str
) -> None:
    """Who changes an event and makes every checkpoint anew has a chain that holds, but not the
    one that the audit log names."""
    await filled(database)

    def rewrite(connection: Connection) -> None:
        unguarded(connection)
        connection.exec_driver_sql("UPDATE consent_event SET evidence = 'x' WHERE position = 4")
        with Session(connection) as session:
            events, previous = ledger_proof.events(session, 7), ledger.GENESIS
            for found in session.exec(select(Checkpoint).order_by("last")).all():
                rows = [next(events) for _ in range(found.first, found.last + 1)]
                found.events_sha256 = ledger.events_digest(ledger_proof.batch(rows))
                found.previous = previous
                found.hash = previous = ledger.link(
                    previous, found.first, found.last, found.events_sha256, found.columns
                )
            session.flush()
        assert proven(connection) == (
            "The checkpoint at position 4 is not the one that the audit log names."
        )
        connection.exec_driver_sql("DELETE FROM audit_entry WHERE action = 'consents.linked'")
        assert proven(connection) == ""  # the chain holds: the log, which is now broken, tells

    await on(database_url, rewrite)


async def test_checkpoints_from_before_the_log_named_them(
    database: Database, database_url: str
) -> None:
    """Checkpoints made for events that a database held already are proven without a witness."""
    await filled(database)

    def older(connection: Connection) -> None:
        unguarded(connection)
        first = (
            select(AuditEntry.position)
            .where(AuditEntry.action == ledger.LINKED)
            .order_by("position")
        )
        position = connection.execute(first).scalars().first()
        connection.exec_driver_sql(f"DELETE FROM audit_entry WHERE position = {position}")
        with Session(connection) as session:
            assert ledger_proof.prove(session).witnessed == 4

    await on(database_url, older)


@pytest.mark.parametrize("size", [1, 3])
async def test_pages_do_not_matter(
    database: Database, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """A ledger, and a log, that are read in many pages prove as in one."""
    await filled(database)
    whole = await database.read(ledger_proof.prove)
    monkeypatch.setattr(ledger_proof, "PAGE", size)
    assert await database.read(ledger_proof.prove) == whole
