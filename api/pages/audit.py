"""The audit log for people: filters that are addresses, one entry in words, and whether the whole
log is as it was written."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from pydantic_core import to_json
from sqlmodel import Session
from starlette.responses import Response

from api.answers import LAST_POSITION, decoded, encoded
from api.pages import audit_words
from api.pages.acts import back_to
from api.pages.doors import Visit, hang
from api.pages.records import PAGE, address, asked, record
from api.routes import audit as calls
from sharing.errors import NotFound, Refused
from sharing.records import audit, audit_checks, audit_search
from sharing.records.audit import AuditEntry
from sharing.records.audit_search import Wanted
from sharing.records.known_names import names
from sharing.records.parties import person_named

FILTERS = ("actor", "action", "about", "from", "to", "refused")
PLACE = r"[1-9][0-9]{0,15}"


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    hang(app, "/audit", "pages.audit", _log)
    hang(app, "/audit/verify", "audit.note", _verify, "POST")
    hang(app, "/audit/{position}", "pages.audit_entry", _entry)


async def _log(visit: Visit) -> Response:
    said = {name: asked(visit, name) for name in FILTERS}
    try:
        first = calls.moment("from", said["from"])
        last, errors = calls.moment("to", said["to"], end=True), {}
    except Refused as refused:
        first, last, errors = None, None, {refused.errors[0].path: refused.errors[0].message}
    place = decoded(visit.call.query_params.get("before"), (int,))
    before = place[0] if place else LAST_POSITION
    values = await visit.call.read(lambda s: _found(s, said, first, last, before))
    found = values["entries"]
    following = encoded([found[PAGE - 1].position]) if len(found) > PAGE else ""
    kept = {name: value for name, value in said.items() if value}
    return record(
        "audit.html",
        422 if errors else 200,
        visit,
        errors,
        **{**values, "entries": found[:PAGE]},
        said=said,
        kept=kept,
        following=address("/audit", **kept, before=following) if following else "",
        files={form: address("/v1/audit/export", **_call(kept), format=form)
               for form in ("ndjson", "csv")},
        call=address("/v1/audit", **_call(kept), newest="true"),
        log=audit_words,
    )  # fmt: skip


def _call(kept: Mapping[str, str]) -> dict[str, str]:
    """The filters as the call has them."""
    return {**kept, "refused": "true"} if kept.get("refused") else dict(kept)


def _found(
    session: Session,
    said: Mapping[str, str],
    first: datetime | None,
    last: datetime | None,
    before: int,
) -> dict[str, Any]:
    actor, about = (_id_of(session, said[name]) for name in ("actor", "about"))
    wanted = Wanted(actor, said["action"], about, first, last, said["refused"] == "yes")
    entries = audit_search.found(session, wanted, PAGE + 1, before=before)
    checks = audit_checks.noted(session, LAST_POSITION, 3)
    seen = [*audit_words.ids(entries), *(one["by"] for one in checks), actor, about]
    return {
        "entries": entries,
        "checks": checks,
        "length": audit_search.length(session),
        "names": names(session, seen),
        "wanted": asdict(wanted),
    }


def _id_of(session: Session, said: str) -> str:
    """An id; of a person who is named by e-mail address, theirs."""
    person = person_named(session, said) if "@" in said else None
    return person.id if person else said


async def _entry(visit: Visit) -> Response:
    said = visit.call.path_params["position"]
    position = int(said) if said.isascii() and said.isdecimal() and len(said) < 16 else 0
    values = await visit.call.read(lambda session: _one(session, position))
    return record("audit_entry.html", 200, visit, **values, log=audit_words)


def _one(session: Session, position: int) -> dict[str, Any]:
    entry = audit_search.entry(session, position)
    if entry is None:
        raise NotFound("audit entry", str(position))
    return {
        "entry": entry,
        "raw": to_json(entry.model_dump(), indent=2).decode(),
        "own_hash": _holds(session, entry),
        "length": audit_search.length(session),
        "names": names(session, audit_words.ids([entry])),
    }


def _holds(session: Session, entry: AuditEntry) -> bool:
    """True where the entry is what its hash says, and linked to the one before it."""
    row = entry.model_dump()
    row["at"] = row["at"].astimezone(UTC)
    own = audit.entry_hash({name: value for name, value in row.items() if name != "hash"})
    before = audit_search.entry(session, entry.position - 1)
    return own == entry.hash and entry.previous == (before.hash if before else audit.GENESIS)


async def _verify(visit: Visit) -> Response:
    """Reads the whole log, as the call does, and keeps that it was read."""
    await calls.note(visit.call)
    last = await visit.call.read(lambda session: audit_checks.noted(session, LAST_POSITION, 1))
    return back_to("/audit", "log_whole" if last[0]["ok"] else "log_broken")
