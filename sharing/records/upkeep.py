"""What waits for those who keep the place: a policy to approve, gates that nobody answers, datasets
without an index, versions of notices that nobody compared, and whether somebody read the log."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from sharing.notice import open_questions
from sharing.records import audit_checks, audit_search, notices, policies
from sharing.records.accounts import human
from sharing.records.audit_search import Wanted
from sharing.records.datasets import Dataset
from sharing.records.policies import PolicyVersion
from sharing.records.requests import Gate, Request
from sharing.records.tables import now

View = dict[str, Any]
NAMED = 5
LATELY = timedelta(days=7)
MANY = 1_000  # refused attempts: more of them are as many as anybody wants to know of
LAST = (1 << 53) - 1


def upkeep(session: Session, person_id: str) -> View:
    """What waits, as somebody sees it: what they proposed themselves is for others."""
    checks = audit_checks.noted(session, LAST, 1)
    return {
        "policies": _policies(session, person_id),
        "escalated": _escalated(session),
        "not_indexed": list(
            session.exec(select(Dataset.name).where(Dataset.index_version == 0).limit(NAMED))
        ),
        "notices": sorted({one.name for one in open_questions(notices.compared(session))})[:NAMED],
        "refused": _refused(session),
        "verified": checks[0] if checks else None,
        "entries": audit_search.length(session),
    }


def _policies(session: Session, person_id: str) -> list[View]:
    rows = session.exec(
        select(PolicyVersion)
        .where(col(PolicyVersion.number) > policies.in_force(session))
        .order_by(col(PolicyVersion.number).desc())
        .limit(NAMED)
    )
    me = human(session, person_id)
    return [
        {"number": row.number, "own": human(session, row.proposed_by) == me, "at": row.proposed_at}
        for row in rows
    ]


def _escalated(session: Session) -> View:
    """Requests that wait at a gate so long that others were told: how many, and the first few."""
    late = (
        select(Request.id, Request.title, Gate.stage, Gate.escalated_at)
        .join(Gate, (col(Gate.request_id) == Request.id) & (col(Gate.digest) == Request.digest))
        .where(
            Gate.stage == Request.waiting_stage,
            col(Gate.escalated_at).is_not(None),
            col(Gate.outcome).is_(None),
        )
    )
    count = session.exec(select(func.count()).select_from(late.subquery())).one()
    rows = session.execute(late.order_by(col(Gate.escalated_at)).limit(NAMED))
    return {
        "count": count,
        "requests": [
            {"request": row[0], "title": row[1], "stage": row[2], "at": row[3]} for row in rows
        ],
    }


def _refused(session: Session) -> int:
    """How many attempts were refused in the last week."""
    wanted = Wanted(since=now() - LATELY, refused=True)
    return len(audit_search.found(session, wanted, MANY, before=LAST))
