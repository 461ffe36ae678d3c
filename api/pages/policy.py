"""The policy for people: what is in force in words, every version, what another would change, and
the two acts by which one is put in force: proposed by one admin, approved by another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.pages import policy_words, refusals
from api.pages.acts import back_to, made, tried
from api.pages.doors import Visit, hang
from api.pages.records import record
from api.routes import policies as calls
from api.routes.policies import NewPolicy
from sharing.errors import NotFound, Refused
from sharing.records import dry_runs, policies
from sharing.records.accounts import human
from sharing.records.known_names import names

HISTORY = 30
IDS = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a text: which line, what is wrong, and the line as it was typed."""

    line: int
    words: str
    typed: str


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    hang(app, "/policy", "pages.policy", _front)
    hang(app, "/policy", "policies.propose", _propose, "POST")
    hang(app, "/policy/{number}", "pages.policy_version", _version)
    hang(app, "/policy/{number}/dry-run", "policies.dry_run", _dry_run)
    hang(app, "/policy/{number}/approve", "policies.approve", _approve, "POST")


async def _front(visit: Visit) -> Response:
    return await front(visit, 200)


async def front(
    visit: Visit,
    status: int,
    errors: Mapping[str, str] | None = None,
    faults: tuple[Fault, ...] = (),
) -> Response:
    """What is in force, all versions, and the form to propose another."""
    values = await visit.call.read(_all)
    return record("policy.html", status, visit, errors, **values, faults=faults, words=policy_words)


def _all(session: Session) -> dict[str, Any]:
    history = calls.history(session, calls.LAST, HISTORY)
    current = calls.view(session, policies.in_force(session))
    rules = policies.policy(session, current["number"])
    return {
        "current": current,
        "rules": policy_words.explained(rules),
        "interests": policy_words.interests(rules),
        "history": history,
        "people": _people(session, history),
    }


def _people(session: Session, versions: list[dict[str, Any]]) -> dict[str, str]:
    return names(session, [one[by] for one in versions for by in ("proposed_by", "approved_by")])


async def _version(visit: Visit) -> Response:
    return await version(visit, 200)


async def version(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    """One version: its rules in words, its text, and the way to put it in force."""
    number = _number(visit)

    def query(session: Session) -> dict[str, Any]:
        one = calls.view(session, number)
        rules = policies.policy(session, number)
        return {
            "one": one,
            "rules": policy_words.explained(rules),
            "interests": policy_words.interests(rules),
            "people": _people(session, [one]),
            "mine": _mine(session, one, visit),
        }

    values = await visit.call.read(query)
    return record("policy_version.html", status, visit, errors, **values, words=policy_words)


def _mine(session: Session, one: Mapping[str, Any], visit: Visit) -> bool:
    """True where who looks has proposed it, by whichever account."""
    me, by = visit.call.principal.person_id, one["proposed_by"]
    return bool(me and by and human(session, me) == human(session, by))


async def _dry_run(visit: Visit) -> Response:
    number = _number(visit)

    def query(session: Session) -> dict[str, Any]:
        tried = dry_runs.dry_run(session, number)
        ids = [one for change in tried["changes"] for one in change["ids"][:IDS]]
        return {"tried": tried, "one": calls.view(session, number), "titles": names(session, ids)}

    values = await visit.call.read(query)
    return record("policy_dry_run.html", 200, visit, **values, most=IDS, words=policy_words)


async def _propose(visit: Visit) -> Response:
    """Proposes what was typed. What is wrong with it stands beside it, line by line."""
    text = (visit.form.get("text") or [""])[0].replace("\r\n", "\n")
    try:
        body = made(NewPolicy, text=text, reason=visit.sent("reason"))
        await calls.propose(body, visit.call)
    except Refused as refused:
        if refused.code != "invalid_body":
            raise
        wrong = [one for one in refused.errors if one.path.startswith("text:")]
        others = {one.path: one.message for one in refused.errors if one not in wrong}
        faults = tuple(_fault(one.path, one.message, text) for one in wrong)
        if faults:
            others["text"] = f"The text cannot be used: {len(faults)} thing(s) to mend."
        told = {name: f"{name.capitalize()}: {said}" for name, said in others.items()}
        return await front(visit, refusals.as_problem(refused)["status"], told, faults)
    number = await visit.call.read(policies.newest)
    return back_to(f"/policy/{number}", "policy_proposed")


def _fault(path: str, message: str, text: str) -> Fault:
    line = int(path.partition(":")[2])
    typed = text.split("\n")
    return Fault(line, message, typed[line - 1] if 0 < line <= len(typed) else "")


async def _approve(visit: Visit) -> Response:
    number = _number(visit)

    async def act() -> Response:
        await calls.approve(number, visit.call)
        return back_to(f"/policy/{number}", "policy_approved")

    return await tried(visit, "policies.approve", act, lambda s, e: version(visit, s, e))


def _number(visit: Visit) -> int:
    said = visit.call.path_params["number"]
    if not (said.isascii() and said.isdecimal() and len(said) < 10 and int(said) > 0):
        raise NotFound("policy", said)
    return int(said)
