"""Files of consent events into a real API: every form, every kind of bad line, killed, again."""

import asyncio
import csv
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlmodel import Session, col, select

from sharing.records import ledger_proof
from sharing.records.consents import Consent
from tests.api.bodies import CONSENT
from tests.api.served import served
from tests.api.world import World

MICROS = datetime(2024, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)


def event(n: int, **changes: Any) -> dict[str, Any]:
    """The n-th of many good events."""
    return {**CONSENT, "subject": f"s{n}", "at": MICROS.isoformat(), "minor": False, **changes}


def ndjson(events: list[dict[str, Any]]) -> bytes:
    """Events as NDJSON."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in events)


def as_csv(events: list[dict[str, Any]]) -> bytes:
    """Events as CSV with a heading."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(events[0]))
    writer.writeheader()
    writer.writerows(events)
    return text.getvalue().encode()


def as_parquet(events: list[dict[str, Any]]) -> bytes:
    """Events as Parquet, with times finer than the ledger's."""
    table = pa.Table.from_pylist(events)
    times = pa.array([MICROS] * len(events), pa.timestamp("us", "UTC"))
    finer = times.cast(pa.timestamp("ns", "UTC"))
    sink = io.BytesIO()
    parquet.write_table(table.set_column(table.schema.get_field_index("at"), "at", finer), sink)
    return sink.getvalue()


async def imported(url: str, world: World, file: Path) -> asyncio.subprocess.Process:
    """`clearance consent import`, started as a process of its own."""
    words = ["consent", "import", str(file), "--json", "--url", url]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.cli", *words, "--token", world.tokens["consent_steward"],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def told(url: str, world: World, file: Path) -> tuple[int | None, Any]:
    """The exit code and the answer of a whole import."""
    process = await imported(url, world, file)
    out, err = await process.communicate()
    assert out, err.decode()
    return process.returncode, json.loads(out)


@pytest.fixture
async def url(there: World) -> AsyncIterator[str]:
    """The address of the application, really served."""
    async with served(there.app) as client:
        yield str(client.base_url)


def rows(session: Session) -> list[tuple[Any, ...]]:
    """What matters of every event, in order."""
    columns = select(Consent.subject, Consent.at, Consent.minor, Consent.source_id)
    return [tuple(row) for row in session.exec(columns.order_by(col(Consent.position)))]


@pytest.mark.parametrize(
    ("suffix", "form"),
    [(".ndjson", ndjson), (".csv", as_csv), (".parquet", as_parquet)],
    ids=["ndjson", "csv", "parquet"],
)
async def test_each_form_is_taken_once(
    there: World,
    url: str,
    tmp_path: Path,
    suffix: str,
    form: Callable[[list[dict[str, Any]]], bytes],
) -> None:
    """A file goes in whole, in its order, with its types; sent again, all of it is known."""
    before = await there.database.read(rows)
    file = tmp_path / f"said{suffix}"
    file.write_bytes(form([event(n) for n in range(50)]))
    code, answer = await told(url, there, file)
    assert (code, answer["accepted"], answer["known"], answer["refused"]) == (0, 50, 0, [])
    after = (await there.database.read(rows))[len(before) :]
    assert [row[:3] for row in after] == [(f"s{n}", MICROS, False) for n in range(50)]
    assert len({row[3] for row in after}) == 50
    code, again = await told(url, there, file)
    assert (code, again["accepted"], again["known"]) == (0, 0, 50)
    assert len(await there.database.read(rows)) == len(before) + 50


BAD = {
    b'{"subject": "x"': "not JSON",
    b"[1, 2]": "not an object",
    b'"text"': "not an object",
    b'{"subject": "\xff\xfe"}': "not UTF-8",
    b"[" * 20_000: "not JSON",
    b'{"subject": "' + b"x" * 70_000 + b'"}': "longer than 64 KiB",
    b"{}": "subject",
    json.dumps(event(0, purpose="ai:Fun")).encode(): "purpose",
    json.dumps(event(0, notice_version="99")).encode(): "notice",
    json.dumps(event(0, at="2999-01-01T00:00:00Z")).encode(): "at",
    json.dumps(event(0, explicit="maybe")).encode(): "explicit",
    json.dumps(event(0, source_id=7)).encode(): "source_id",
    json.dumps(event(0, subject="a\ud800")).encode(): "",
    json.dumps(event(0, valid_until=float("nan"))).encode(): "",
    b"\x00": "not JSON",
}


async def test_bad_lines_among_many_good_ones(there: World, url: str, tmp_path: Path) -> None:
    """Each bad line is refused by its number in the file, and no good line is lost with it; many
    are kept in a file of their own."""
    wrong = list(BAD.items()) * 2
    made: list[bytes] = []
    expected = {}
    for n in range(3000):
        if n % 100 == 99:
            made.append(wrong[n // 100][0])
            expected[len(made)] = wrong[n // 100][1]
        else:
            made.append(json.dumps(event(n)).encode())
            if n % 50 == 0:
                made.append(b"  ")
    file = tmp_path / "said.ndjson"
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(made))
    code, answer = await told(url, there, file)
    assert (code, answer["accepted"]) == (1, 3000 - len(wrong))
    assert [one["line"] for one in answer["refused"]] == list(expected)
    said = {one["line"]: one["reason"] for one in answer["refused"]}
    assert {n: said[n] for n in said if not said[n].startswith(expected[n])} == {}
    kept = [json.loads(line) for line in Path(answer["refused_file"]).read_text().splitlines()]
    assert kept == answer["refused"]


async def test_bad_lines_of_csv(there: World, url: str, tmp_path: Path) -> None:
    """A stray quote, a cell too many and a cell too few cost their own line, and no other."""
    good = as_csv([event(n) for n in range(4)]).splitlines()
    good[2] = good[2].replace(b"s1", b'"s1')
    good[3] += b",more"
    good.insert(4, b"s9,few")
    file = tmp_path / "said.csv"
    file.write_bytes(b"\n".join(good) + b"\n")
    code, answer = await told(url, there, file)
    assert (code, answer["accepted"]) == (1, 2)
    assert [(one["line"], one["reason"][:12]) for one in answer["refused"]] == [
        (3, "not CSV: une"), (4, "more columns"), (5, "fewer column"),
    ]  # fmt: skip


async def test_a_corrected_file_is_sent_again(there: World, url: str, tmp_path: Path) -> None:
    """After a line was corrected the whole file is sent again: only that line is new."""
    events = [event(n) for n in range(20)]
    file = tmp_path / "said.ndjson"
    file.write_bytes(ndjson([*events[:7], event(7, purpose="ai:Fun"), *events[8:]]))
    assert (await told(url, there, file))[0] == 1
    file.write_bytes(ndjson(events))
    code, answer = await told(url, there, file)
    assert (code, answer["accepted"], answer["known"]) == (0, 1, 19)


class Held:
    """The application, of which one call of consents is held: before it is done, or done already
    but not answered. `held` is set then; nothing more is answered until `let_go`."""

    def __init__(self, app: Any, call: int, *, done: bool) -> None:
        self.app, self.left, self.done = app, call, done
        self.held, self.let_go = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI."""
        if scope.get("path") == "/v1/consents":
            self.left -= 1
        if scope.get("path") != "/v1/consents" or self.left:
            await self.app(scope, receive, send)
            return
        if self.done:

            async def unheard(_: Any) -> None:
                pass

            await self.app(scope, receive, unheard)
        self.held.set()
        await self.let_go.wait()


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done but not answered"])
async def test_an_import_that_was_killed(there: World, tmp_path: Path, done: bool) -> None:
    """Killed in the middle and started again, an import leaves each event in the ledger once."""
    before = len(await there.database.read(rows))
    file = tmp_path / "said.ndjson"
    file.write_bytes(ndjson([event(n) for n in range(15_000)]))
    held = Held(there.app, 2, done=done)
    async with served(held) as client:  # type: ignore[arg-type]
        first = await imported(str(client.base_url), there, file)
        await asyncio.wait_for(held.held.wait(), 120)
        os.kill(first.pid, signal.SIGKILL)
        assert await first.wait() == -signal.SIGKILL
        held.let_go.set()
        there_now = len(await there.database.read(rows)) - before
        assert there_now == (15_000 if done else 10_000)
        code, answer = await told(str(client.base_url), there, file)
    assert (code, answer["known"], answer["accepted"]) == (0, there_now, 15_000 - there_now)
    after = (await there.database.read(rows))[before:]
    assert [row[0] for row in after] == [f"s{n}" for n in range(15_000)]
    assert (await there.database.read(ledger_proof.prove)).events == before + 15_000


async def test_two_imports_of_one_file_at_once(there: World, url: str, tmp_path: Path) -> None:
    """Two imports at once of the same file leave each event in the ledger once."""
    before = len(await there.database.read(rows))
    file = tmp_path / "said.ndjson"
    file.write_bytes(ndjson([event(n) for n in range(12_000)]))
    one, other = await asyncio.gather(told(url, there, file), told(url, there, file))
    assert one[0] == other[0] == 0
    assert one[1]["accepted"] + other[1]["accepted"] == 12_000
    assert one[1]["known"] + other[1]["known"] == 12_000
    assert len(await there.database.read(rows)) == before + 12_000


async def test_the_server_goes_away(there: World, tmp_path: Path) -> None:
    """Without a server the import says that it broke off, how far it came, and what helps."""
    file = tmp_path / "said.ndjson"
    file.write_bytes(ndjson([event(n) for n in range(11_000)]))

    class Gone(Held):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope.get("path") == "/v1/consents":
                self.left -= 1
            if self.left:
                await self.app(scope, receive, send)
                return
            body = json.dumps({"code": "storage_conflict", "detail": "Not today."}).encode()
            await send({"type": "http.response.start", "status": 409, "headers": []})
            await send({"type": "http.response.body", "body": body})

    async with served(Gone(there.app, 2, done=False)) as client:  # type: ignore[arg-type]
        process = await imported(str(client.base_url), there, file)
        out, err = await process.communicate()
    assert (process.returncode, json.loads(out)["code"]) == (1, "storage_conflict")
    assert b"Broken off: 10,000 accepted" in err
    assert b"storage_conflict: Not today." in err
