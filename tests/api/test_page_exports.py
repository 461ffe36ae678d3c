"""The engineer's pages over real HTTP, without a browser: acts, refusals, the stream, the words."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.pages.export import engine_links
from api.pages.export_numbers import CELLS, curve, steps, strip
from api.pages.export_words import lasting, size, spent
from sharing.settings import Settings, SettingsError
from sharing.stages import Role
from tests.api.test_exports import triggered
from tests.api.visitor import forms, link, visiting
from tests.api.world import World


async def test_a_limit_that_is_none_is_told_at_its_field(here: World) -> None:
    """A start with nonsense for a limit starts nothing, names the field and the cure, keeps what
    was typed."""
    view = await here.cleared()
    path = f"/requests/{view['id']}/export"
    async with visiting(here, Role.ENGINEER) as (engineer,):
        form = await engineer.form(path, "/start")
        for typed in ("fast", "-1", "0.00001", "1e99", "nan"):
            fields = {**form.fields, "limit": typed, "priority": "3"}
            answer = await engineer.send(form.action, fields)
            assert answer.status_code == 422
            assert "Give the limit in megabytes a second" in answer.text
            assert f'value="{typed}"' in answer.text
        answer = await engineer.send(form.action, {**form.fields, "priority": "9"})
        assert (answer.status_code, "from 1 to 5" in answer.text) == (422, True)
        assert (await here.seen(view))["exports"] == []
        sent = {**form.fields, "limit": "2,5", "priority": "1"}
        first, again = [await engineer.send(form.action, sent) for _ in range(2)]
        assert first.status_code == again.status_code == 303
        assert first.headers["location"] == again.headers["location"]
    (export,) = (await here.seen(view))["exports"]
    assert (export["priority"], export["limit_bytes_per_second"]) == (1, 2_500_000)


async def test_who_started_it_cannot_say_the_second_yes(here: World) -> None:
    """The page of who started an export has no button for it; sent all the same it is refused, says
    who can, and is in the log."""
    export = await triggered(here, await here.cleared())
    path = f"/exports/{export['id']}"
    async with visiting(here, Role.ENGINEER) as (engineer,):
        page = (await engineer.open(path)).text
        assert f"{path}/confirm" not in page
        assert "Who can: engineer2" in page
        csrf = (await engineer.form(path, "/cancel")).fields["csrf"]
        answer = await engineer.send(f"{path}/confirm", {"csrf": csrf})
        assert answer.status_code == 403
        assert "ask another" in answer.text
    last = (await here.audit())[-1]
    assert (last["action"], last["detail"]["code"]) == ("refused.exports.confirm", "not_eligible")


async def test_who_may_not_steer_sees_why_and_no_button(here: World) -> None:
    """An auditor sees an export that runs, and that steering it is for engineers; a counsel may
    cancel it."""
    export = await running(here)
    async with visiting(here, Role.AUDITOR, Role.LEGAL_COUNSEL) as (auditor, counsel):
        page = (await auditor.open(f"/exports/{export['id']}")).text
        assert "This needs the role engineer" in page
        assert '<form method="post" action="/exports' not in page
        page = (await counsel.open(f"/exports/{export['id']}")).text
        assert [form.action.rpartition("/")[2] for form in forms(page)] == ["sign-out", "cancel"]
    async with visiting(here, Role.AUDITOR) as (auditor,):
        assert (await auditor.open(f"/requests/{export['request']}/export")).status_code == 403


async def test_too_late_is_told_on_the_page_itself(here: World) -> None:
    """Pausing what somebody has cancelled meanwhile changes nothing, and the page says how it is
    now."""
    export = await running(here)
    path = f"/exports/{export['id']}"
    async with visiting(here, Role.ENGINEER) as (engineer,):
        form = await engineer.form(path, "/pause")
        await here.post("engineer2", f"/v1/exports/{export['id']}/cancel")
        answer = await engineer.send(form.action, form.fields)
        assert answer.status_code == 409
        assert "The export is cancelled already." in answer.text
        assert "Nothing more can be done with this export." in answer.text
    assert (await here.audit())[-1]["action"] == "refused.exports.pause"


async def test_the_stream_tells_numbers_and_ends_with_the_export(here: World) -> None:
    """The first event has every number of the page; after the end there is nothing more to listen
    to, which a browser understands."""
    export = await running(here)
    path = f"/exports/{export['id']}"
    async with visiting(here, Role.ENGINEER) as (engineer,):
        address = (await engineer.open(path)).text.partition('data-live="')[2].partition('"')[0]
        kept = {"Cookie": f"__Host-clearance_session={engineer.cookie}"}
        told: list[tuple[str, Any]] = []
        async with engineer.http.stream("GET", address, headers=kept) as answer:
            kind = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    told.append((kind, json.loads(line.removeprefix("data: "))))
                    if len(told) == 1:
                        await here.post("engineer2", f"/v1/exports/{export['id']}/cancel")
        assert told[0][0] == "now"
        assert {"part", "dealt", "rate", "left", "shards"} <= told[0][1].keys()
        assert ("changed", {"said": "Cancelled"}) in told
        page = (await engineer.open(path)).text
        assert "data-live" not in page
        last = address.partition("=")[0] + "=64"
        assert (await engineer.open(last)).status_code in (200, 204)


async def test_the_list_keeps_its_filters_in_its_addresses(here: World) -> None:
    """Each view is an address with the same filters; nothing that fits is said in words; what the
    address misspells is as good as left out."""
    await triggered(here, await here.cleared(title="Pose estimation"))
    async with visiting(here, Role.ENGINEER) as (engineer,):
        page = (await engineer.open("/exports?show=waiting&q=pose")).text
        assert "Pose estimation" in page
        assert "/exports?show=ended&amp;q=pose" in page
        assert "Nothing fits" in (await engineer.open("/exports?show=waiting&q=zzz")).text
        for odd in ("show=zzz", "ended=running", "partner=zzz"):
            assert (await engineer.open(f"/exports?{odd}")).status_code == 200
        home = (await engineer.open("/")).text
        assert "1 export waits for a second yes" in home


async def test_a_partner_has_no_way_in(here: World) -> None:
    """None of these pages is a partner's."""
    export = await triggered(here, await here.cleared())
    async with visiting(here, Role.ENGINEER) as (visitor,):
        visitor.cookie = ""
        await visitor.sign_in(await link(here, Role.ADMIN))
        assert (await visitor.open(f"/exports/{export['id']}")).status_code == 200
        assert (await visitor.open("/exports/exp_none")).status_code == 404
        visitor.cookie = here.tokens["partner"]
        for path in ("/exports", f"/exports/{export['id']}", "/exports/live"):
            assert (await visitor.open(path)).status_code == 403, path


def test_links_into_the_engine_are_made_of_a_setting(tmp_path: Path) -> None:
    """Without an address there is no link; with one, both ids are quoted in; an address that is
    none is refused by its name."""
    assert engine_links(Settings(), "exp_1", "req_1") == {}
    there = Settings(temporal_ui_url="https://t.example/", temporal_namespace="prod")
    assert engine_links(there, "exp_1", "req_1") == {
        "The run": "https://t.example/namespaces/prod/workflows/export%3Aexp_1",
        "The request": "https://t.example/namespaces/prod/workflows/share-request%3Areq_1",
    }
    with pytest.raises(SettingsError, match="CLEARANCE_TEMPORAL_UI_URL must begin with http"):
        Settings.from_environment({"CLEARANCE_TEMPORAL_UI_URL": "javascript:alert(1)"})


def test_shards_are_drawn_as_runs_of_cells() -> None:
    """Shards alike are one stretch; where there are more of them than cells, a cell shows that
    something in it is under way."""
    drawn = strip(["committed"] * 3 + ["under_way", "to_come"])
    assert drawn["committed"] == "M0 0h3v1h-3z"
    assert drawn["under_way"] == "M3 0h1v1h-1z"
    many = strip(["committed"] * 9 * CELLS + ["committed", "under_way"] + ["to_come"] * CELLS)
    assert many["under_way"].count("M") == 1
    assert strip([]) == {}


def test_a_curve_has_a_round_number_at_its_edge() -> None:
    """The upper edge is the next 1, 2 or 5 with noughts; nothing moved is no curve."""
    drawn = curve([0, 13_000_000, 9_000_000])
    assert drawn is not None
    assert (drawn.top, drawn.highest) == (20_000_000, 13_000_000)
    assert "300 31" in drawn.line.replace("L", " ")
    assert curve([0, 0]) is None
    assert curve([5]) is None


def test_the_slow_stage_is_part_of_all_stages_together() -> None:
    """Parts of stages add up to all; the processor's time is no stage of its own."""
    told = {"seconds": 3.0, "microseconds_an_object": 5.0, "bytes_a_second": 1}
    rows = steps({"read": told, "pack": {**told, "seconds": 1.0}, "processor": told})
    assert [(row.name, row.part) for row in rows] == [("read", 75.0), ("pack", 25.0)]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (size(0), "0\u00a0bytes"),
        (size(999_600), "1.00\u00a0MB"),
        (size(23_400_000), "23.4\u00a0MB"),
        (lasting(59.6), "1\u00a0min 0\u00a0s"),
        (lasting(3700), "1\u00a0h 1\u00a0min"),
        (lasting(200_000), "2\u00a0days 7\u00a0h"),
        (spent(0.00002), "20\u00a0µs"),
        (spent(0.25), "250\u00a0ms"),
        (spent(3), "3.00\u00a0s"),
    ],
)
def test_numbers_are_said_as_people_say_them(said: str, words: str) -> None:
    """Bytes and lengths of time have the unit in which they are short."""
    assert said == words


async def running(world: World) -> dict[str, Any]:
    """An export with both its yeses, which no worker has taken up."""
    export = await triggered(world, await world.cleared())
    await world.post("engineer2", f"/v1/exports/{export['id']}/confirm")
    return export
