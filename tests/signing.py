"""A partner's signatory in a test's world: a registered key, and the orders about agreements."""

import base64
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.acceptance import to_sign
from sharing.keys import public_text
from sharing.orders import Order, Verb
from sharing.records import agreements, partner_keys, requests
from sharing.stages import Stage
from tests.walk import World

TERM = {
    "kind": "duty",
    "action": "report",
    "text": "report what was found out",
    "every_days": 90,
    "after": "delivery",
}


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signs for the world's partner."""

    world: World
    key: Ed25519PrivateKey

    async def current(self, request: str) -> str:
        """The digest of the request's agreement as it stands."""
        return await self.world.database.read(
            lambda s: agreements.current(s, requests.get(s, request)).agreement_digest
        )

    async def term(self, request: str, digest: str, **changes: Any) -> Order:
        """Counsel's order to add a term to the current version."""
        return self.world.order(
            Verb.ADD_TERMS,
            request,
            self.world.people["legal_counsel"],
            digest,
            stage=str(Stage.LEGAL_APPROVAL),
            agreement=await self.current(request),
            term={**TERM, **changes},
        )

    async def yes(self, request: str, digest: str, agreement: str = "") -> Order:
        """The partner's order to accept the current version, or the one that is named."""
        named = agreement or await self.current(request)
        signature = self.key.sign(to_sign(request, digest, named).encode())
        return self.world.order(
            Verb.ACCEPT,
            request,
            self.world.partner,
            digest,
            stage=str(Stage.LEGAL_APPROVAL),
            agreement=named,
            method="signature",
            signature=base64.b64encode(signature).decode(),
            client=self.world.partner,
        )


async def signatory(world: World) -> Signatory:
    """A signatory whose key an admin registered."""
    key = Ed25519PrivateKey.generate()
    await world.database.write(
        lambda unit: (
            partner_keys.add(
                unit.session, world.partner, public_text(key), "Dara Okonkwo", world.people["admin"]
            ).id
        )
    )
    return Signatory(world, key)
