"""A world in which there is much of everything, and every text is long: what is heavy on a page."""

import random
import re
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from sharing.consent import Coverage
from sharing.records import reports, requests
from sharing.records.reports import Moment
from sharing.records.unit import Unit
from sharing.stages import GATES
from tests.api.test_exports import Plane, triggered
from tests.api.world import World

DOCS = Path(__file__).parents[2] / "docs"
MANY = 27  # more than a list shows
RULE = """[[rule]]
name = "{name}"
objects_from = {objects}

[rule.export]
cooling_off_hours = 2

"""


@dataclass(frozen=True, slots=True)
class Heavy:
    """What stands for each place in an address, each with everything that can be heavy about it."""

    places: dict[str, list[str]]


class Prose:
    """Words of our own documents, by chance: no easier to compress than what people write."""

    def __init__(self) -> None:
        found = " ".join(file.read_text() for file in sorted(DOCS.glob("*.md")))
        self._words = sorted(set(re.findall(r"[a-z]{2,14}", found.lower())))
        self._chance = random.Random(7)

    def __call__(self, letters: int) -> str:
        said = ""
        while len(said) < letters:
            said += f"{self._chance.choice(self._words)} "
        return said[:letters].strip().capitalize()


def counted(objects: int) -> Coverage:
    """A scope of millions as gate 2 counts it: many notices, countries and months."""
    chance = random.Random(11)
    reasons = ("never_asked", "refused", "withdrawn", "expired", "wrong_purpose", "wrong_category",
               "wrong_recipient", "not_explicit", "old_notice", "jurisdiction")  # fmt: skip
    covered = objects // 2
    return Coverage(
        objects=objects,
        subjects=objects // 3,
        covered_objects=covered,
        covered_subjects=covered // 3,
        excluded={one: chance.randrange(1, objects // 20) for one in reasons},
        position=87_654_321,
        breakdown={
            "notice_version": {f"privacy {n}": chance.randrange(1, covered) for n in range(40)},
            "jurisdiction": {f"{one}A": chance.randrange(1, covered) for one in ascii_uppercase},
            "month": {
                f"{year}-{month:02}": chance.randrange(1, covered)
                for year in range(2015, 2026) for month in range(1, 13)
            },
        },
        sample=tuple(chance.randrange(1, 10**8) for _ in range(20)),
        seed="5" * 64,
    )  # fmt: skip


async def heavy(world: World, home: Path) -> Heavy:
    """Fills a world, and says where in it to look."""
    write = Prose()
    places = await _records(world, write)
    long = [await world.submitted(**_body(write)) for _ in range(MANY)]
    talked = long[0]
    await _talked(world, talked, write)
    plane = Plane(world, home)
    await plane.index()
    done, cleared, running = [await _cleared(world, write) for _ in range(3)]
    runs = [await triggered(world, one) for one in (done, running)]
    for run in runs:
        await world.post("engineer2", f"/v1/exports/{run['id']}/confirm")
    await plane.export(runs[0]["id"])
    places["{request_id}"] = [one["id"] for one in (talked, cleared, done, running)]
    places["{export_id}"] = [run["id"] for run in runs]
    return Heavy(places)


def _body(write: Prose) -> dict[str, Any]:
    return {
        "title": write(150),
        "intended_use": write(3000),
        "onward_recipients": [write(60) for _ in range(20)],
    }


async def _talked(world: World, view: dict[str, Any], write: Prose) -> None:
    """Returned once, sent again, approved at the first gate; a long report, and comments."""
    said: Any = {"reason": write(2500), "conditions": [write(200) for _ in range(5)]}
    await world.decide(view, GATES[0], "returned", **said)
    body = {**_body(write), "scope": {"fields": ["photo"], "where": {}, "limit": 900}}
    again = await world.post("partner", f"/v1/requests/{view['id']}/revisions", body)
    assert again.status_code == 201, again.text
    assert (await world.decide(again.json(), GATES[0], **said)).status_code == 201
    for who in ("partner", "purpose_reviewer", "legal_counsel") * 2:
        path = f"/v1/requests/{view['id']}/comments"
        assert (await world.post(who, path, {"text": write(500)})).status_code == 201

    def work(unit: Unit) -> None:
        row = requests.get(unit.session, view["id"])
        reports.keep(unit, row, Moment.TRIGGER, counted(9_000_000))

    await world.database.write(work)


async def _cleared(world: World, write: Prose) -> dict[str, Any]:
    view = await world.submitted(**_body(write))
    for stage in GATES:
        assert (await world.decide(view, stage, reason=write(1500))).status_code == 201
    return await world.seen(view, state="cleared")


async def _records(world: World, write: Prose) -> dict[str, list[str]]:
    people, partners = [], []
    for number in range(MANY):
        person = {"name": write(80), "email": f"{number}@example.org", "roles": ["auditor"]}
        people.append((await world.post("admin", "/v1/people", person)).json()["id"])
        partner = {"name": write(80), "parents": [{"name": write(80), "share": 0.4}] * 2}
        partners.append((await world.post("admin", "/v1/partners", partner)).json()["id"])
    for number in range(8):
        notice = {"name": "privacy", "version": f"4.{number}", "text": write(4000),
                  "purposes": ["ai:ModelTraining"], "categories": ["pd:Picture"]}  # fmt: skip
        assert (await world.post("admin", "/v1/notices", notice)).status_code == 201
        tie = {"person": world.people["engineer"], "organisation": {"name": write(60)},
               "kind": "gift", "from": "2020-01-01", "detail": write(900)}  # fmt: skip
        assert (await world.post("conflict_officer", "/v1/interests", tie)).status_code == 201
    rules = "".join(RULE.format(name=write(40), objects=n) for n in range(1, MANY))
    policy = {"text": f"{rules}\n# {write(3000)}\n", "reason": write(2000)}
    proposed = await world.post("admin", "/v1/policies", policy)
    assert proposed.status_code == 201, proposed.text
    organisations = (await world.get("admin", "/v1/organisations", limit=1)).json()["items"]
    return {
        "{person_id}": [people[0], world.people["engineer"]],
        "{partner_id}": [partners[0], world.partner],
        "{organisation_id}": [organisations[0]["id"]],
        "{name}": ["profile-photos"],
        "{name:path}": ["privacy"],
        "{number}": ["1", str(proposed.json()["number"])],
        "{position}": ["20"],
    }
