"""Outlooks over the API: coarse, the same for a week, few, and in the log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sharing.outlook import AGAIN_AFTER, MOST
from sharing.records import consents, datasets
from sharing.records.tables import now
from sharing.records.unit import Unit
from tests.api.test_exports import code
from tests.api.world import World, request_body

OUTLOOK = "/v1/requests/outlook"
PEOPLE, AGREED = 80, 50
AT = datetime(2024, 1, 1, tzinfo=UTC)


def said(subject: str, action: str, at: datetime = AT) -> dict[str, Any]:
    """One line of the ledger."""
    return {
        "subject": subject, "purpose": "ai:ModelTraining", "category": "pd:ProfilePicture",
        "recipient": "*", "action": action, "explicit": True, "notice": "privacy",
        "notice_version": "3", "at": at, "jurisdiction": "CA", "source": "test",
    }  # fmt: skip


def _many(unit: Unit) -> None:
    """A dataset of eighty people, of whom fifty agreed."""
    dataset = datasets.add(
        unit.session, name="many", location="many", category="pd:ProfilePicture",
        special_category=True, subject_from="path:{subject}/*",
    )  # fmt: skip
    unit.session.flush()
    datasets.append_objects(
        unit.session,
        [
            {
                "dataset_id": dataset.id, "index_version": 1, "position": i, "path": f"m{i}/a.jpg",
                "subject": f"m{i}", "bytes": 100, "modified_ns": 0, "media_type": "image/jpeg",
                "taken_at": datetime(2013 + i % 2, 1 + i % 12, 1, tzinfo=UTC),
            }
            for i in range(PEOPLE)
        ],
    )  # fmt: skip
    datasets.publish_index(unit.session, dataset.id, 1)
    consents.append(unit, [said(f"m{i}", "given") for i in range(AGREED)])


def body(**scope: Any) -> dict[str, Any]:
    """What is needed for an outlook, over the large dataset."""
    whole = {"fields": ["photo"], "where": {}, "limit": 40, **scope}
    return {"dataset": "many", "purpose": "ai:ModelTraining", "scope": whole}


async def looked(world: World, who: str = "partner", **scope: Any) -> dict[str, Any]:
    """An outlook that was given."""
    answer = await world.post(who, OUTLOOK, body(**scope))
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def test_the_truth_is_within_the_range(there: World) -> None:
    """Fifty of eighty agreed: the range holds that, as part and as objects, and is wide."""
    await there.database.write(_many)
    view = await looked(there)
    assert view["enough_people"]
    assert view["share"]["at_least"] <= AGREED / PEOPLE <= view["share"]["at_most"]
    assert view["share"]["at_most"] - view["share"]["at_least"] >= 0.3
    assert view["objects"]["at_most"] <= 40
    (entry,) = [e for e in await there.audit() if e["action"] == "consent.outlook_given"]
    assert (entry["actor"], set(entry["detail"])) == (there.partner, {"outlook", "dataset"})


async def test_few_people_are_not_spoken_of(here: World) -> None:
    """Of the four people of a small dataset nothing is told."""
    answer = await here.post("partner", OUTLOOK, request_body())
    assert (answer.json()["enough_people"], answer.json()["share"]) == (False, None)


async def test_a_day_a_limit_and_an_order_are_no_other_question(here: World) -> None:
    """Whatever a partner varies within whole years is the same question, and costs nothing."""
    await here.database.write(_many)
    first = await looked(here, where={"taken_after": "2013-01-01"})
    for where, limit in (("2013-06-01", 40), ("2013-12-31T23:59:59Z", 1), ("2013-02-02", 79)):
        view = await looked(here, where={"taken_after": where}, limit=limit)
        assert (view["id"], view["share"]) == (first["id"], first["share"])
        assert view["previews_left"] == MOST - 1


async def test_the_answer_stays_for_a_week(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though everybody withdraws, the same question has the same answer; after a week a new one."""
    await here.database.write(_many)
    first = await looked(here)
    gone = [said(f"m{i}", "withdrawn", now()) for i in range(AGREED)]
    await here.database.write(lambda unit: consents.append(unit, gone))
    assert (await looked(here))["share"] == first["share"]
    assert (await looked(here, "other"))["share"] != first["share"]
    later = now() + AGAIN_AFTER + timedelta(minutes=1)
    monkeypatch.setattr("sharing.records.outlooks.now", lambda: later)
    view = await looked(here)
    assert (view["id"] != first["id"], view["share"]["at_least"]) == (True, 0)


async def test_there_are_few_questions(here: World) -> None:
    """Behind so many different questions each further one is refused and in the log; earlier ones
    still answer, and another partner has its own."""
    await here.database.write(_many)
    for year in range(MOST):
        await looked(here, where={"taken_after": f"{1990 + year}-01-01"})
    refused = await here.post("partner", OUTLOOK, body(where={"taken_before": "2030-01-01"}))
    assert code(refused) == (429, "limit_reached", "")
    last = (await here.audit())[-1]
    assert last["action"] == "refused.requests.outlook"
    assert last["detail"] == {"code": "limit_reached"}
    assert (await looked(here, where={"taken_after": "1990-05-05"}))["previews_left"] == 0
    assert (await looked(here, "other"))["enough_people"]


async def test_what_is_needed_is_named(here: World) -> None:
    """Without dataset, purpose or scope there is no outlook; title and basis are not needed."""
    answer = await here.post("partner", OUTLOOK, {"dataset": "profile-photos"})
    assert answer.status_code == 422
    assert {one["path"] for one in answer.json()["errors"]} == {"purpose", "scope"}
