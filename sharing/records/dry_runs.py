"""What a version of the policy would ask of the requests on record, beside what is asked now."""

from collections import defaultdict
from typing import Any

from sqlmodel import Session, col, select

from sharing.records import policies
from sharing.records.requests import Request
from sharing.rulebook import asked
from sharing.rulebook_words import Difference, differences
from sharing.stages import ENDED

View = dict[str, Any]
NAMED = 100  # ids that are listed of each kind; all are counted


def dry_run(session: Session, number: int) -> View:
    """Each request, open and past, judged under this version and under its own: what differs, by
    kind. Nothing changes by it, and nothing would: a version is for later revisions."""
    tried = policies.policy(session, number)
    found: dict[bool, dict[Difference, list[str]]] = {
        open_now: defaultdict(list) for open_now in (True, False)
    }
    looked = {True: 0, False: 0}
    for request in session.exec(select(Request).order_by(col(Request.submitted_at))):
        open_now = request.state not in ENDED
        looked[open_now] += 1
        facts = policies.facts(session, request)
        own = policies.of_request(session, request)
        for one in differences(asked(own, facts), asked(tried, facts)):
            found[open_now][one].append(request.id)
    changes = [
        _change(one, ids, open_now=open_now)
        for open_now, kinds in found.items()
        for one, ids in sorted(kinds.items(), key=lambda kind: kind[0].key)
    ]
    return {
        "policy": number,
        "open": looked[True],
        "past": looked[False],
        "changes": changes,
        "sentences": [change["sentence"] for change in changes] or [_nothing(looked)],
    }


def _change(one: Difference, ids: list[str], *, open_now: bool) -> View:
    return {
        "kind": one.key,
        "requests": "open" if open_now else "past",
        "now": one.before,
        "then": one.after,
        "count": len(ids),
        "ids": ids[:NAMED],
        "sentence": one.sentence(len(ids), open_now=open_now),
    }


def _nothing(looked: dict[bool, int]) -> str:
    every = f"{looked[True]} open and {looked[False]} past requests"
    return f"None of {every} would need anything else."
