"""`clearance up`: everything on this machine, and one block that says what is where."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from api.commands.sign_in import NO_SUBJECT, SignIn
from api.commands.telling import err, out, show_json
from api.http_client import Api, ApiProblem
from api.up import System, running
from sharing.settings import PREFIX
from sharing.stages import ENDED, Role


def up(
    *,
    home: Path | None = None,
    port: int = 8080,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Everything on one machine: Temporal, both workers, the API and its pages.

    Parameters
    ----------
    home
        The folder for the database, the keys, the photos and the logs (CLEARANCE_HOME or
        .clearance).
    port
        The API's port on 127.0.0.1; 0 takes any that is free.
    json
        One line of JSON with the addresses once everything is ready.
    """
    return asyncio.run(_quietly(lambda: _up(home, port, json)))


async def _up(home: Path | None, port: int, as_json: bool) -> None:
    given = {name: text for name, text in os.environ.items() if name.startswith(PREFIX)}
    home = home or Path(given.get(f"{PREFIX}HOME") or ".clearance")
    console = err()
    async with running(home, port, given, lambda line: console.print(line, markup=False)) as system:
        links, waiting = await _links(system), await _waiting(system)
        if as_json:
            show_json(addresses(system, links, waiting))
        else:
            _show(system, links, waiting)
        await asyncio.Event().wait()


async def _quietly(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Runs until Ctrl-C or SIGTERM, which is a good end. The second Ctrl-C is no worse than the
    first: what runs is on disk already."""
    task = asyncio.ensure_future(work())
    for told in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(told, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
    return 0


def addresses(system: System, links: list[SignIn], waiting: Counter[str]) -> dict[str, Any]:
    """What runs where, for programs."""
    settings = system.settings
    return {
        "url": system.url,
        "docs": f"{system.url}/docs",
        "temporal": system.temporal.address,
        "temporal_ui": system.temporal.ui_url,
        "home": str(settings.home),
        "database": _database(settings.database_url),
        "store": settings.store_url,
        "delivered": settings.delivery_url,
        "logs": str(settings.home / "logs"),
        "processes": system.processes,
        "sign_in": [{"role": s.role.value, "name": s.name, "url": s.link} for s in links],
        "no_sign_in": {role.value: how for role, how in _nobody(links).items()},
        "requests": dict(waiting),
    }


def _show(system: System, links: list[SignIn], waiting: Counter[str]) -> None:
    settings = system.settings
    rows = [
        ("Pages", system.url),
        ("API", f"{system.url}/docs"),
        ("Workflows", system.temporal.ui_url),
        ("", ""),
        ("Database", _database(settings.database_url).removeprefix("sqlite+aiosqlite:///")),
        ("Photos", settings.store_url.removeprefix("file://")),
        ("Delivered", settings.delivery_url.removeprefix("file://")),
        ("Logs", str(settings.home / "logs")),
        ("", ""),
        ("Sign in as", "(each link works once, within 12 hours)"),
        *((f"  {who}", link) for who, link in _by_role(links)),
        *((f"  {role.value}", how) for role, how in _nobody(links).items()),
        ("A token", f"clearance token NAME --role ROLE --home {quote(str(settings.home))}"),
        ("", ""),
        ("Waiting", _told(waiting)),
        ("To stop", "Ctrl-C. Nothing is lost; the next `clearance up` goes on from here."),
    ]
    wide, console = max(len(name) for name, _ in rows), out()
    console.print("\n[bold]Clearance is up.[/bold]\n")
    for name, value in rows:
        line = Text.assemble((name.ljust(wide + 3), "dim"), value)
        line.rstrip()
        console.print(line, soft_wrap=True)  # a link stays whole, so that it can be copied
    console.print()


def _by_role(links: list[SignIn]) -> Iterator[tuple[str, str]]:
    """(role, link); the second of a role is called so."""
    seen: set[Role] = set()
    for one in links:
        words = one.role.value.replace("_", " ")
        yield (f"second {words}" if one.role in seen else words), one.link
        seen.add(one.role)


def _nobody(links: list[SignIn]) -> dict[Role, str]:
    """For which role there is nobody yet, and how there comes to be somebody."""
    there = any(one.role is Role.SUBJECT for one in links)
    return {} if there else {Role.SUBJECT: NO_SUBJECT}


def _database(url: str) -> str:
    """A database's address without its password."""
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)


def _told(waiting: Counter[str]) -> str:
    """`waiting` counts requests by state, ended ones too."""
    if not waiting:
        return "no request yet: a partner submits one with `clearance request submit FILE`"
    going = {state: n for state, n in sorted(waiting.items()) if state not in ENDED}
    told = ", ".join(f"{n} at {state.replace('_', ' ')}" for state, n in going.items())
    ended = waiting.total() - sum(going.values())
    return (told or "nothing") + (f" ({ended} ended)" if ended else "")


async def _links(system: System) -> list[SignIn]:
    from api.commands.sign_in import sign_in_links

    return await sign_in_links(system.settings)


async def _waiting(system: System) -> Counter[str]:
    """How many requests stand in each state."""
    for fresh in (False, True):
        token = await _own_token(system, fresh)
        with suppress(ApiProblem):
            async with Api(system.url, token) as api:
                return Counter([r["state"] async for r in api.items("/v1/requests", limit=100)])
    return Counter()


async def _own_token(system: System, fresh: bool) -> str:
    """The auditor's token that `up` itself reads with, kept beside the keys."""
    from api.commands.token import issued

    file = system.settings.home / "keys" / "up.token"
    if not fresh and file.is_file():
        return file.read_text().strip()
    token = await issued(system.settings, "Clearance on this machine", Role.AUDITOR)
    file.touch(mode=0o600)
    file.write_text(token)
    return token
