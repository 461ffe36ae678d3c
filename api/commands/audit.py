"""`clearance audit verify`: reads the whole log and the consent ledger that it is a witness of,
and checks every link of both."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from api.commands import ledger
from api.commands.telling import out, settings_of, show_json, tell_broken

if TYPE_CHECKING:
    from sharing.records.ledger_proof import Proven


def verify(
    *, home: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False
) -> int:
    """Check the audit log and the consent ledger at CLEARANCE_DATABASE_URL: nothing missing,
    nothing changed.

    Parameters
    ----------
    home
        The folder that `clearance up` runs from, instead of CLEARANCE_HOME.
    json
        Answer with JSON.
    """
    from sharing.records import audit
    from sharing.records.database import Database
    from sharing.records.ledger import LedgerBroken

    async def read() -> tuple[int, str, "Proven"]:
        async with Database(settings_of(home).database_url) as database:
            entries, head = await database.read(audit.verify)
            return entries, head, await ledger.proven(database, quiet=json)

    try:
        entries, head, consents = asyncio.run(read())
    except (audit.LogBroken, LedgerBroken) as broken:
        code = "audit_broken" if isinstance(broken, audit.LogBroken) else "ledger_broken"
        return tell_broken(code, broken, json=json)
    if json:
        told = {"entries": entries, "head": head, "consents": ledger.told(consents)}
        show_json({"ok": True, **told})
    else:
        out().print(f"{entries:,} entries, none missing, none changed. Head: {head}")
        out().print(ledger.in_words(consents))
    return 0
