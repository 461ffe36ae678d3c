"""`clearance`: every way to start and to drive the system from a command line."""

import os
import sys
from typing import NoReturn

from cyclopts import App, CycloptsError, Group

DONE, FAILED, WRONG_USAGE = 0, 1, 2

EVERYTHING = Group("Everything at once", sort_key=1)
VERBS = Group("Over HTTP, at CLEARANCE_API_URL with CLEARANCE_TOKEN", sort_key=2)
CHECKS = Group("Checks that take nobody's word", sort_key=3)
PARTS = Group("The parts one by one, set up by environment", sort_key=4)
ABOUT = Group("About this program", sort_key=5)

# group, words, where it is, what it does
COMMANDS: tuple[tuple[Group, str, str, str], ...] = (
    (EVERYTHING, "demo", "api.commands.demo:demo", "The whole story on real photos, live: request, four gates, sealed export, verified."),
    (EVERYTHING, "up", "api.commands.up:up", "Run everything on this machine; Ctrl-C stops it, the next `up` goes on."),
    (PARTS, "api", "api.commands.serve:api", "The HTTP API and its pages."),
    (PARTS, "worker control", "api.commands.serve:control", "The worker that runs the process and its gates."),
    (PARTS, "worker export", "api.commands.serve:export", "The worker that alone touches the photos."),
    (PARTS, "migrate", "api.commands.serve:migrate", "Bring the database to the newest schema."),
    (PARTS, "token", "api.commands.token:token", "A bearer token for a person or a partner's client, shown once."),
    (VERBS, "request submit", "api.commands.request:submit", "Submit a request from a JSON file."),
    (VERBS, "request list", "api.commands.request:listed", "The requests that you may see."),
    (VERBS, "request show", "api.commands.request:show", "One request: its stages, findings and decisions."),
    (VERBS, "request watch", "api.commands.request:watch", "Follow one request until it ends."),
    (VERBS, "decide", "api.commands.request:decide", "Decide at a gate: approved, refused or returned, with a reason."),
    (VERBS, "export trigger", "api.commands.export:trigger", "Start the export of a cleared request."),
    (VERBS, "export confirm", "api.commands.export:confirm", "Confirm an export as the second engineer."),
    (VERBS, "export watch", "api.commands.export:watch", "Follow an export, with a progress bar."),
    (VERBS, "export cancel", "api.commands.export:cancel", "Stop an export and erase what was staged."),
    (VERBS, "consent import", "api.commands.consent:import_", "Import consent events from NDJSON, CSV or Parquet."),
    (VERBS, "dataset index", "api.commands.dataset:index", "Scan a dataset's folder and note what it holds."),
    (CHECKS, "verify", "api.commands.verify:verify", "Check a delivered package offline: seal, digests, counts."),
    (CHECKS, "audit verify", "api.commands.audit:verify", "Check that the audit log is whole and unchanged."),
)  # fmt: skip

NOUNS = {
    "worker": (PARTS, "The control worker and the export worker."),
    "request": (VERBS, "Submit, list, show and watch requests."),
    "export": (VERBS, "Trigger, confirm, watch and cancel exports."),
    "consent": (VERBS, "Import consent events."),
    "dataset": (VERBS, "Index datasets."),
    "audit": (CHECKS, "Check the audit log."),
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
    nouns = {name: App(name=name, help=text, group=group) for name, (group, text) in NOUNS.items()}
    for group, words, place, text in COMMANDS:
        noun, _, verb = words.rpartition(" ")
        if noun:
            nouns[noun].command(place, name=verb, help=text)
        else:
            app.command(place, name=verb, help=text, group=group)
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
        return _told(problem)
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


def _told(problem: Exception) -> int:
    """Says on stderr what went wrong, in a sentence where it is a refusal; gives the exit code."""
    from api.commands.telling import explain

    return explain(problem)


def _version() -> str:
    from importlib.metadata import version

    return version("clearance")


if __name__ == "__main__":
    main()
