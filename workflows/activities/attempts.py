"""Attempts that fail say why, where engineers look."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sharing.errors import NotYet, Refused
from sharing.export.runs import Fenced
from sharing.records import shard_failures
from sharing.records.database import Database

# Somebody's will, or a later attempt's turn: no failure of this one.
NO_FAILURE = frozenset({"export_paused", "export_cancelled", "superseded"})


@asynccontextmanager
async def told(database: Database, fenced: Fenced) -> AsyncIterator[None]:
    """Whatever the block raises is written down beside its shard and attempt, and raised on."""
    try:
        yield
    except (Refused, NotYet) as failure:
        if failure.code not in NO_FAILURE:
            await _note(database, fenced, failure.code, failure.detail)
        raise
    except Exception as failure:
        words = str(failure)
        said = f"{type(failure).__name__}: {words}" if words else type(failure).__name__
        await _note(database, fenced, "export_failed", said)
        raise


async def _note(database: Database, fenced: Fenced, code: str, detail: str) -> None:
    """It is no reason to fail otherwise that this cannot be written."""
    which = fenced.export_id, fenced.number, fenced.fence
    try:
        await database.write(lambda u: shard_failures.note(u, *which, code, detail))
    except Exception as failure:
        logging.getLogger(__name__).warning("why an attempt failed was not kept: %s", failure)
