"""The parts one by one, as production runs them: `api`, `worker control|export`, `migrate`."""

import asyncio
import contextlib
import gc
import signal
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sharing.settings import Settings

PartOf = Annotated[Path | None, Parameter(show=False)]  # marks a process as one home's, no more


def api(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    descriptor: int | None = None,
    part_of: PartOf = None,
) -> int:
    """The HTTP API and its pages.

    Parameters
    ----------
    host
        The address to listen on.
    port
        The port to listen on.
    descriptor
        An open listening socket to serve instead, as systemd and `clearance up` hand one over.
    """
    settings = _settings()
    import uvicorn

    from api.app import create_app
    from api.pages import frame

    class Server(uvicorn.Server):
        """With the garbage collector's rounds rare: they were the slowest answers (p99 78 ms with
        them, 11 ms without)."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            _collect_rarely()
            threading.Thread(target=frame.compile_all, daemon=True).start()

    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        http="httptools",
        loop="uvloop",
        access_log=False,  # addresses can carry sign-in codes
        log_config=None,
        timeout_graceful_shutdown=2,  # an open event stream would hold us for ever
    )
    _logging(settings)
    # The server raises the signal that stopped it once more when it is done: let it end quietly.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run(None if descriptor is None else [socket.socket(fileno=descriptor)])
    return 0


def control(*, part_of: PartOf = None) -> int:
    """The control worker: runs the process and its gates. It has no way to the photos."""
    settings = _settings()
    _logging(settings)
    from workflows.worker import run_control

    _collect_rarely()
    return until_told(lambda: run_control(settings))


def export(*, part_of: PartOf = None) -> int:
    """The export worker: alone holds the storage settings and the seal, and cannot decide."""
    settings = _settings()
    _logging(settings)
    from workflows.worker import run_export

    _collect_rarely()
    return until_told(lambda: run_export(settings))


def migrate() -> int:
    """Brings the database at CLEARANCE_DATABASE_URL to the newest schema."""
    settings = Settings.from_environment()
    _logging(settings)
    from sharing.records.migrate import migrate as bring_to_head

    if settings.database_url.startswith("sqlite"):
        settings.home.mkdir(parents=True, exist_ok=True)
    bring_to_head(settings.database_url)
    return 0


def until_told(work: Callable[[], Awaitable[None]]) -> int:
    """Runs until the work ends, or SIGINT or SIGTERM cancels it; a cancelled run is a good end."""

    async def main() -> int:
        task = asyncio.ensure_future(work())
        for told in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(told, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return 0

    return asyncio.run(main())


def _collect_rarely() -> None:
    """Takes all that start-up made out of the garbage collector's rounds, and makes these rare."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _settings() -> Settings:
    """The settings, with the files that consent is judged by in force; raises SettingsError."""
    from sharing import policy

    settings = Settings.from_environment()
    policy.take_up(settings)
    return settings


def _logging(settings: Settings) -> None:
    """Logs go to stderr, results to stdout."""
    import logging

    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
