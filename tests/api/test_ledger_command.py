"""`clearance consent verify` and `audit verify`: a whole ledger, and one that was changed."""

import asyncio
import json
import sqlite3

import pytest

from api import cli
from sharing.records.database import Database
from tests.records.test_ledger import append, said


@pytest.fixture
def file(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with three events in two checkpoints."""

    async def fill() -> None:
        async with Database(sqlite_url) as database:
            await append(database, said("a"), said("b"))
            await append(database, said("c"))

    monkeypatch.setenv("CLEARANCE_DATABASE_URL", sqlite_url)
    asyncio.run(fill())
    return sqlite_url.removeprefix("sqlite+aiosqlite:///")


def tampered(file: str) -> None:
    """Changes the second event, past the guards."""
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TRIGGER consent_event_no_update")
        connection.execute("UPDATE consent_event SET action = 'refused' WHERE position = 2")
    connection.close()


def test_a_whole_ledger(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A ledger as it was written verifies, alone and behind the audit log."""
    assert cli.run(["consent", "verify", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["events"], told["checkpoints"]) == (True, 3, 2)
    assert cli.run(["audit", "verify", "--json"]) == 0
    log = json.loads(capsys.readouterr().out)
    assert log["consents"] == {key: told[key] for key in ("events", "checkpoints", "head")}
    assert cli.run(["consent", "verify"]) == 0
    assert capsys.readouterr().out.startswith("3 consent events in 2 checkpoints, none missing")


@pytest.mark.parametrize("noun", ["consent", "audit"])
def test_a_changed_ledger(file: str, noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed event is named by its position, by either command, with exit code 1."""
    tampered(file)
    assert cli.run([noun, "verify"]) == 1
    assert capsys.readouterr().err == "ledger_broken: Event 2 was changed.\n"
    assert cli.run([noun, "verify", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "ok": False, "code": "ledger_broken", "detail": "Event 2 was changed.",
    }  # fmt: skip
