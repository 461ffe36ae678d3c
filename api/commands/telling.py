"""How every command speaks: results on stdout (for people, or JSON), problems on stderr."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import Parameter
from rich.console import Console

from api.http_client import Api, ApiProblem
from api.told import Told, WrongUsage
from sharing.errors import Refused
from sharing.keys import KeyProblem
from sharing.settings import PREFIX, Settings, SettingsError

FAILED, WRONG_USAGE = 1, 2
PIPE_WIDTH = 500  # tables have to have a width; this one cuts nothing

Word = TypeVar("Word")
Spelt = Annotated[Word, Parameter(name_transform=str.lower)]  # a choice as it is written everywhere

CURES: Mapping[str, str] = {
    "unauthenticated": "Give a token with --token or CLEARANCE_TOKEN; `clearance token` makes one.",
    "forbidden": "Use a token with the role this needs; `clearance token NAME --role ROLE`.",
    "stale_digest": "The request changed: read it again with `clearance request show`.",
    "not_cleared": "`clearance request show` says which gate it waits for, and who may act there.",
    "wrong_stage": "`clearance request show` says which gate it waits for, and who may act there.",
}
NO_DATABASE = (
    "The database is the one under --home or CLEARANCE_HOME (else .clearance), unless "
    "CLEARANCE_DATABASE_URL names another. `clearance up` or `clearance migrate` makes it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
@Parameter(name="*")
class Calling:
    """Where the API is, who calls, and how the answer is shown."""

    url: Annotated[
        str | None, Parameter(help="The API's address, instead of CLEARANCE_API_URL.")
    ] = None
    token: Annotated[
        str | None, Parameter(help="The bearer token, instead of CLEARANCE_TOKEN.")
    ] = None
    json: Annotated[bool, Parameter(help="Answer with JSON on stdout.", negative="")] = False

    def api(self) -> Api:
        """A client for this call; raises SettingsError."""
        settings = Settings.from_environment()
        return Api(self.url or settings.api_url, self.token or settings.token)


def settings_of(home: Path | None) -> Settings:
    """The settings, with another home where one is given; raises SettingsError."""
    given = {} if home is None else {f"{PREFIX}HOME": str(home)}
    return Settings.from_environment({**os.environ, **given})


def out() -> Console:
    """Where results go. A pipe gets plain text, never cut to a width."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, soft_wrap=True, width=PIPE_WIDTH)


def err() -> Console:
    """Where everything that is not a result goes."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def show_json(value: object) -> None:
    """One JSON value on one line of stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def explain(problem: Exception) -> int:
    """Says on stderr what went wrong and what helps; gives the exit code."""
    console, lines, code = err(), [str(problem)], FAILED
    match problem:
        case ApiProblem():
            fields = [f"{e.get('path', '?')}: {e.get('message', '')}" for e in problem.errors]
            lines = _refusal(problem.code, problem.detail, fields)
            lines += [CURES[problem.code]] if problem.code in CURES else []
        case Refused():
            fields = [f"{e.path}: {e.message}" for e in problem.errors]
            lines = _refusal(problem.code, problem.detail, fields)
        case SettingsError() | KeyProblem() | WrongUsage():
            code = WRONG_USAGE
        case Told():
            pass
        case BrokenPipeError():
            lines = []
        case OSError():
            lines = [f"{problem.filename or 'The machine'}: {problem.strerror or problem}"]
        case _ if _is_the_database(problem):
            lines += [NO_DATABASE]
        case _:
            _bug(console, problem)
            return FAILED
    for number, line in enumerate(lines):
        console.print(line, style="red" if number == 0 else "", markup=False)
    return code


def _refusal(code: str, detail: str, fields: list[str]) -> list[str]:
    """The code and what is wrong, then each bad field; what is said already is not said twice."""
    lines = [f"  {field}" for field in fields]
    if not all(field in detail for field in fields):
        return [f"{code}: {detail}", *lines]
    if len(fields) < 2:
        return [f"{code}: {detail}"]
    return [f"{code}: {len(fields)} fields cannot be accepted.", *lines]


def _is_the_database(problem: Exception) -> bool:
    from sharing.records.database import StorageFailed  # slow to load, and seldom needed

    return isinstance(problem, StorageFailed)


def _bug(console: Console, problem: Exception) -> None:
    """With all that is needed to find it: in a log as plain lines, which tools can search."""
    if console.is_terminal:
        from rich.traceback import Traceback

        shown = Traceback.from_exception(type(problem), problem, problem.__traceback__)
        console.print(shown)
    else:
        import traceback

        traceback.print_exception(problem)
    console.print("This is a fault in Clearance, not in what you asked. Please report it.")


def tell_broken(code: str, broken: Exception, *, json: bool) -> int:
    """Something does not hold: says what, by its code; returns the exit code."""
    if json:
        show_json({"ok": False, "code": code, "detail": str(broken)})
    err().print(f"{code}: {broken}", style="red", markup=False)
    return FAILED
