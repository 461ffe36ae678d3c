"""`clearance export download` and `acknowledge`: what a partner does with what was delivered."""

import base64
import sys
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from api.commands.telling import Calling, err, out, show_json, tell_broken
from api.commands.verify import as_key, identity_in
from api.http_client import Api
from api.told import Told
from sharing.keys import public_key, signing_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CALLING = Calling()


class Unknown(Told):
    """The package was sealed by a key that nobody vouches for."""


async def download(
    export: str,
    /,
    *,
    to: Annotated[Path, Parameter(name=["--output", "-o"])],
    key: str | None = None,
    at_once: Annotated[int, Parameter(name="--parallel")] = 4,
    calling: Calling = CALLING,
) -> int:
    """Fetch a delivered package into a folder; started again, it goes on where it broke off.

    Each file is compared with the seal while it comes in.

    Parameters
    ----------
    export
        The export's id.
    to
        The folder; made if it is not there.
    key
        The sender's public key, base64 or a file that holds it. Without it, the one that the API
        shows: then you trust the API for it.
    at_once
        How many files at once.
    """
    from api.download import Download
    from sharing.export.contents import PackageBroken
    from sharing.export.layout import SEAL
    from sharing.export.verify import sealed

    try:
        with _bar(quiet=calling.json) as progress:
            task = progress.add_task("", total=None)

            def told(count: int) -> None:
                progress.advance(task, count)

            async with calling.api() as api, Download(api, export, to, at_once, told) as package:
                seal = await package.seal()
                trusted = as_key(key) if key else await shown_key(api, seal)
                digests, header = sealed(seal, trusted)
                progress.update(task, total=header["counts"]["bytes"])
                size = await package.fetch(digests)
                (to / SEAL).write_bytes(seal)  # last: a folder with a seal is whole
    except PackageBroken as broken:
        return tell_broken("package_broken", broken, json=calling.json)
    if calling.json:
        show_json({"ok": True, "export": export, "files": len(digests), "bytes": size})
        return 0
    out().print(
        f"{to}: {len(digests):,} files, {size:,} bytes, each as it was sealed.", markup=False
    )
    err().print(f"Next: clearance export acknowledge {export} --package {to}", markup=False)
    return 0


async def acknowledge(
    export: str,
    /,
    *,
    package: Path,
    key: str | None = None,
    age_identity: Path | None = None,
    signing: Annotated[str | None, Parameter(name="--signing-key")] = None,
    calling: Calling = CALLING,
) -> int:
    """Verify a package, and say to its sender what was received, by its manifest's digest.

    Parameters
    ----------
    export
        The export's id.
    package
        The folder that was delivered.
    key
        The sender's public key, base64 or a file that holds it. Without it, the one that the API
        shows.
    age_identity
        Your age identity file, for an encrypted package.
    signing
        A file with your signatory's Ed25519 seed in base64, if it is to be signed.
    """
    from sharing.export.contents import PackageBroken
    from sharing.export.layout import MANIFEST, SEAL
    from sharing.export.verify import verify
    from sharing.records.acknowledgements import to_sign

    identity = None if age_identity is None else identity_in(age_identity)
    async with calling.api() as api:
        try:
            trusted = as_key(key) if key else await shown_key(api, (package / SEAL).read_bytes())
            found = verify(package, trusted, identity)
        except PackageBroken as broken:
            return tell_broken("package_broken", broken, json=calling.json)
        with (package / MANIFEST).open("rb") as manifest:
            digest = file_digest(manifest, "sha256").hexdigest()
        body = {"manifest_sha256": digest, "objects": found.objects, "bytes": found.bytes}
        if signing is not None:
            message = to_sign(export, digest).encode()
            made = signing_key(signing, "--signing-key").sign(message)
            body["signature"] = base64.b64encode(made).decode()
        said = await api.post(f"/v1/exports/{export}/acknowledgements", body)
    if calling.json:
        show_json(said)
    else:
        out().print(f"{export}: {said['outcome']}, {found.objects:,} objects, manifest {digest}")
    return 0 if said["outcome"] == "acknowledged" else 1


async def shown_key(api: Api, seal: bytes) -> "Ed25519PublicKey":
    """The key that the API shows as the one that made this seal, retired or not."""
    from sharing.export.envelope import signer

    shown = await api.get("/v1/keys")
    known = {one["key_id"]: one for one in (*shown["keys"], *shown["retired"])}
    found = known.get(signer(seal))
    if found is None or found["purpose"] != "seal":
        raise Unknown("The seal was made by a key that the API does not show: ask its people.")
    return public_key(found["key"])


def _bar(quiet: bool) -> Progress:
    return Progress(
        BarColumn(bar_width=32),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        console=err(),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
