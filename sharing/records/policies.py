"""Versions of the policy: proposed by one admin, approved by another, never changed after.

Version 1 is the packaged one and has no row. A revision is judged under the version that was in
force when it was submitted; a later one is for later revisions.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlmodel import Field, Session, SQLModel, col, func, select

from sharing.errors import FieldError, NotFound, Refused
from sharing.offered import categories
from sharing.patience import Patience, parsed
from sharing.policy_reader import PolicyError, Problem
from sharing.quorum import Need
from sharing.records import requests
from sharing.records.accounts import human
from sharing.records.datasets import Dataset, offer_of
from sharing.records.holders import people_with
from sharing.records.parties import Partner, Person
from sharing.records.requests import Request, RequestRevision
from sharing.records.tables import now
from sharing.rulebook import FIRST, ExportRule, Facts, GateRule, Policy, Risk, asked, gate_of
from sharing.rulebook_file import packaged, read
from sharing.rulebook_reach import Holders, unreachable
from sharing.stages import STAFF, Stage


class PolicyVersion(SQLModel, table=True):
    """One version's text as an admin proposed it."""

    __tablename__ = "policy_version"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    text: str
    sha256: str
    reason: str
    proposed_by: str = Field(foreign_key="person.id")
    proposed_at: datetime


class PolicyApproval(SQLModel, table=True):
    """A second admin agrees: from now on this version is in force."""

    __tablename__ = "policy_approval"
    number: int = Field(
        primary_key=True,
        foreign_key="policy_version.number",
        sa_column_kwargs={"autoincrement": False},
    )
    approved_by: str = Field(foreign_key="person.id")
    approved_at: datetime


def in_force(session: Session) -> int:
    """The version that new revisions are judged under."""
    newest = session.exec(select(func.max(PolicyApproval.number))).one()
    return int(newest or FIRST)


def demand_in_force(session: Session, number: int) -> None:
    """Raises Refused where a revision was drawn up under a version that is no longer in force."""
    if number != in_force(session):
        raise Refused("stale_digest", "The policy changed in this very moment: send it again.")


def newest(session: Session) -> int:
    """The number of the last version proposed."""
    return int(session.exec(select(func.max(PolicyVersion.number))).one() or FIRST)


def version(session: Session, number: int) -> PolicyVersion | None:
    """A version's row, None for the packaged one; raises NotFound."""
    if number == FIRST:
        return None
    row = session.get(PolicyVersion, number)
    if row is None:
        raise NotFound("policy", str(number))
    return row


def text_of(session: Session, number: int) -> str:
    """A version's text."""
    row = version(session, number)
    return row.text if row else packaged()


def policy(session: Session, number: int) -> Policy:
    """A version as the rules see it."""
    return read(text_of(session, number), lasting=True)


def of_request(session: Session, request: Request) -> Policy:
    """The version that a request is judged under."""
    return policy(session, requests.revision_row(session, request).policy)


def patience(session: Session, request: Request, otherwise: Patience) -> Patience:
    """How long the gates of a request wait for people; where its policy says nothing, as in
    `otherwise`."""
    table = of_request(session, request).sections.get("time")
    return parsed(table, otherwise) if isinstance(table, Mapping) else otherwise


def register_lasting(connection: Connection) -> timedelta:
    """How long a declaration of interests is good that is made now."""
    with Session(connection) as session:
        return timedelta(days=policy(session, in_force(session)).interests.register_days)


def propose(
    session: Session, text: str, reason: str, by: str, clearance: timedelta
) -> PolicyVersion:
    """A new version, which is not in force before a second admin agrees; raises Refused with all
    that is wrong in it. `clearance`: how long one allows an export."""
    demand_usable(session, text, clearance)
    row = PolicyVersion(
        number=newest(session) + 1,
        text=text,
        sha256=digest(text),
        reason=reason,
        proposed_by=by,
        proposed_at=now(),
    )
    session.add(row)
    session.flush()
    return row


def approve(session: Session, number: int, by: str, clearance: timedelta) -> PolicyApproval:
    """Puts a version in force; raises Refused unless another admin than the proposer does it, and
    it is newer than what is in force, and can still be met."""
    row, current = version(session, number), in_force(session)
    if row is None or number <= current:
        told = "in force" if number == current else "older than what is in force"
        raise Refused("wrong_state", f"Version {number} is {told}: propose its text anew.")
    if human(session, row.proposed_by) == human(session, by):
        raise Refused("four_eyes", "Whoever proposed a policy does not approve it: ask another.")
    demand_usable(session, row.text, clearance)
    approval = PolicyApproval(number=number, approved_by=by, approved_at=now())
    session.add(approval)
    session.flush()
    return approval


def digest(text: str) -> str:
    """sha256, in hex, of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def demand_usable(session: Session, text: str, clearance: timedelta) -> None:
    """Raises Refused naming every line and key that is wrong, or that asks for more people than
    there are."""
    try:
        problems = unreachable(text, read(text), holders(session), clearance)
    except PolicyError as failure:
        problems = list(failure.problems)
    if problems:
        raise Refused("invalid_body", "\n".join(map(str, problems)), tuple(map(_told, problems)))


def _told(problem: Problem) -> FieldError:
    return FieldError(f"text:{problem.line}", f"{problem.key}: {problem.message}")


def holders(session: Session) -> Holders:
    """Who of those inside holds each role now, by the human behind the account."""
    people = {role: people_with(session, role) for role in STAFF}
    outside = set(session.exec(select(Person.id).where(col(Person.partner_id).is_not(None))))
    return {
        role: frozenset(human(session, one) for one in ids if one not in outside)
        for role, ids in people.items()
    }


def facts(session: Session, request: Request) -> Facts:
    """What rules look at. A filter is not counted: no scope looks smaller by it than it is."""
    row: RequestRevision = requests.revision_row(session, request)
    dataset = session.get_one(Dataset, row.dataset_id)
    body: dict[str, Any] = row.body
    most = int(body["scope"]["limit"])
    if row.index_version == dataset.index_version:
        most = min(most, dataset.objects)
    partner = session.get_one(Partner, request.partner_id)
    fields = offer_of(dataset).asked(body["scope"]["fields"])
    purpose, special = body["purpose"], dataset.special_category
    besides = tuple(one for one in categories(fields) if one != dataset.category)
    return Facts(purpose, dataset.category, special, most, Risk(partner.risk), besides)


def gate(session: Session, request: Request, stage: Stage) -> GateRule:
    """What a request's own policy asks of one gate."""
    own = of_request(session, request)
    if not own.rules:
        return gate_of(stage)
    return asked(own, facts(session, request)).gates[stage]


def needs(session: Session, request: Request, stage: Stage) -> tuple[Need, ...]:
    """Who has to approve at a gate that is not open yet."""
    return gate(session, request, stage).needs


def export(session: Session, request: Request) -> ExportRule:
    """What a request's own policy asks of its export."""
    own = of_request(session, request)
    return asked(own, facts(session, request)).export
