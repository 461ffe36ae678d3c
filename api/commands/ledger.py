"""`clearance consent verify`: recomputes the whole consent ledger and says whether it is whole."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from api.commands.telling import err, out, settings_of, show_json, tell_broken

if TYPE_CHECKING:
    from sharing.records.database import Database
    from sharing.records.ledger_proof import Proven


def verify(
    *, home: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False
) -> int:
    """Check the consent ledger at CLEARANCE_DATABASE_URL: no event missing, none changed, and
    each checkpoint the one that the audit log names.

    Parameters
    ----------
    home
        The folder that `clearance up` runs from, instead of CLEARANCE_HOME.
    json
        Answer with JSON.
    """
    from sharing.records.database import Database
    from sharing.records.ledger import LedgerBroken

    async def read() -> "Proven":
        async with Database(settings_of(home).database_url) as database:
            return await proven(database, quiet=json)

    try:
        found = asyncio.run(read())
    except LedgerBroken as broken:
        return tell_broken("ledger_broken", broken, json=json)
    if json:
        show_json({"ok": True, **told(found)})
    else:
        out().print(in_words(found))
    return 0


async def proven(database: "Database", *, quiet: bool) -> "Proven":
    """Reads the whole ledger, with a progress bar; raises LedgerBroken."""
    from sharing.records import ledger_proof

    with _bar(quiet) as progress:
        task = progress.add_task("consent ledger", total=None)

        def tell(done: int, every: int) -> None:
            progress.update(task, completed=done, total=every)

        return await database.read(lambda session: ledger_proof.prove(session, tell))


def told(found: "Proven") -> dict[str, Any]:
    """A whole ledger as JSON."""
    return {"events": found.events, "checkpoints": found.checkpoints, "head": found.head}


def in_words(found: "Proven") -> str:
    """A whole ledger as a line for people."""
    return (
        f"{found.events:,} consent events in {found.checkpoints:,} checkpoints, none missing, "
        f"none changed. Head: {found.head}"
    )


def _bar(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.completed:,} events"),
        TimeRemainingColumn(),
        console=err(),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
