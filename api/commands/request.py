"""`clearance request ...` and `clearance decide`: a request's life, from the command line."""

import json
from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.commands.telling import Calling, Spelt, out, show_json
from api.http_client import Json
from sharing.errors import Refused
from sharing.stages import ENDED, RequestState

MARKS = {"compliant": "[green]yes[/]", "violation": "[red]no[/] ", "gap": "[yellow]gap[/]"}
CALLING = Calling()
Gate = Literal["purpose_review", "consent_verification", "conflict_signoff", "legal_approval"]
Decision = Literal["approved", "refused", "returned"]
# What a watcher waits for: an end, or a state in which only the partner can go on.
SETTLED = frozenset({*ENDED, RequestState.RETURNED})


async def submit(file: Path, /, *, calling: Calling = CALLING) -> int:
    """Submit a request.

    Parameters
    ----------
    file
        JSON with title, dataset, purpose, intended_use, scope, legal_basis, ... as in /docs.
    """
    body = _body(file)
    async with calling.api() as api:
        answer = await api.post("/v1/requests", body)
    if calling.json:
        show_json(answer)
    else:
        _show(out(), answer)
    return 0


async def listed(*, state: Spelt[RequestState] | None = None, calling: Calling = CALLING) -> int:
    """The requests that you may see, newest first.

    Parameters
    ----------
    state
        Only those in this state.
    """
    async with calling.api() as api:
        query = {"limit": 100} if state is None else {"limit": 100, "state": state.value}
        found = [r async for r in api.items("/v1/requests", **query)]
    if calling.json:
        show_json({"items": found})
        return 0
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("request", no_wrap=True, min_width=len("req_") + 20)  # to be copied whole
    for heading in ("state", "waits for", "until", "title"):
        table.add_column(heading, no_wrap=True)
    for r in found:
        waiting = r.get("waiting_for") or {}
        until = str(waiting.get("until") or "")[:10]
        title = escape(str(r.get("title") or ""))
        table.add_row(r["id"], _words(r["state"]), _who(waiting), until, title)
    console = out()
    console.print(table if found else "No request here.")
    return 0


async def show(request_id: str, /, *, calling: Calling = CALLING) -> int:
    """One request: its stages, findings and decisions.

    Parameters
    ----------
    request_id
        The request's id.
    """
    async with calling.api() as api:
        request = await api.get(f"/v1/requests/{request_id}")
    if calling.json:
        show_json(request)
    else:
        _show(out(), request)
    return 0


async def watch(request_id: str, /, *, calling: Calling = CALLING) -> int:
    """Follow one request until it ends: one line for each change of state. Exit 0 if delivered.

    Parameters
    ----------
    request_id
        The request's id.
    """
    last, console = "", out()
    async with calling.api() as api:
        request = await api.get(f"/v1/requests/{request_id}")
        async with aclosing(api.following(f"/v1/requests/{request_id}")) as states:
            async for request in states:
                line = _line(request)
                if line != last:
                    show_json(request) if calling.json else console.print(line)
                    last = line
                if request["state"] in SETTLED:
                    break
    return 0 if request["state"] in (RequestState.DELIVERED, RequestState.CLOSED) else 1


async def decide(
    request_id: str,
    stage: Gate,
    outcome: Decision,
    /,
    *,
    reason: str,
    digest: str | None = None,
    conditions: Annotated[list[str] | None, Parameter(negative="")] = None,
    answers: Annotated[list[str] | None, Parameter(negative="")] = None,
    calling: Calling = CALLING,
) -> int:
    """Decide at a gate. By deciding you state that you have no interest in the partner.

    Parameters
    ----------
    request_id
        The request's id.
    stage
        The gate at which the request waits.
    outcome
        What you decide.
    reason
        Why, in a sentence that others will read.
    digest
        The revision that you read; without it, the one that the API shows now.
    conditions
        What the approval depends on; may be given several times.
    answers
        A word on a violation that asks for one, as `check=text`; may be given several times.
    """
    told_of = _answers(answers or ())
    async with calling.api() as api:
        digest = digest or (await api.get(f"/v1/requests/{request_id}"))["digest"]
        body: Json = {"stage": stage, "outcome": outcome, "digest": digest, "reason": reason}
        body |= {"no_interest": True} | ({"conditions": conditions} if conditions else {})
        body |= {"answers": told_of} if told_of else {}
        answer = await api.post(f"/v1/requests/{request_id}/decisions", body)
    told = f"{_words(stage)}: {outcome}. {reason}"
    show_json(answer) if calling.json else out().print(told, markup=False)
    return 0


async def take_back(
    request_id: str,
    decision: str,
    /,
    *,
    reason: str | None = None,
    calling: Calling = CALLING,
) -> int:
    """Take your own approval back, until the next gate has decided.

    Parameters
    ----------
    request_id
        The request's id.
    decision
        The decision's id, as `request show --json` gives it.
    reason
        Why, if you want to say so.
    """
    async with calling.api() as api:
        path = f"/v1/requests/{request_id}/decisions/{decision}/take-back"
        answer = await api.post(path, {"reason": reason} if reason else {})
    show_json(answer) if calling.json else out().print(_line(answer), markup=False)
    return 0


def _answers(given: Iterable[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for check, equals, text in pairs:
        if not (check.strip() and equals and text.strip()):
            raise Refused("invalid_body", "--answers: write CHECK=TEXT, with a word on the check.")
    return {check.strip(): text for check, _, text in pairs}


def _body(file: Path) -> object:
    try:
        return json.loads(file.read_text("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise Refused("invalid_body", f"{file} is not JSON: {problem}") from None


def _show(console: Console, request: Json) -> None:
    console.print(f"[bold]{request['id']}[/]  {_line(request)}")
    console.print(f"[dim]revision[/] {request['revision']}  [dim]digest[/] {request['digest']}")
    for stage in request.get("stages", ()):
        console.print(f"\n{_words(stage['stage'])}: {stage.get('outcome') or stage['state']}")
        for finding in stage.get("findings") or ():
            told = escape(f"{finding['check']}: {finding['detail']}")
            console.print(f"  {MARKS[finding['result']]}  {told}")
        for decision in stage.get("decisions") or ():
            told = escape(f"by {decision['actor']}: {decision['reason']}")
            console.print(f"  [bold]{decision['outcome']}[/] {told}")
    for export in request.get("exports", ()):
        console.print(f"\nexport {export['id']}: {_words(export['state'])}")


def _line(request: Json) -> str:
    waiting = request.get("waiting_for") or {}
    told = f", waits for {_who(waiting)}" if waiting else ""
    until = f" until {waiting['until']}" if waiting.get("until") else ""
    return f"{_words(request['state'])}{told}{until}{_counting(request.get('counting'))}"


def _counting(told: Json | None) -> str:
    if not told:
        return ""
    return f", counting consents: {told['done']:,} of {told['total']:,} {told['step']}"


def _who(waiting: Json) -> str:
    return " or ".join(_words(role) for role in waiting.get("roles") or ())


def _words(name: str) -> str:
    return name.replace("_", " ")
