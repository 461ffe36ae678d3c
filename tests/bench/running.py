"""A Clearance of the bench's own: its home, Temporal server, database and worker processes."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from api.home import with_keys
from api.parts import part
from sharing.records.database import Database
from sharing.records.migrate import migrate
from sharing.settings import Settings
from tests.engine import temporal_binary
from workflows.client import connect


@dataclass(frozen=True, slots=True)
class Running:
    """`client` encrypts as Clearance does; `plain` is for peers. `database` is for the bench."""

    settings: Settings
    database: Database
    client: Client
    plain: Client


@asynccontextmanager
async def clearance(*parts: str, **chosen: Any) -> AsyncIterator[Running]:
    """Starts the named parts (api.parts) as processes of their own, as `clearance up` does, on a
    new home with a migrated SQLite database and a Temporal server that writes to a file. `chosen`
    are settings."""
    home = Path(tempfile.mkdtemp(prefix="clearance-bench-home-"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        temporal = await stack.enter_async_context(await server(home))
        address = temporal.client.service_client.config.target_host
        settings = with_keys(replace(Settings(), home=home, temporal_address=address).resolved())
        # The store's folder is the whole disk: datasets of a bench name their folders in full.
        settings = replace(settings, **{"store_url": "file:///", **chosen})
        await asyncio.to_thread(migrate, settings.database_url)
        for name in parts:
            child = part(name, settings)
            await stack.enter_async_context(process(child.command, child.environ, child.log))
        database = await stack.enter_async_context(Database(settings.database_url))
        client = await connect(settings)
        yield Running(settings, database, client, temporal.client)


async def server(home: Path) -> WorkflowEnvironment:
    """A Temporal server that writes to a file under `home`."""
    with _stdout_for_results():
        return await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(temporal_binary()),
            dev_server_database_filename=str(home / "temporal.sqlite3"),
            dev_server_log_level="error",
        )


@contextmanager
def _stdout_for_results() -> Iterator[None]:
    """What is started meanwhile writes its greeting to stderr: stdout is for the result alone."""
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@asynccontextmanager
async def process(
    command: Sequence[str], environ: Mapping[str, str] | None, log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that runs for as long as the block; raises RuntimeError if it dies in it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        child = await asyncio.create_subprocess_exec(
            *command, env=environ, stdout=file, stderr=file
        )
    try:
        yield child
        if child.returncode is not None:
            raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}.")
    except BaseException:
        print(log.read_text()[-2000:], file=sys.stderr)  # why a bench failed stands there
        raise
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command for a module of ours in a Python of its own."""
    return (sys.executable, "-m", module, *arguments)
