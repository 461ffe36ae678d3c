"""Public keys: which are trusted, since when, and which are not any more."""

from pathlib import Path

import pytest

from sharing.errors import Refused
from sharing.export.envelope import signer
from sharing.keyring import keyring
from sharing.keys import public_text, signing_key
from sharing.records import pseudonym_keys, signing_keys
from tests.api.test_exports import Plane, code, secret, triggered
from tests.api.world import World


async def known(world: World, purpose: str, key: str) -> None:
    """A key that a process made known."""
    await world.database.write(lambda u: signing_keys.register(u.session, purpose, key))


def new_key() -> str:
    """A public key."""
    return public_text(signing_key(secret(), "key"))


async def test_a_retired_key_is_shown_with_its_time(there: World) -> None:
    """An admin retires a key once; it leaves `keys` for `retired`, with since when and until when,
    and no process can make it known again."""
    old, new = new_key(), new_key()
    for key in (old, new):
        await known(there, "seal", key)
    answer = await there.post("admin", "/v1/keys/retire", {"key": old})
    assert (answer.status_code, answer.json()["key"]) == (200, old)
    again = await there.post("admin", "/v1/keys/retire", {"key": old})
    assert again.json() == answer.json()
    shown = (await there.http.get("/v1/keys")).json()
    seals = [one for one in shown["keys"] if one["purpose"] == "seal"]
    assert [(one["key"], one["until"]) for one in seals] == [(new, None)]
    (retired,) = shown["retired"]
    assert (retired["key"], retired["purpose"]) == (old, "seal")
    assert retired["since"] < retired["until"]
    with pytest.raises(Refused, match="retired"):
        await known(there, "seal", old)
    acts = [e["action"] for e in await there.audit() if "retired" in e["action"]]
    assert acts == ["signing_key.retired"]


async def test_only_an_admin_retires(here: World) -> None:
    """Others cannot, and a key that nobody knows is not found."""
    for who in ("engineer", "auditor", "partner"):
        answer = await here.post(who, "/v1/keys/retire", {"key": new_key()})
        assert code(answer) == (403, "forbidden", "")
    answer = await here.post("admin", "/v1/keys/retire", {"key": new_key()})
    assert code(answer) == (404, "not_found", "")


async def test_nothing_is_released_under_a_retired_key(here: World, tmp_path: Path) -> None:
    """A worker that still has a retired key seals nothing with it; what an envelope says of its
    signer is read, or is nothing."""
    plane = Plane(here, tmp_path)
    await plane.index()
    key = public_text(signing_key(plane.settings.signing_key, "key"))
    await known(here, "seal", key)
    export = await triggered(here, await here.cleared())
    await here.post("engineer2", f"/v1/exports/{export['id']}/confirm")
    await here.post("admin", "/v1/keys/retire", {"key": key})
    with pytest.raises(Refused) as refused:
        await plane.export(export["id"])
    assert refused.value.code == "key_retired"
    shown = (await here.get("partner", f"/v1/exports/{export['id']}")).json()
    assert shown["released_at"] is None
    assert signer(b'{"signatures": [{"keyid": "k"}]}') == "k"
    assert [signer(text) for text in (b"{}", b"[1]", b"x")] == [None] * 3


async def test_without_its_partners_key_an_export_writes_nothing(
    here: World, tmp_path: Path
) -> None:
    """Where the keyring has lost the key of a partner's names, its export is refused before a byte
    of it is written."""
    plane = Plane(here, tmp_path)
    await plane.index()
    lost = keyring(secret())
    await here.database.write(lambda u: pseudonym_keys.settle(u, here.partner, lost))
    export = await triggered(here, await here.cleared())
    await here.post("engineer2", f"/v1/exports/{export['id']}/confirm")
    with pytest.raises(Refused) as refused:
        await plane.export(export["id"])
    assert refused.value.code == "pseudonym_key_missing"
    assert not (tmp_path / "delivered").exists()
