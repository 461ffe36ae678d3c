"""One part of the system kept running: started again whenever it dies before it is told to stop."""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds between a death and the next start
STEADY = 20.0  # seconds of life after which the pause starts small again
LOG_LIMIT = 16 << 20  # bytes; a longer log is set aside as .1 when the part starts
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Part:
    """What to run: a program with its arguments, and the only environment it gets."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    log: Path
    keep_open: tuple[int, ...] = ()


class Child:
    """A running part. `say` hears about deaths, `started` is called after each start."""

    def __init__(self, part: Part, say: Callable[[str], None], started: Callable[[], None]) -> None:
        self.part = part
        self.deaths = 0
        self._say, self._started = say, started
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, or None while it is down."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Starts the part and keeps it running until `stop`."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.part.name}")

    async def stop(self, patience: float) -> None:
        """Asks politely, waits `patience` seconds, then kills; the whole process group goes."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        process = self._process
        if process is None:
            return
        self.kill(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Sends a signal to the part's process if it is up."""
        if self.pid is not None:
            os.kill(self.pid, how)

    def last_words(self, lines: int = 12) -> str:
        """The end of its log, for an error that has to explain why it will not start."""
        with suppress(OSError):
            text = self.part.log.read_text("utf-8", "replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    async def _spawn(self) -> None:
        part = self.part
        with suppress(OSError):
            if part.log.stat().st_size > LOG_LIMIT:
                part.log.replace(part.log.with_suffix(".log.1"))
        with part.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *part.command,
                env=dict(part.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=part.keep_open,
                start_new_session=True,  # Ctrl-C in the terminal reaches us alone: we stop them
                preexec_fn=_dies_with(os.getpid()),
            )
        self._started()

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while self._process is not None:
            born = time.monotonic()
            code = await self._process.wait()
            self.deaths += 1
            pause = FIRST_PAUSE if time.monotonic() - born > STEADY else pause
            self._say(
                f"The {self.part.name} {_ended(code)}; starting it again in {pause:g} s "
                f"(log: {self.part.log})"
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            await self._spawn_again()

    async def _spawn_again(self) -> None:
        """Tries until it works: a machine that has no room for a process now may have soon."""
        while True:
            try:
                return await self._spawn()
            except OSError as problem:
                self._say(f"The {self.part.name} cannot be started: {problem}; trying again.")
            await asyncio.sleep(LONGEST_PAUSE)


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"


def _dies_with(parent: int) -> Callable[[], None] | None:
    """On Linux: the kernel kills the child when we die, even by kill -9. Elsewhere nothing can,
    and the next `up` ends what is left (api.home.end_leftovers)."""
    if _libc is None:
        return None
    prctl = _libc.prctl

    def in_the_child() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we died between the fork and the line above
            os._exit(1)

    return in_the_child
