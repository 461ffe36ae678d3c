"""A few photos, small, for who decides: which, to whom, on record, and gone in time."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from PIL import Image
from sqlmodel import select

from sharing.errors import Refused
from sharing.orders import Order, Verb
from sharing.records import consents
from sharing.records.previews import Preview, PreviewLook
from sharing.sealed import NotForUs, unseal
from tests.api.shown_photos import MARK, laid_out
from tests.api.test_interests import interest
from tests.api.world import World

View = dict[str, Any]


async def look(world: World, who: str, view: View) -> Any:
    """The answer to somebody who asks for photos."""
    return await world.post(who, f"/v1/requests/{view['id']}/previews")


async def kept(world: World) -> list[Preview]:
    """Every picture that is kept, whatever of."""
    return await world.database.read(lambda s: list(s.exec(select(Preview))))


async def shown_ones(world: World, view: View) -> list[View]:
    """The pictures that the purpose reviewer is offered, after asking for them."""
    answer = await look(world, "purpose_reviewer", view)
    assert answer.status_code == 200, answer.text
    items: list[View] = answer.json()["items"]
    return items


async def test_every_format_is_shown_small_and_bare(here: World) -> None:
    """JPEG, PNG and WebP of the three who consent come as JPEGs of at most 240 pixels, and no
    metadata; who never consented is not among them."""
    await laid_out(here)
    items = await shown_ones(here, await here.submitted())
    assert len(items) == 3
    for one in items:
        answer = await here.get("purpose_reviewer", one["href"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["cache-control"] == "no-store"
        image = Image.open(io.BytesIO(answer.content))
        assert image.format == "JPEG"
        assert max(image.size) == 240
        assert image.size == (one["width"], one["height"])
        assert not image.getexif()
        assert MARK not in answer.content
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


async def test_heic_is_shown_too(here: World) -> None:
    """Where all are HEIC, all who consent are shown."""
    await laid_out(here, ("HEIF",) * 4)
    assert len(await shown_ones(here, await here.submitted())) == 3


async def test_each_view_is_in_the_log_with_whom_and_what(here: World) -> None:
    """One entry for each picture that was sent, by its opaque id and its place; no path, no
    subject."""
    await laid_out(here)
    view = await here.submitted()
    items = await shown_ones(here, view)
    for one in items:
        await here.get("purpose_reviewer", one["href"])
    log = [one for one in await here.audit() if one["action"] == "preview.shown"]
    assert [one["detail"]["preview"] for one in log] == [one["id"] for one in items]
    assert {one["actor"] for one in log} == {here.people["purpose_reviewer"]}
    assert {one["request_id"] for one in log} == {view["id"]}
    assert "a.jpg" not in str(log)


async def test_only_who_may_decide_now_sees_any(here: World) -> None:
    """Partner, engineer, auditor, another gate's people and who is recused are refused; so is the
    reviewer who has decided already."""
    await laid_out(here)
    view = await here.submitted()
    one = (await shown_ones(here, view))[0]
    for who, status in (("partner", 403), ("engineer", 403), ("auditor", 403), ("admin", 403),
                        ("legal_counsel", 409), ("consent_steward", 409)):  # fmt: skip
        answers = [
            await look(here, who, view),
            await here.get(who, f"/v1/requests/{view['id']}/previews"),
            await here.get(who, one["href"]),
        ]
        assert {answer.status_code for answer in answers} <= {403, status}, who
    assert (await here.decide(view, "purpose_review")).status_code == 201
    assert (await here.get("purpose_reviewer", one["href"])).status_code in (403, 409)
    assert (await here.get("consent_steward", one["href"])).status_code == 200
    body = interest("consent_steward@example.org", kind="equity")
    await here.post("conflict_officer", "/v1/interests", body)
    refused = await here.get("consent_steward", one["href"])
    assert (refused.status_code, refused.json()["why"]) == (403, "recused")


async def test_the_lot_falls_the_same_way_each_time(here: World) -> None:
    """Asked again, the same pictures are there; made anew, they are of the same objects."""
    await laid_out(here)
    view = await here.submitted()
    first = await shown_ones(here, view)
    assert await shown_ones(here, view) == first
    places = [one.position for one in await kept(here)]

    def forget(unit: Any) -> None:
        for table in (Preview, PreviewLook):
            for row in unit.session.exec(select(table)):
                unit.session.delete(row)
            unit.session.flush()

    await here.database.write(forget)
    assert [one["id"] for one in await shown_ones(here, view)] != [one["id"] for one in first]
    assert [one.position for one in await kept(here)] == places


async def test_who_takes_consent_back_is_shown_no_more(here: World) -> None:
    """From the withdrawal on their picture is not offered, and not sent."""
    await laid_out(here)
    view = await here.submitted()
    items = await shown_ones(here, view)
    gone = next(one for one in await kept(here) if one.position == 0)
    event = {
        "subject": "s0", "purpose": "ai:ModelTraining", "category": "pd:ProfilePicture",
        "recipient": "*", "action": "withdrawn", "explicit": True, "notice": "privacy",
        "notice_version": "3", "at": datetime.now(UTC), "jurisdiction": "CA", "source": "test",
    }  # fmt: skip
    await here.database.write(lambda unit: consents.append(unit, [event]))
    left = (await here.get("purpose_reviewer", f"/v1/requests/{view['id']}/previews")).json()
    assert [one["id"] for one in left["items"]] == [o["id"] for o in items if o["id"] != gone.id]
    path = f"/v1/requests/{view['id']}/previews/{gone.id}"
    assert (await here.get("purpose_reviewer", path)).status_code == 404


async def test_they_are_sealed_to_the_server_and_to_their_name(here: World) -> None:
    """What the database keeps is no picture, and opens with no other key and under no other id."""
    await laid_out(here)
    await shown_ones(here, await here.submitted())
    one, other = (await kept(here))[:2]
    key = here.app.state.backend.preview_secret
    assert b"JFIF" not in one.sealed
    assert unseal(key, one.sealed, one.id)[:2] == b"\xff\xd8"
    for wrong in ((X25519PrivateKey.generate(), one.id), (key, other.id)):
        with pytest.raises(NotForUs):
            unseal(wrong[0], one.sealed, wrong[1])


@pytest.mark.parametrize("how", ["withdraw", "revise", "refuse", "clear"])
async def test_they_are_gone_with_the_gates(here: World, how: str) -> None:
    """A request that ends, changes or passes its last gate leaves no picture behind."""
    await laid_out(here)
    view = await here.submitted()
    assert await shown_ones(here, view)
    path = f"/v1/requests/{view['id']}"
    if how == "withdraw":
        await here.post("partner", f"{path}/withdraw")
    elif how == "revise":
        await here.post("partner", f"{path}/revisions", {"retention_days": 30})
    elif how == "refuse":
        await here.decide(view, "purpose_review", "refused")
    else:
        for stage in ("purpose_review", "consent_verification", "conflict_signoff"):
            await here.decide(view, stage)
            assert await kept(here), stage
        await here.decide(view, "legal_approval")
    assert await kept(here) == []


async def test_photos_that_cannot_be_read_are_told(here: World) -> None:
    """Files that changed since they were indexed are not shown, and counted; looking again works
    once they are as indexed."""
    await laid_out(here)
    home = here.app.state.backend.settings.home
    for number in range(4):
        (home / "store" / "photos" / f"s{number}" / "a.jpg").write_bytes(b"changed")
    view = await here.submitted()
    answer = (await look(here, "purpose_reviewer", view)).json()
    assert (answer["items"], answer["unreadable"], answer["looked"]) == ([], 3, 4)
    await laid_out(here)
    assert len(await shown_ones(here, view)) == 3


async def test_an_order_that_the_api_did_not_sign_makes_nothing(here: World) -> None:
    """Whoever reaches the engine alone gets no picture sealed to a key of their own."""
    await laid_out(here)
    view = await here.submitted()
    body = {"role": "purpose_reviewer", "to": "A" * 43 + "="}
    person, at = here.people["purpose_reviewer"], datetime.now(UTC).isoformat()
    forged = Order("ord_x", Verb.PREVIEW, view["id"], person, at, view["digest"], body, "AAAA")
    with pytest.raises(Refused) as refused:
        await here.engine.preview(forged)
    assert refused.value.code == "forged_order"
    assert await kept(here) == []
    assert (await here.audit())[-1]["action"] == "refused.preview"


@pytest.mark.parametrize("where", [{}, {"taken_after": "2020-01-01"}], ids=["all", "filtered"])
async def test_of_a_large_scope_places_are_drawn(
    here: World, monkeypatch: pytest.MonkeyPatch, where: dict[str, str]
) -> None:
    """Where a scope is too large to be in the lot as a whole, objects in it are found all the same,
    and none behind its limit."""
    monkeypatch.setattr("sharing.export.sample.SMALL", 1)
    await laid_out(here)
    scope = {"fields": ["photo"], "where": where, "limit": 2}
    assert len(await shown_ones(here, await here.submitted(scope=scope))) == 2
    assert {one.position for one in await kept(here)} == {0, 1}
