"""A few photos for who decides, by both workers on a real server."""

import base64
import io
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from PIL import Image
from sqlmodel import select

from sharing.errors import NotEligible, Refused
from sharing.orders import Order, Verb
from sharing.records.previews import Preview
from sharing.sealed import unseal
from sharing.stages import Role
from tests.workflows.test_export import Depot, depot
from workflows import client as verbs
from workflows.messages import preview_workflow

__all__ = ["depot"]
KEY = X25519PrivateKey.generate()
TO = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()


def asking(depot: Depot, request: str, digest: str, role: Role = Role.PURPOSE_REVIEWER) -> Order:
    """The order of somebody in that role."""
    world = depot.office.world
    return world.order(Verb.PREVIEW, request, world.people[role], digest, role=str(role), to=TO)


async def test_six_photos_are_sealed_and_none_is_in_the_engine(depot: Depot) -> None:
    """Six of twelve people's photos open with the key that was named; the workflow's history,
    decrypted, has no byte of them, no path and no subject."""
    request, digest = await depot.office.submitted()
    await verbs.preview(depot.office.client, asking(depot, request, digest))
    rows = await depot.office.world.database.read(lambda s: list(s.exec(select(Preview))))
    assert len(rows) == 6
    for row in rows:
        image = Image.open(io.BytesIO(unseal(KEY, row.sealed, row.id)))
        assert (image.size, image.format) == ((48, 64), "JPEG")
        assert not image.getexif()
    handle = depot.office.client.get_workflow_handle(preview_workflow(request))
    history = await handle.fetch_history()
    told = json.dumps(history.to_json_dict())
    assert len(history.events) < 20
    for secret in ("s00", ".jpg", rows[0].id, base64.b64encode(rows[0].sealed[:24]).decode()[:20]):
        assert secret not in told


async def test_nobody_else_is_served(depot: Depot) -> None:
    """An engineer's signed order is refused by the worker, and so is one that nobody signed."""
    request, digest = await depot.office.submitted()
    with pytest.raises(NotEligible):
        await verbs.preview(depot.office.client, asking(depot, request, digest, Role.ENGINEER))
    forged = asking(depot, request, digest)
    object.__setattr__(forged, "signature", "AAAA")
    with pytest.raises(Refused) as refused:
        await verbs.preview(depot.office.client, forged)
    assert refused.value.code == "forged_order"
    rows = await depot.office.world.database.read(lambda s: list(s.exec(select(Preview))))
    assert rows == []
