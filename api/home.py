"""The home folder of one `clearance up`: its lock, its keys, and a record of what runs there."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.told import Told
from sharing.keys import secret_file
from sharing.settings import Settings

KEYS = {
    "decision_key": "decision.key",
    "signing_key": "signing.key",
    "pseudonym_key": "pseudonym.key",
    "payload_keys": "payload.key",
}


class HomeInUse(Told):
    """Another `up` runs from this home: two would write one database."""


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Holds the home's lock for as long as this process lives; raises HomeInUse.

    The kernel drops the lock when the process dies, however it dies, so no lock is ever stale.
    """
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = recorded(home).get("supervisor", "unknown")
            raise HomeInUse(
                f"{home} is already in use by process {holder}. Stop that one, or give this one "
                "a home of its own with --home."
            ) from None
        yield
    finally:
        os.close(descriptor)


def with_keys(settings: Settings) -> Settings:
    """The same settings, where each secret that is not set is a key file under home/keys."""
    made: dict[str, Any] = {
        name: str(secret_file(settings.home / "keys" / file))
        for name, file in KEYS.items()
        if not getattr(settings, name)
    }
    return replace(settings, **made)


def record(home: Path, entry: Mapping[str, object]) -> None:
    """Replaces home/run.json in one step: a reader sees the old record or the new one."""
    draft = home / "run.json.draft"
    draft.write_text(json.dumps(entry, indent=1))
    draft.replace(home / "run.json")


def recorded(home: Path) -> dict[str, object]:
    """What home/run.json says, or nothing if it is absent or cut short."""
    with suppress(OSError, ValueError):
        entry = json.loads((home / "run.json").read_text())
        if isinstance(entry, dict):
            return entry
    return {}


def end_leftovers(home: Path, patience: float = 5.0) -> list[str]:
    """Ends processes that an earlier, killed `up` left behind; gives their names.

    A process id may have been given to somebody else since, so only one whose command line names
    this home is ended.
    """
    processes = recorded(home).get("processes")
    left = processes if isinstance(processes, dict) else {}
    ours = {name: pid for name, pid in left.items() if _names(home, pid)}
    for pid in ours.values():
        _send(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(_names(home, pid) for pid in ours.values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in ours.values():
        if _names(home, pid):
            _send(pid, signal.SIGKILL)
    return sorted(ours)


def command_line(pid: int) -> str:
    """The command line of a live process, empty if there is none."""
    if sys.platform == "linux":
        with suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
            return line.replace("\0", " ")
        return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return shown.stdout


def _names(home: Path, pid: object) -> bool:
    """True if `pid` lives and has this very home, or a file in it, among its arguments."""
    line = command_line(pid) if isinstance(pid, int) else ""
    return any(mark in line + " " for mark in (f"{home}/", f"{home} "))


def _send(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, what)
