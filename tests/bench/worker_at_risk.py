"""An export worker that is killed with -9 and started again, and what that costs."""

import asyncio
import os
import signal
from pathlib import Path

from api.parts import EXPORT, part
from sharing.settings import Settings

_GONE_SECONDS = 0.3  # packing processes end a moment after their worker


class WorkerAtRisk:
    """One export worker at a time. `in_hand` are the marks of attempts that died while packing."""

    def __init__(self, settings: Settings) -> None:
        self._part = part(EXPORT, settings)
        self._delivered = Path(settings.delivery_url.removeprefix("file://"))
        self._process: asyncio.subprocess.Process | None = None
        self._dead = set[str]()
        self.in_hand = list[str]()
        self.peak_bytes = 0
        self.peak_bytes_of_a_packer = 0
        self.kills = 0

    async def start(self) -> None:
        """A new one, in a session of its own."""
        self._part.log.parent.mkdir(parents=True, exist_ok=True)
        with self._part.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._part.command, env=self._part.environ, stdout=log, stderr=log
            )

    async def kill(self) -> None:
        """kill -9, then a new one; notes which shards it had in hand."""
        assert self._process is not None
        self.measure()
        os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await asyncio.sleep(_GONE_SECONDS)
        for mark in (self._delivered / ".staging").glob("*/*.mark"):
            if str(mark) not in self._dead and mark.read_text().strip():
                self._dead.add(str(mark))
                self.in_hand.append(mark.name)
        self.kills += 1
        await self.start()

    async def stop(self) -> None:
        """Ends it."""
        assert self._process is not None
        self.measure()
        self._process.terminate()
        await self._process.wait()

    def measure(self) -> None:
        """Notes the most memory that the worker, and that one of its packers, ever had."""
        assert self._process is not None
        self.peak_bytes = max(self.peak_bytes, _peak(self._process.pid))
        for child in _children(self._process.pid):
            self.peak_bytes_of_a_packer = max(self.peak_bytes_of_a_packer, _peak(child))


def _peak(pid: int) -> int:
    """The most resident memory of a process so far, in bytes; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) * 1024 if found else 0


def _children(pid: int) -> list[int]:
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
