"""`clearance verify`: checks a delivered package offline, with nothing but the public key."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from api.commands.telling import err, out, show_json
from api.told import WrongUsage
from sharing.keys import public_key
from sharing.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from sharing.export.verify import Verification

IDENTITY = "AGE-SECRET-KEY-"


def verify(
    package: Path,
    /,
    *,
    key: str,
    age_identity: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Check a package: the seal, every digest, the counts; nothing missing, nothing extra.

    Parameters
    ----------
    package
        The folder that was delivered.
    key
        The sender's public key: base64 as at GET /v1/keys, or a file that holds it.
    age_identity
        The partner's age identity file, for an encrypted package.
    """
    from sharing.export.verify import PackageBroken

    Settings.from_environment()  # needs none; a misspelt one is refused here too
    trusted = as_key(key)
    identity = None if age_identity is None else identity_in(age_identity)
    try:
        with Progress(
            BarColumn(bar_width=32),
            DownloadColumn(),
            TimeRemainingColumn(compact=True),
            console=err(),
            transient=True,
            disable=json or not sys.stderr.isatty(),
        ) as progress:
            found = _checked(package, trusted, identity, progress)
    except PackageBroken as broken:
        told = {"ok": False, "code": "package_broken", "path": broken.path, "detail": broken.detail}
        show_json(told) if json else out().print(broken.path, markup=False)
        err().print(f"package_broken: {broken}", style="red", markup=False)
        return 1
    except ValueError as problem:  # what the identity file holds is no identity
        raise WrongUsage(f"{age_identity}: {problem}") from None
    show_json({"ok": True, **asdict(found)}) if json else _show(package, found)
    return 0


def _checked(
    package: Path, key: "Ed25519PublicKey", identity: str | None, progress: Progress
) -> "Verification":
    from sharing.export.verify import verify as check

    task = progress.add_task("", total=None)

    def looked(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    return check(package, key, identity, looked)


def as_key(key: str) -> "Ed25519PublicKey":
    """A public key as it is given: base64, or a file that holds it."""
    return public_key(Path(key).read_text().strip() if Path(key).is_file() else key)


def identity_in(file: Path) -> str:
    """The secret key in an age identity file, which may hold comments too."""
    for line in file.read_text().splitlines():
        if line.strip().startswith(IDENTITY):
            return line.strip()
    raise WrongUsage(f"{file} holds no age identity: it has a line that begins with {IDENTITY}.")


def _show(package: Path, found: "Verification") -> None:
    console = out()
    console.print(f"{package} holds.", markup=False)
    for sentence in found.checked:
        console.print(f"  {sentence}", markup=False)
    counts = f"{found.objects:,} objects of {found.subjects:,} subjects, {found.bytes:,} bytes"
    console.print(f"  {counts}, in {found.files:,} files.")
