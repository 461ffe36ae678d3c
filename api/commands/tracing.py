"""`clearance export trace` and `reveal`: from what turned up outside, back to whom it came from."""

import asyncio
import re
from hashlib import file_digest
from pathlib import Path
from typing import Any

from api.commands.telling import Calling, out, settings_of, show_json
from api.told import WrongUsage
from sharing.errors import NotEligible, Refused
from sharing.settings import Settings
from sharing.stages import Role

CALLING = Calling()
WORD = re.compile(r"[0-9a-f]{24}|[0-9a-f]{32}")  # a pseudonym; the log holds no other word
MAY_REVEAL = (Role.ADMIN, Role.CONSENT_STEWARD)


async def trace(file: Path, /, *, calling: Calling = CALLING) -> int:
    """From which exports a file comes, byte for byte as it was delivered. Exit 1 if from none.

    Parameters
    ----------
    file
        The file that turned up.
    """
    with file.open("rb") as opened:
        digest = file_digest(opened, "sha256").hexdigest()
    async with calling.api() as api:
        told = await api.post("/v1/canaries/trace", {"sha256": digest})
    if calling.json:
        show_json(told)
    for match in () if calling.json else told["matches"]:
        out().print(f"{match['what']} of {match['export']}, delivered to {match['partner']}")
    if not told["matches"] and not calling.json:
        out().print("No export delivered exactly this file.")
    return 0 if told["matches"] else 1


def reveal(
    export: str, /, *names: str, home: Path | None = None, calling: Calling = CALLING
) -> int:
    """Whom and what names in a delivered package mean, for a recall. Runs where the pseudonym keys
    and the database are, for an admin or a consent steward by their token; it is in the audit log.

    Parameters
    ----------
    export
        The export's id.
    names
        Pseudonyms of subjects, or names of objects, as the package has them.
    home
        The folder that `clearance up` runs from, instead of CLEARANCE_HOME.
    """
    if not names:
        raise WrongUsage("Give one or more names as they stand in the package.")
    settings = settings_of(home)
    found = asyncio.run(revealed(settings, calling.token or settings.token, export, names))
    if calling.json:
        show_json({"export": export, "names": found})
        return 0 if len(found) == len(names) else 1
    for one in found:
        what = "a canary: nobody" if one["canary"] else f"{one['subject']}: {one['objects']}"
        out().print(f"{one['name']}  {what}", markup=False)
    for name in names:
        if name not in {one["name"] for one in found}:
            out().print(f"{name}  not delivered by this export", markup=False)
    return 0 if len(found) == len(names) else 1


async def revealed(
    settings: Settings, token: str, export: str, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """What the names mean, for the holder of a token who may know; raises Refused."""
    from sharing.export.reveal import bare
    from sharing.export.reveal import reveal as look
    from sharing.keyring import keyring
    from sharing.records import exports, parties
    from sharing.records.database import Database
    from sharing.records.unit import Unit

    ring = keyring(settings.pseudonym_key or str(settings.home / "keys" / "pseudonym.key"))

    async with Database(settings.database_url) as database:
        caller = await database.read(lambda s: parties.principal(s, token) if token else None)
        if caller is None:
            raise Refused("unauthenticated", "Who asks? Their token is needed.")
        if caller.role not in MAY_REVEAL:
            raise NotEligible("role", f"This needs {' or '.join(MAY_REVEAL)}, not {caller.role}.")
        request = await database.read(lambda s: exports.get(s, export).request_id)

        asked = [word for word in map(bare, names) if WORD.fullmatch(word)]

        def logged(unit: Unit) -> None:
            unit.audit(caller.id, "pseudonym.revealed", request, export=export, names=asked)

        await database.write(logged)  # first: what is not in the log is not answered
        found = await database.read(lambda s: look(s, export, ring, names))
    return [
        {"name": m.name, "subject": m.subject, "objects": list(m.objects), "canary": m.canary}
        for m in found.values()
    ]
