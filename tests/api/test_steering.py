"""Steering an export over HTTP and from the command line: dry run, pause, resume, limit."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from api import cli
from api.commands.export import bar, line, standing
from sharing.stages import Role
from tests.api.answering_server import Answer, Asked, serving
from tests.api.test_exports import code, triggered
from tests.api.world import World

EXPORT = "exp_5aae41014ad04c3540f9"


def path(export: dict[str, Any], act: str) -> str:
    """The address of an act on an export."""
    return f"/v1/exports/{export['id']}/{act}"


async def test_a_pause_is_shown_and_ends(here: World) -> None:
    """Paused, an export says since when and by whom, to a partner only since when; then it goes
    on. Both are in the log."""
    export = await triggered(here, await here.cleared())
    answer = await here.post("engineer2", path(export, "pause"))
    assert answer.status_code == 200
    assert answer.json()["paused_by"] == here.people["engineer2"]
    assert answer.json()["state"] == "awaiting_confirmation"
    own = (await here.get("partner", f"/v1/exports/{export['id']}")).json()
    assert own["paused_at"] == answer.json()["paused_at"]
    assert not {"paused_by", "priority", "limit_bytes_per_second"} & own.keys()
    assert (await here.post("engineer2", path(export, "confirm"))).json()["state"] == "running"
    shown = (await here.get("engineer", f"/v1/exports/{export['id']}")).json()
    assert shown["waiting_for"] == {"act": "resume", "roles": ["engineer"]}
    assert (await here.post("engineer", path(export, "resume"))).json()["paused_at"] is None
    said = [(e["action"], e["actor"]) for e in await here.audit() if "export." in e["action"]]
    assert said[-3:] == [
        ("export.paused", here.people["engineer2"]),
        ("export.confirmed", here.people["engineer2"]),
        ("export.resumed", here.people["engineer"]),
    ]


async def test_an_export_says_whose_confirmation_it_waits_for(here: World) -> None:
    """Until the second engineer's yes the export says so, and who it may not be."""
    export = await triggered(here, await here.cleared())
    assert export["waiting_for"] == {
        "act": "confirm",
        "roles": ["engineer"],
        "other_than": here.people["engineer"],
    }
    await here.post("engineer2", path(export, "confirm"))
    shown = (await here.get("engineer", f"/v1/exports/{export['id']}")).json()
    assert shown["waiting_for"] is None


async def test_a_trigger_may_give_priority_and_limit(here: World) -> None:
    """What the engineer asked for at the trigger is in the export's view; a limit is changed, and
    taken away again."""
    view = await here.cleared()
    asked = {"digest": view["digest"], "priority": 1, "limit_bytes_per_second": 5_000_000}
    answer = await here.post("engineer", f"/v1/requests/{view['id']}/exports", asked)
    assert answer.status_code == 202, answer.text
    export = answer.json()
    assert (export["priority"], export["limit_bytes_per_second"]) == (1, 5_000_000)
    for wanted in (2_000_000, None):
        answer = await here.post(
            "engineer2", path(export, "limit"), {"limit_bytes_per_second": wanted}
        )
        assert answer.json()["limit_bytes_per_second"] == wanted
    changes = [e["detail"] for e in await here.audit() if e["action"] == "export.limited"]
    assert [c["bytes_per_second"] for c in changes] == [2_000_000, None]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"priority": 0}, "priority"),
        ({"priority": 6}, "priority"),
        ({"priority": "1"}, "priority"),
        ({"limit_bytes_per_second": 1}, "limit_bytes_per_second"),
        ({"limit_bytes_per_second": 5.5}, "limit_bytes_per_second"),
        ({"limit": 5000}, "limit"),
    ],
)
async def test_a_trigger_with_nonsense_is_refused(
    shared: World, body: dict[str, Any], field: str
) -> None:
    """Each bad value is refused by its field."""
    answer = await shared.post(
        "engineer", "/v1/requests/req_0/exports", {"digest": "d" * 64, **body}
    )
    assert code(answer)[:2] == (422, "invalid_body")
    assert [e["path"] for e in answer.json()["errors"]] == [field]


async def test_a_limit_has_to_be_said(shared: World) -> None:
    """A call that changes a limit and names none is refused: null takes it away."""
    answer = await shared.post("engineer", "/v1/exports/exp_0/limit", {})
    assert answer.json()["errors"][0]["path"] == "limit_bytes_per_second"


@pytest.mark.parametrize("act", ["pause", "resume"])
async def test_a_cancelled_export_is_not_steered(here: World, act: str) -> None:
    """Behind its end an export is neither paused nor resumed."""
    export = await triggered(here, await here.cleared())
    await here.post("engineer", path(export, "cancel"))
    assert code(await here.post("engineer", path(export, act))) == (409, "wrong_state", "")


async def test_a_dry_run_is_for_any_open_request(here: World) -> None:
    """From its submission on an engineer sees what an export would come to; the log says who
    asked; nothing else is written, and an ended request is refused."""
    view = await here.submitted()
    address = f"/v1/requests/{view['id']}/exports/dry-run"
    before = len(await here.audit())
    found = (await here.post("engineer", address)).json()
    assert found["obstacle"] == "not_cleared"
    assert found["objects"] == found["covered_objects"] + sum(found["excluded"].values())
    assert found["needs_bytes"] > found["bytes"]
    assert found["seconds"] is None
    log = await here.audit()
    assert [(e["action"], e["actor"]) for e in log[before:]] == [
        ("export.dry_run", here.people["engineer"])
    ]
    assert (await here.seen(view))["exports"] == []
    await here.post("partner", f"/v1/requests/{view['id']}/withdraw")
    assert code(await here.post("engineer", address)) == (409, "wrong_state", "")


async def test_a_dry_run_is_for_engineers(here: World) -> None:
    """Nobody else asks for one: counts of what a partner would get are not the partner's."""
    view = await here.submitted()
    for who in (Role.PARTNER, Role.AUDITOR):
        answer = await here.post(who, f"/v1/requests/{view['id']}/exports/dry-run")
        assert code(answer)[:2] == (403, "forbidden")


def test_the_command_line_sends_what_it_was_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`export pause`, `resume`, `limit`, `show` and `trigger` make their calls, with their
    bodies, and answer in JSON."""
    seen: list[tuple[str, str, Any]] = []

    def answer(asked: Asked) -> Answer:
        seen.append((asked.method, asked.path, asked.body))
        return 200, {"id": EXPORT, "state": "running", "digest": "d"}

    with serving(answer) as api:
        for words in (
            ["pause", EXPORT],
            ["resume", EXPORT],
            ["limit", EXPORT, "5000"],
            ["limit", EXPORT],
            ["show", EXPORT],
            ["trigger", "req_1", "--priority", "1", "--limit", "2048", "--digest", "d"],
        ):
            assert cli.run(["export", *words, "--json", "--url", api.url]) == 0
    assert [line["id"] for line in map(json.loads, capsys.readouterr().out.splitlines())] == (
        [EXPORT] * 6
    )
    assert [where for _, where, _ in seen] == [
        f"/v1/exports/{EXPORT}/pause",
        f"/v1/exports/{EXPORT}/resume",
        f"/v1/exports/{EXPORT}/limit",
        f"/v1/exports/{EXPORT}/limit",
        f"/v1/exports/{EXPORT}",
        "/v1/requests/req_1/exports",
    ]
    assert seen[2][2] == {"limit_bytes_per_second": 5000}
    assert seen[3][2] == {"limit_bytes_per_second": None}
    assert seen[5][2] == {"digest": "d", "priority": 1, "limit_bytes_per_second": 2048}


def test_a_dry_run_is_told_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, exclusions, room and time are a line each; what nobody measured is unknown."""
    found = {"objects": 2000, "bytes": 5_000_000, "shards": 2, "covered_objects": 1900,
             "covered_subjects": 950, "excluded": {"withdrawn": 100}, "needs_bytes": 9_000_000,
             "free_bytes": 10_000_000, "promised_bytes": 0, "seconds": None,
             "obstacle": "not_cleared", "detail": "The request is submitted."}  # fmt: skip
    with serving(lambda _: (200, found)) as api:
        assert cli.run(["export", "dry-run", "req_1", "--url", api.url]) == 0
    said = capsys.readouterr().out
    for words in ("2,000 objects", "100 would not: withdrawn", "9,000,000 bytes are needed",
                  "time: unknown", "not_cleared:"):  # fmt: skip
        assert words in said


def test_what_holds_an_export_up_is_in_its_line() -> None:
    """The line of `export watch` says paused, stalled or limited, with rate and time left."""
    running: dict[str, Any] = {"state": "running", "progress": {}}
    assert standing({**running, "paused_at": "2026-01-01T00:00:00Z"}) == "running, paused"
    held = {"stalled": False, "limited": True, "objects_per_second": 1200.0,
            "bytes_per_second": 5e6, "seconds_left": 75}  # fmt: skip
    assert standing({**running, "progress": held}) == "running, limited"
    assert line({**running, "progress": held}) == "1,200/s, 5.0 MB/s, 0:01:15 left"
    counted = {"objects": 10, "excluded": 2, "under_way": {"objects": 3}, "total": 2000}
    assert line({**running, "progress": counted}) == "15 of 2,000"


def test_the_bar_is_drawn_before_anybody_knows_how_much_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a terminal the bar of an export that waits, and has no total yet, is drawn."""
    drawn = io.StringIO()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(
        "api.commands.export.err", lambda: Console(file=drawn, force_terminal=True, width=100)
    )
    with bar() as progress:
        progress.add_task(standing({"state": "awaiting_confirmation"}), total=None, line="")
        progress.refresh()
    assert "awaiting confirmation" in drawn.getvalue()
