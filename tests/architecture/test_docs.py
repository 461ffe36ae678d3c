"""What the program has, the documentation has; and what the documentation says of it is so."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import cli, parts
from api.app import ROUTES
from api.auth import ALLOWED, GATEKEEPERS, READERS
from api.pages import agreement
from api.pages.home import add_to
from api.problems import PROBLEMS
from sharing.stages import GATES, STAFF, Exclusion, RequestState, Role

ROOT = Path(__file__).resolve().parents[2]
PROCESS = (ROOT / "docs" / "process.md").read_text()
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text()
SOURCES = [f for p in ("api", "workflows", "sharing") for f in sorted((ROOT / p).rglob("*.py"))]

GROUPS = {
    "anyone": None,
    "every role": frozenset(Role),
    "staff": STAFF,
    "gatekeepers": GATEKEEPERS,
}
RAISED = re.compile(
    r"\b(?:Refused|NotYet|DestinationFailed|SourceFailed|ApplicationError|refusal)\(\s*\"([a-z_]+)\""
)
# A call that tells an event names its type within its first lines, as text with a dot in it.
TOLD = re.compile(r"\b(?:tell|_tell|_told)\([^()]{0,80}?\"([a-z_]+\.[a-z_]+)\"")
TOLD_IN_A_LOOP = {"export.delivered", "request.delivered"}  # named in a tuple, so not seen above
REFUSALS = "| code | status | it means | what to do |"
FAILURES = "| code | it means | what to do |"
SECRETS = (
    "consent_source_token",
    "decision_key",
    "signing_key",
    "pseudonym_key",
    "payload_keys",
    "store_url",
    "table_sources",
)


def table(page: str, heading: str) -> list[list[str]]:
    """The rows below that heading line, without backquotes; there is exactly one such table."""
    _, found, after = page.partition(f"\n{heading}\n")
    assert found, f"no table begins with {heading}"
    assert heading not in after
    rows = after.split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]


def quoted(cell: str) -> list[str]:
    """The words between backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def words(heading: str) -> set[str]:
    """What stands between backquotes in the first column of a table of docs/process.md."""
    return {word for row in table(PROCESS, heading) for word in quoted(row[0])}


def roles(text: str) -> frozenset[Role] | None:
    """The roles that a cell of the table of calls names; None for everybody without a token."""
    if text == "anyone":
        return None
    named: set[Role] = set()
    for word in text.split(", "):
        named |= GROUPS.get(word) or {Role(word)}
    return frozenset(named)


def test_every_call_is_told_with_those_who_may_make_it() -> None:
    """The table of calls has each route of the API, and exactly the roles that may call it."""
    told = {row[0].strip("`"): roles(row[1]) for row in table(PROCESS, "| call | who | it |")}
    real = {
        f"{method} {route.path}": ALLOWED[route.name]
        for noun in ROUTES
        for route in noun.router.routes
        for method in route.methods or ()
    }
    assert len(real) > 30
    assert told == real


def test_every_page_is_told() -> None:
    """The address of each page for people is in docs/process.md."""
    app = FastAPI(openapi_url=None)
    add_to(app)
    agreement.add_to(app)
    pages = [
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]
    assert len(pages) >= 6
    assert [page for page in pages if f"`{page}`" not in PROCESS] == []


def test_the_words_for_groups_mean_those_roles() -> None:
    """`staff, partner` in the table of calls is what the code calls readers."""
    assert roles("staff, partner") == READERS


@pytest.mark.parametrize("command", [w for commands in cli.COMMANDS.values() for w in commands])
def test_every_command_is_told(command: str) -> None:
    """Each command has a row of its own in docs/command-line.md."""
    assert re.search(rf"^\| `clearance {command}[ `]", COMMAND_LINE, re.MULTILINE)


def test_no_command_is_told_that_does_not_exist() -> None:
    """Each row of docs/command-line.md that begins with `clearance` is a command."""
    known = [w for commands in cli.COMMANDS.values() for w in commands]
    told = re.findall(r"^\| `clearance ([^`]+)`", COMMAND_LINE, re.MULTILINE)
    assert [t for t in told if not any(t == w or t.startswith(f"{w} ") for w in known)] == []


def test_exit_codes_are_told_as_they_are() -> None:
    """docs/command-line.md explains exactly the three exit codes that the program has."""
    told = re.findall(r"^\| (\d) \|", COMMAND_LINE, re.MULTILINE)
    assert [int(code) for code in told] == [cli.DONE, cli.FAILED, cli.WRONG_USAGE]


def test_every_problem_is_told_with_its_status() -> None:
    """The table of refusals has each code of api.problems with its HTTP status, and no other."""
    told = {row[0].strip("`"): row[1] for row in table(PROCESS, REFUSALS)}
    assert told == {code: str(status) for code, (status, _) in PROBLEMS.items()}


def test_every_refusal_in_the_code_is_told() -> None:
    """Each code with which anything is refused anywhere has a row in docs/process.md."""
    raised = {code for file in SOURCES for code in RAISED.findall(file.read_text())}
    assert len(raised) > 30
    assert sorted(raised - words(REFUSALS) - words(FAILURES)) == []


def test_every_reason_of_ineligibility_is_told() -> None:
    """Each `why` of the eligibility function has a row in docs/process.md, and no other has."""
    rules = (ROOT / "sharing" / "eligibility.py").read_text()
    whys = set(re.findall(r"NotEligible\(\s*\"([a-z_]+)\"", rules))
    assert len(whys) >= 5
    assert words("| why | who |") == whys


def test_every_state_is_told() -> None:
    """The table of states has exactly the states that a request can be in."""
    assert words("| state | it means | waits for |") == set(RequestState)


def test_every_gate_is_told_with_its_findings() -> None:
    """The table of gates has each gate in its order, and every check that its rule makes."""
    told = table(PROCESS, "| gate | asks | findings |")
    assert [row[0].strip("`") for row in told] == list(GATES)
    for row, rule in zip(told, ("purpose", "consent", "conflict", "legal"), strict=True):
        source = (ROOT / "sharing" / f"{rule}.py").read_text()
        checks = re.findall(r"\b(?:compliant|violation|gap)\(\s*\"([a-z_]+)\"", source)
        assert set(quoted(row[2])) == set(checks), rule


def test_every_reason_to_exclude_is_told() -> None:
    """The table of exclusions has exactly the reasons that there are."""
    assert words("| excluded | because |") == set(Exclusion)


def test_every_event_is_told() -> None:
    """Each type of event that the code writes is in the table of events, and no other is."""
    written = {what for file in SOURCES for what in TOLD.findall(file.read_text())}
    assert words("| type | when |") == written | TOLD_IN_A_LOOP


def test_who_is_given_which_secret_is_told() -> None:
    """The table of secrets says of each process exactly what `clearance up` gives it."""
    told = table(PROCESS, "| setting | API | control worker | export worker |")
    assert {f"CLEARANCE_{name.upper()}" for name in SECRETS} <= {row[0].strip("`") for row in told}
    for name, *cells in told:
        setting = name.strip("`").removeprefix("CLEARANCE_").lower()
        given = [setting in parts.GIVEN[p] for p in (parts.API, parts.CONTROL, parts.EXPORT)]
        assert [cell == "yes" for cell in cells] == given, name


def test_links_between_pages_lead_somewhere() -> None:
    """Each link from one page of ours to another names a file, and a heading, that is there."""
    broken = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
            name, _, anchor = target.partition("#")
            file = page.parent / name if name else page
            if not file.is_file() or (anchor and anchor not in anchors(file.read_text())):
                broken.append(f"{page.name}: {target}")
    assert broken == []


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
