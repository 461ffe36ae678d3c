"""A host of its own, with a network of its own (a namespace and a cable), that can be cut off.

What is cut is the cable: packets vanish, nobody is told, as between two machines."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

HOW = "Needs root on Linux and `ip` (Debian: iproute2): it makes a network namespace of its own."


@dataclass(frozen=True, slots=True)
class Host:
    """`here` is our address as the host knows it; `port` there leads to the address behind us."""

    name: str
    cable: str
    here: str
    port: int

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command, to be run on that host."""
        return ["ip", "netns", "exec", self.name, *command]

    def cut(self) -> None:
        """From now on nothing passes in either direction."""
        _ip("link", "set", self.cable, "down")

    def join(self) -> None:
        """The cable is in again."""
        _ip("link", "set", self.cable, "up")


@asynccontextmanager
async def host(behind: str) -> AsyncIterator[Host]:
    """A host from which `behind` (ADDRESS:PORT, on this machine) can be reached; skips the test
    where that cannot be made."""
    number = os.getpid() % 250
    name, cable = f"clearance-{os.getpid()}", f"clr{os.getpid() % 100000}"
    here, there = f"10.231.{number}.1", f"10.231.{number}.2"
    try:
        _ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(HOW)
    try:
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("addr", "add", f"{here}/24", "dev", cable)
        _ip("link", "set", cable, "up")
        _ip("-n", name, "addr", "add", f"{there}/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        _ip("-n", name, "link", "set", "lo", "up")
        address, _, port = behind.partition(":")
        server = await asyncio.start_server(_relay(address, int(port)), here, 0)
        yield Host(name, cable, here, server.sockets[0].getsockname()[1])
        server.close()
    finally:
        _ip("netns", "del", name)
        with suppress(subprocess.CalledProcessError):  # it went with the namespace
            _ip("link", "del", cable)


def _ip(*arguments: str) -> None:
    if os.geteuid() != 0:
        raise PermissionError(HOW)
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _relay(
    address: str, port: int
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_there, to_there = await asyncio.open_connection(address, port)
        await asyncio.gather(_pass_on(reader, to_there), _pass_on(from_there, writer))

    return serve


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
