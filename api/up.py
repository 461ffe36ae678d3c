"""Everything on one machine: Temporal, the two workers and the API, started, watched, stopped."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import httpx2

from api import home as home_folder
from api import parts
from api.bytecode import keep_apart
from api.child import Child, Part
from api.embedded import TemporalServer
from api.told import Told
from sharing import policy
from sharing.settings import PREFIX, Settings, SettingsError

READY_WITHIN = 45.0  # seconds; the usual start takes 4
POLITE_STOP = 12.0  # seconds: a worker finishes what it holds, at most 10
HOPELESS = 4  # deaths while we wait for it to be ready


class NotStarted(Told):
    """A part that will not run: names it, and gives the end of its log."""


@dataclass(slots=True)
class System:
    """A running system. `processes` changes as parts are started again."""

    settings: Settings
    url: str
    temporal: TemporalServer
    say: Callable[[str], None]
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def processes(self) -> dict[str, int]:
        """Process ids by part, of the parts that are up now."""
        return {name: child.pid for name, child in self.children.items() if child.pid is not None}

    def kill(self, name: str) -> int:
        """kill -9 for one part, as a test or a trial does; gives the process id it had."""
        pid = self.processes[name]
        self.children[name].kill()
        return pid

    async def ready(self, within: float = READY_WITHIN) -> None:
        """Returns once every part serves; raises NotStarted."""
        async with httpx2.AsyncClient(trust_env=False, timeout=2.0) as http:
            for name in self.children:
                await self._until(name, partial(self._serves, http, name), within)

    async def start(self, part: Part) -> None:
        """Runs a part from now on."""
        child = Child(part, self.say, self.record)
        self.children[part.name] = child
        await child.start()

    async def stop(self, *names: str) -> None:
        """Stops these parts together."""
        await asyncio.gather(
            *(self.children[n].stop(POLITE_STOP) for n in names if n in self.children)
        )
        self.record()

    def record(self) -> None:
        """Writes down who runs, so that a later start can end what a kill -9 left."""
        home_folder.record(
            self.settings.home,
            {"supervisor": os.getpid(), "url": self.url, "processes": self.processes},
        )

    async def _serves(self, http: httpx2.AsyncClient, name: str) -> bool:
        if name == parts.TEMPORAL:
            return (await http.get(self.temporal.namespace_url)).status_code == 200
        if name == parts.API:
            return (await http.get(f"{self.url}/readyz")).status_code == 200
        pollers = (await http.get(self.temporal.pollers_url(*parts.TAKES[name]))).json()
        mine = f"{self.processes.get(name)}@"
        return any(p["identity"].startswith(mine) for p in pollers.get("pollers", ()))

    async def _until(self, name: str, serves: Callable[[], Awaitable[bool]], within: float) -> None:
        clock = asyncio.get_running_loop().time
        deadline, child = clock() + within, self.children[name]
        hopeless = child.deaths + HOPELESS
        while clock() < deadline and child.deaths < hopeless:
            try:
                if await serves():
                    return
            except (httpx2.TransportError, ValueError, KeyError):
                pass  # not yet: it is starting
            await asyncio.sleep(0.05)
        raise NotStarted(f"The {name} does not start. Its last words:\n{child.last_words()}")


@asynccontextmanager
async def running(
    home: Path,
    port: int | None = None,
    overrides: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> AsyncIterator[System]:
    """Everything, ready to use, until the block ends.

    `port` is the API's (free if None), `overrides` are settings by their environment names, `say`
    hears one line whenever a part dies and is started again. Raises home.HomeInUse, NotStarted,
    SettingsError.
    """
    keep_apart()
    settings = _settings(home, overrides or {})
    async with AsyncExitStack() as stack:
        stack.enter_context(home_folder.locked(settings.home))
        await asyncio.to_thread(home_folder.end_leftovers, settings.home)
        (settings.home / "logs").mkdir(exist_ok=True)
        listener = stack.enter_context(closing(_listener(port)))
        system = _system(settings, listener, say)
        stack.push_async_callback(system.stop, parts.TEMPORAL)
        stack.push_async_callback(system.stop, parts.API, parts.CONTROL, parts.EXPORT)
        await system.start(_temporal_part(system))
        await asyncio.gather(system.ready(), asyncio.to_thread(_migrate, system.settings))
        for part in _python_parts(system, listener):
            await system.start(part)
        await system.ready()
        yield system


def _settings(home: Path, overrides: Mapping[str, str]) -> Settings:
    if f"{PREFIX}TEMPORAL_ADDRESS" in overrides:
        raise SettingsError(
            f"{PREFIX}TEMPORAL_ADDRESS is set, but this command runs a Temporal server of its "
            "own. Unset it, or start the parts one by one: `clearance api`, `clearance worker ...`."
        )
    settings = Settings.from_environment({**overrides, f"{PREFIX}HOME": str(home)})
    policy.take_up(settings)  # a file that cannot be used is told here, not in a part's log
    settings.home.mkdir(parents=True, exist_ok=True)
    return home_folder.with_keys(settings)


def _system(settings: Settings, listener: socket.socket, say: Callable[[str], None]) -> System:
    temporal = TemporalServer(settings.home, settings.temporal_namespace, *_free_ports(4))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = replace(
        settings,
        temporal_address=temporal.address,
        temporal_ui_url=settings.temporal_ui_url or temporal.ui_url,
        api_url=url,
    )
    return System(settings, url, temporal, say)


def _temporal_part(system: System) -> Part:
    environ = parts.environment(system.settings, frozenset())
    environ["TEMPORAL_VERSION_CHECK_DISABLED"] = "1"
    log = system.settings.home / "logs" / "temporal.log"
    return Part(parts.TEMPORAL, tuple(system.temporal.command()), environ, log)


def _migrate(settings: Settings) -> None:
    """In this process, while Temporal starts: whoever runs a system needs the records anyway, and
    loading them takes longest. Meanwhile no other thread may load anything of theirs."""
    from sharing.records.migrate import migrate

    try:
        migrate(settings.database_url)
    except Exception as problem:
        raise NotStarted(f"The database cannot be brought up to date: {problem}") from problem


def _python_parts(system: System, listener: socket.socket) -> list[Part]:
    inherited = listener.fileno()
    return [
        parts.part(parts.CONTROL, system.settings),
        parts.part(parts.EXPORT, system.settings),
        parts.part(
            parts.API, system.settings, "--descriptor", str(inherited), keep_open=(inherited,)
        ),
    ]


def _listener(port: int | None) -> socket.socket:
    """The API's socket, held by us: while the API is being restarted its callers wait in line
    instead of being refused."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port or 0))
    except OSError as problem:
        listener.close()
        raise NotStarted(
            f"Port {port} on 127.0.0.1 cannot be used ({problem.strerror}). Choose another with "
            "--port."
        ) from None
    listener.listen(1024)
    return listener


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports
