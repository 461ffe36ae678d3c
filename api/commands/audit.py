"""`clearance audit verify`: reads the whole log and checks every link of it."""

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from api.commands.telling import err, out, settings_of, show_json


def verify(
    *, home: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False
) -> int:
    """Check the audit log at CLEARANCE_DATABASE_URL: no entry missing, none changed.

    Parameters
    ----------
    home
        The folder that `clearance up` runs from, instead of CLEARANCE_HOME.
    json
        Answer with JSON.
    """
    from sharing.records import audit
    from sharing.records.database import Database

    async def read() -> tuple[int, str]:
        async with Database(settings_of(home).database_url) as database:
            return await database.read(audit.verify)

    try:
        entries, head = asyncio.run(read())
    except audit.LogBroken as broken:
        if json:
            show_json({"ok": False, "detail": str(broken)})
        err().print(f"audit_broken: {broken}", style="red", markup=False)
        return 1
    if json:
        show_json({"ok": True, "entries": entries, "head": head})
    else:
        out().print(f"{entries:,} entries, none missing, none changed. Head: {head}")
    return 0
