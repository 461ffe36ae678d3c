"""A partner says what it received: by its own digest, once, and heard by those inside."""

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.keys import public_text
from sharing.records.acknowledgements import to_sign
from tests.api.test_exports import code, delivered, triggered
from tests.api.world import SUBJECTS, World

OTHER = "0" * 64


async def released(world: World, home: Path) -> tuple[str, str]:
    """A delivered export and the digest of its manifest, computed as its partner would."""
    from hashlib import sha256

    export = await delivered(world, home)
    shown = (await world.get("engineer", f"/v1/exports/{export['id']}")).json()
    manifest = Path(shown["package"]) / "manifest.parquet"
    return export["id"], sha256(manifest.read_bytes()).hexdigest()


async def said(world: World, export: str, who: str = "partner", **body: Any) -> Any:
    """The answer to an acknowledgement."""
    return await world.post(who, f"/v1/exports/{export}/acknowledgements", body)


async def heard(world: World, export: str) -> list[str]:
    """What was told of an export to those inside, newest last."""
    items = (await world.get("engineer", "/v1/events", limit=200)).json()["items"]
    return [e["type"].removeprefix("clearance.") for e in items if e["subject"] == export]


async def test_what_was_released_is_acknowledged(there: World, tmp_path: Path) -> None:
    """The right digest, rows and bytes are recorded with their time, told, and shown to both."""
    export, digest = await released(there, tmp_path)
    progress = (await there.get("partner", f"/v1/exports/{export}")).json()["progress"]
    counts = {"objects": progress["objects"], "bytes": progress["bytes"]}
    assert counts["objects"] == 2 * (SUBJECTS - 1)
    answer = await said(there, export, manifest_sha256=digest, **counts)
    assert (answer.status_code, answer.json()["outcome"]) == (201, "acknowledged")
    for who in ("partner", "engineer"):
        shown = (await there.get(who, f"/v1/exports/{export}")).json()["acknowledgements"]
        assert [(a["outcome"], a["manifest_sha256"]) for a in shown] == [("acknowledged", digest)]
        assert shown[0]["at"]
    assert "export.acknowledged" in await heard(there, export)
    logged = [e for e in await there.audit() if e["action"] == "export.acknowledged"]
    assert [entry["actor"] for entry in logged] == [there.partner]


@pytest.mark.parametrize("wrong", ["digest", "objects", "bytes"])
async def test_anything_else_is_a_dispute(here: World, tmp_path: Path, wrong: str) -> None:
    """Another digest, other rows or other bytes are recorded as a dispute, which is told."""
    export, digest = await released(here, tmp_path)
    body: dict[str, Any] = {"manifest_sha256": digest}
    body |= {"manifest_sha256": OTHER} if wrong == "digest" else {wrong: 1}
    answer = await said(here, export, **body)
    assert (answer.status_code, answer.json()["outcome"]) == (201, "disputed")
    assert (await heard(here, export))[-1] == "export.disputed"
    again = await said(here, export, manifest_sha256=digest)
    assert again.json()["outcome"] == "acknowledged"
    shown = (await here.get("admin", f"/v1/exports/{export}")).json()["acknowledgements"]
    assert [a["outcome"] for a in shown] == ["acknowledged", "disputed"]


async def test_the_same_said_twice_is_recorded_once(here: World, tmp_path: Path) -> None:
    """A second acknowledgement that says the same gives the first one, and tells nothing."""
    export, digest = await released(here, tmp_path)
    first, second = [await said(here, export, manifest_sha256=digest) for _ in range(2)]
    assert first.json() == second.json()
    assert (await heard(here, export)).count("export.acknowledged") == 1


async def test_a_registered_key_can_sign_it(here: World, tmp_path: Path) -> None:
    """A signature counts only by a key that is registered for this partner, of this export."""
    export, digest = await released(here, tmp_path)
    key = Ed25519PrivateKey.generate()
    body = {"key": public_text(key), "signatory": "M. Laurent"}
    registered = (await here.post("admin", f"/v1/partners/{here.partner}/keys", body)).json()["id"]

    def signed(name: str) -> str:
        return base64.b64encode(key.sign(to_sign(name, digest).encode())).decode()

    wrong = await said(here, export, manifest_sha256=digest, signature=signed("exp_another"))
    assert code(wrong) == (403, "wrong_signature", "")
    right = await said(here, export, manifest_sha256=digest, signature=signed(export))
    assert (right.json()["outcome"], right.json()["key"]) == ("acknowledged", registered)


async def test_only_its_partner_acknowledges(here: World, tmp_path: Path) -> None:
    """Another partner gets the 404 of an absent export, and people inside cannot say it for one."""
    export, digest = await released(here, tmp_path)
    other = await said(here, export, "other", manifest_sha256=digest)
    assert code(other) == code(await said(here, "exp_0", "other", manifest_sha256=digest))
    assert code(other) == (404, "not_found", "")
    assert code(await said(here, export, "engineer", manifest_sha256=digest))[0] == 403


async def test_nothing_is_acknowledged_before_it_is_delivered(here: World) -> None:
    """An export without a package cannot be acknowledged."""
    export = await triggered(here, await here.cleared())
    answer = await said(here, export["id"], manifest_sha256=OTHER)
    assert code(answer) == (409, "not_released", "")


@pytest.mark.parametrize("digest", ["", "x" * 64, "A" * 64, "0" * 63])
async def test_a_digest_is_64_hexadecimal_digits(here: World, digest: str) -> None:
    """What is no SHA-256 in lower-case hexadecimal is refused by its field."""
    answer = await said(here, "exp_0", manifest_sha256=digest)
    assert answer.json()["errors"][0]["path"] == "manifest_sha256"
