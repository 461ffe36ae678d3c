"""A leak is traced: from a file that turned up, and from a name, back to export and subject."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from api.commands.tracing import revealed
from sharing.errors import NotEligible, Refused
from tests.api.test_exports import Plane, code, secret, triggered
from tests.api.test_policies import in_force, staffed
from tests.api.world import SUBJECTS, World

CANARIES = """[[rule]]
name = "Packages can be told apart"
[rule.export]
canaries = 3
"""


async def exported(world: World, home: Path) -> tuple[str, Path, Plane]:
    """A delivered export, its folder, and the export worker that made it."""
    plane = Plane(world, home)
    await plane.index()
    export = (await triggered(world, await world.cleared()))["id"]
    await world.post("engineer2", f"/v1/exports/{export}/confirm")
    await plane.export(export)
    shown = (await world.get("engineer", f"/v1/exports/{export}")).json()
    return export, Path(shown["package"]), plane


def rows(folder: Path) -> list[dict[str, Any]]:
    """The manifest's rows."""
    found: list[dict[str, Any]] = pq.read_table(folder / "manifest.parquet").to_pylist()
    return found


async def traced(world: World, sha256: str, who: str = "auditor") -> Any:
    """What is known of a digest."""
    return await world.post(who, "/v1/canaries/trace", {"sha256": sha256})


async def test_without_a_policy_there_are_none(here: World, tmp_path: Path) -> None:
    """By default a package holds the consented objects and nothing else, and says so; a photo in
    it is traced all the same."""
    export, folder, _ = await exported(here, tmp_path)
    assert json.loads((folder / "manifest.json").read_text())["canaries"] is False
    assert len(rows(folder)) == 2 * (SUBJECTS - 1)
    matches = (await traced(here, rows(folder)[0]["sha256"])).json()["matches"]
    assert [(m["what"], m["export"], m["partner"]) for m in matches] == [
        ("object", export, here.partner)
    ]
    assert (await traced(here, "0" * 64)).json()["matches"] == []


async def test_a_canary_names_the_export_that_it_was_in(here: World, tmp_path: Path) -> None:
    """Where the policy asks for canaries, the package holds that many, its manifest says that there
    are some, and each is traced to this export and partner; a name of one is revealed as nobody."""
    await staffed(here)
    await in_force(here, CANARIES)
    export, folder, plane = await exported(here, tmp_path)
    summary = json.loads((folder / "manifest.json").read_text())
    assert summary["canaries"] is True
    assert summary["counts"]["objects"] == len(rows(folder)) == 2 * (SUBJECTS - 1) + 3
    found = {}
    for row in rows(folder):
        (match,) = (await traced(here, row["sha256"])).json()["matches"]
        assert (match["export"], match["partner"]) == (export, here.partner)
        found[row["path"]] = (match["what"], row["subject_pseudonym"])
    planted = {path: who for path, (what, who) in found.items() if what == "canary"}
    assert len(planted) == 3
    token = here.tokens["consent_steward"]
    told = await revealed(plane.settings, token, export, tuple(planted))
    assert [(one["canary"], one["subject"]) for one in told] == [(True, None)] * 3


async def test_names_arerevealed_to_a_steward(here: World, tmp_path: Path) -> None:
    """An admin or steward learns which subject and object a delivered name means, and it is in the
    log; anybody else, and anybody with another key, learns nothing."""
    export, folder, plane = await exported(here, tmp_path)
    names = {row["path"]: row["subject_pseudonym"] for row in rows(folder)}
    for who in ("admin", "consent_steward"):
        told = await revealed(plane.settings, here.tokens[who], export, tuple(names))
        assert len({(one["subject"], tuple(one["objects"])) for one in told}) == len(names)
        for one in told:
            assert str(one["objects"][0]).startswith(f"{one['subject']}/")
    subjects = tuple(sorted(set(names.values())))
    token = here.tokens["admin"]
    people = await revealed(plane.settings, token, export, subjects)
    assert sorted(str(one["subject"]) for one in people) == ["s0", "s1", "s2"]
    assert [len(one["objects"]) for one in people] == [2, 2, 2]
    logged = [e for e in await here.audit() if e["action"] == "pseudonym.revealed"]
    assert [e["actor"] for e in logged][:2] == [
        here.people["admin"],
        here.people["consent_steward"],
    ]
    with pytest.raises(NotEligible):
        await revealed(plane.settings, here.tokens["engineer"], export, subjects)
    with pytest.raises(Refused, match="Who asks"):
        await revealed(plane.settings, "", export, subjects)
    other = replace(plane.settings, pseudonym_key=secret())
    with pytest.raises(Refused) as refused:
        await revealed(other, token, export, subjects)
    assert refused.value.code == "pseudonym_key_missing"
    assert await revealed(plane.settings, token, export, ("0" * 32,)) == []


@pytest.mark.parametrize("who", ["partner", "purpose_reviewer", "subject"])
async def test_only_those_who_look_into_leaks_trace(here: World, who: str) -> None:
    """Partners, subjects and gatekeepers of other gates cannot ask."""
    assert code(await traced(here, "0" * 64, who)) == (403, "forbidden", "")
