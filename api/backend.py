"""What stands behind every route, made once at start-up: database, engine, keys, doorkeeper."""

import base64
import hashlib
import hmac
from asyncio import Lock
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from api.auth import Doorkeeper
from api.engine import Engine
from api.streams import Streams
from sharing.keys import public_text, secret, signing_key
from sharing.records import signing_keys
from sharing.records.database import Database
from sharing.records.unit import Unit
from sharing.settings import Settings

DECISION_KEY = "CLEARANCE_DECISION_KEY"


@dataclass(frozen=True, slots=True)
class Backend:
    """`under_way` holds a lock for each idempotency key that is being worked on just now."""

    settings: Settings
    database: Database
    engine: Engine
    doorkeeper: Doorkeeper
    signer: Ed25519PrivateKey
    receipt_key: Ed25519PrivateKey
    root: bytes = field(repr=False)
    preview_secret: X25519PrivateKey
    under_way: WeakValueDictionary[tuple[str, str], Lock]
    streams: Streams = field(default_factory=Streams)

    def derived(self, what: str, *parts: str) -> bytes:
        """32 bytes that only this server can make, the same ones for the same words."""
        own = hmac.digest(self.root, what.encode(), hashlib.sha256)
        return hmac.digest(own, "\0".join(parts).encode(), hashlib.sha256)

    @property
    def preview_key(self) -> str:
        """The key that the export worker seals photos to, as base64."""
        return base64.b64encode(self.preview_secret.public_key().public_bytes_raw()).decode()

    def derived_id(self, prefix: str, *parts: str) -> str:
        """An id like any other, but the same one for the same words."""
        return f"{prefix}_{self.derived('id', prefix, *parts)[:10].hex()}"

    def derived_secret(self, name: str) -> str:
        """Text for an address or a token that nobody can guess, the same one for the same name."""
        return base64.urlsafe_b64encode(self.derived("secret", name)).decode().rstrip("=")

    async def register_keys(self) -> None:
        """Makes the key that signs orders known to the transactions that record them, and the one
        that signs consent receipts to everybody."""
        keys = {"order": public_text(self.signer), "receipt": public_text(self.receipt_key)}

        def work(unit: Unit) -> None:
            for purpose, key in keys.items():
                if signing_keys.register(unit.session, purpose, key):
                    unit.audit("api", "signing_key.registered", purpose=purpose, key=key)

        await self.database.write(work)


def backend(settings: Settings, database: Database, engine: Engine) -> Backend:
    """Raises sharing.keys.KeyProblem if the decision key is absent or malformed."""
    root = hmac.digest(secret(settings.decision_key, DECISION_KEY), b"clearance-api-v1", "sha256")
    return Backend(
        settings=settings,
        database=database,
        engine=engine,
        doorkeeper=Doorkeeper(database),
        signer=signing_key(settings.decision_key, DECISION_KEY),
        receipt_key=_receipt_key(root),
        root=root,
        preview_secret=_preview_secret(root),
        under_way=WeakValueDictionary(),
    )


def _receipt_key(root: bytes) -> Ed25519PrivateKey:
    """A key of its own, so that nothing signed for a subject is ever an order."""
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(root, b"consent-receipts", "sha256"))


def _preview_secret(root: bytes) -> X25519PrivateKey:
    """A key that only opens: nobody else's can what the export worker sealed for this server."""
    return X25519PrivateKey.from_private_bytes(hmac.digest(root, b"previews", "sha256"))
