"""`clearance`: every way to start and to drive the system from a command line."""

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

from cyclopts import App, CycloptsError, Group

DONE, FAILED, WRONG_USAGE = 0, 1, 2

EVERYTHING = Group("Everything at once", sort_key=1)
VERBS = Group("Over HTTP, at CLEARANCE_API_URL with CLEARANCE_TOKEN", sort_key=2)
CHECKS = Group("Checks that take nobody's word", sort_key=3)
PARTS = Group("The parts one by one, set up by environment", sort_key=4)
ABOUT = Group("About this program", sort_key=5)

# The words of a command: where it is in api.commands, and what it does.
COMMANDS: Mapping[Group, Mapping[str, tuple[str, str]]] = {
    EVERYTHING: {
        "demo": (
            "demo:demo",
            "The whole story on real photos, live; ends with a verified package.",
        ),
        "up": ("up:up", "Run everything on this machine; Ctrl-C stops it, the next goes on."),
    },
    VERBS: {
        "request submit": ("request:submit", "Submit a request from a JSON file."),
        "request list": ("request:listed", "The requests that you may see."),
        "request show": ("request:show", "One request: its stages, findings and decisions."),
        "request watch": ("request:watch", "Follow one request until it ends."),
        "request take-back": ("request:take_back", "Take your own approval back."),
        "decide": ("request:decide", "Decide at a gate: approved, refused or returned."),
        "export trigger": ("export:trigger", "Start the export of a cleared request."),
        "export confirm": ("export:confirm", "Confirm an export as the second engineer."),
        "export watch": ("export:watch", "Follow an export, with a progress bar."),
        "export show": ("export:show", "An export as it stands: progress, rate, what holds it."),
        "export dry-run": ("steering:dry_run", "What an export would come to; writes nothing."),
        "export pause": ("steering:pause", "Hold an export up: nothing of it is released."),
        "export resume": ("steering:resume", "Let a paused export go on where it was."),
        "export limit": ("steering:limit", "Change how many bytes a second it moves."),
        "export cancel": ("export:cancel", "Stop an export and erase what was staged."),
        "export download": (
            "receiving:download",
            "Fetch a package; goes on where it broke.",
        ),
        "export acknowledge": (
            "receiving:acknowledge",
            "Verify a package, and say to its sender that it came.",
        ),
        "export trace": ("tracing:trace", "From which export a file comes that turned up."),
        "consent import": ("consent:import_", "Import consent events: NDJSON, CSV, Parquet."),
        "organisations import": (
            "organisations:import_",
            "Import who owns whom: GLEIF CSV, BODS JSON, NDJSON.",
        ),
        "policy propose": ("policy:propose", "Propose a file of policy as the next version."),
        "policy approve": ("policy:approve", "Approve a version, as the second admin."),
        "policy dry-run": ("policy:dry_run", "What requests would need under a version."),
        "policy show": ("policy:show", "The policy in force, or another version of it."),
        "dataset index": ("dataset:index", "Scan a dataset's folder and note what it holds."),
    },
    CHECKS: {
        "verify": ("verify:verify", "Check a delivered package offline: seal, digests, counts."),
        "receipt verify": ("receipt:verify", "Check a consent receipt offline, by its key."),
        "policy check": ("policy:check", "Check a file of policy offline, by line and key."),
        "audit verify": ("audit:verify", "Check audit log and consent ledger: whole, unchanged."),
        "consent verify": ("ledger:verify", "Check that the consent ledger is whole, unchanged."),
    },
    PARTS: {
        "api": ("serve:api", "The HTTP API and its pages."),
        "worker control": ("serve:control", "The worker that runs the process and its gates."),
        "worker export": ("serve:export", "The worker that alone touches the photos."),
        "migrate": ("serve:migrate", "Bring the database to the newest schema."),
        "export reveal": (
            "tracing:reveal",
            "Whom a pseudonym means; on the worker's host.",
        ),
        "token": ("token:token", "A bearer token for a person, a client or a subject, shown once."),
    },
}

NOUNS: Mapping[str, str] = {
    "worker": "The control worker and the export worker.",
    "request": "Submit, list, show and watch requests; take an approval back.",
    "export": "Trigger, confirm, watch, cancel, fetch and acknowledge exports.",
    "consent": "Import consent events; check the ledger.",
    "dataset": "Index datasets.",
    "organisations": "Import who owns and controls whom.",
    "policy": "Check, propose, approve and try out policies.",
    "receipt": "Check consent receipts.",
    "audit": "Check the audit log and the consent ledger.",
}


def program() -> App:
    """The command line. Commands are loaded when they are run, not before."""
    app = App(
        name="clearance",
        help="May this partner have our users' data? Four gates, then a sealed, verifiable export.",
        version=_version,
        help_flags=["--help", "-h"],
        help_format="plaintext",  # the others load a Markdown library: 0.2 s on every start
        result_action="return_value",
        exit_on_error=False,
    )
    nouns: dict[str, App] = {}
    for group, commands in COMMANDS.items():
        for words, (place, text) in commands.items():
            noun, _, verb = words.rpartition(" ")
            if noun and noun not in nouns:
                nouns[noun] = App(name=noun, help=NOUNS[noun], group=group)
            home = nouns[noun] if noun else app
            home.command(
                f"api.commands.{place}", name=verb, help=text, group=None if noun else group
            )
    for noun_app in nouns.values():
        app.command(noun_app)
    for flag in ("--help", "--version"):
        app[flag].group = ABOUT
    return app


def main() -> NoReturn:
    """Runs the command line and leaves with its exit code."""
    leave(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command; gives its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    try:
        result = program()(arguments)
    except CycloptsError:
        return WRONG_USAGE  # it has been told on stderr
    except KeyboardInterrupt:
        return FAILED
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else FAILED
    except Exception as problem:
        return _told(problem, as_json="--json" in arguments)
    return result if isinstance(result, int) else DONE


def leave(code: int) -> NoReturn:
    """The only way out of the program. A short process that used temporalio crashed while Python
    shut down in 3 of 20 runs; this leaves before that begins."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the reader is gone, as in `clearance ... | head -1`
            code = code or FAILED
    os._exit(code)


def _told(problem: Exception, *, as_json: bool) -> int:
    """Says on stderr what went wrong, in a sentence where it is a refusal, and as JSON on stdout
    where that was asked for; gives the exit code."""
    from api.commands.refusal import refusal
    from api.commands.telling import explain, show_json

    if as_json and not isinstance(problem, BrokenPipeError):  # nobody reads stdout any more
        show_json(refusal(problem))
    return explain(problem)


def _version() -> str:
    from importlib.metadata import version

    return version("clearance")


if __name__ == "__main__":
    main()
