"""`clearance verify`: checks a delivered package offline, with nothing but the public key."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from api.commands.telling import err, out, show_json
from sharing.keys import public_key


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
    from sharing.export.verify import verify as check

    trusted = public_key(Path(key).read_text().strip() if Path(key).is_file() else key)
    identity = age_identity.read_text() if age_identity else None
    try:
        verification = check(package, trusted, identity)
    except PackageBroken as broken:
        told = {
            "ok": False,
            "code": "package_broken",
            "path": str(broken.path),
            "detail": str(broken),
        }
        if json:
            show_json(told)
        else:
            out().print(str(broken.path), markup=False)
        err().print(f"package_broken: {broken}", style="red", markup=False)
        return 1
    facts = asdict(verification)
    if json:
        show_json({"ok": True, **facts})
    else:
        out().print(f"{package}: the seal holds.", markup=False)
        for name, value in facts.items():
            out().print(f"  {name.replace('_', ' ')}: {value}", markup=False)
    return 0
