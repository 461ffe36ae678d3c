"""Links that sign somebody in at a browser, once."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import false
from sqlmodel import Field, Session, SQLModel

from sharing.records.parties import hashed, issue_token, subject_id
from sharing.records.tables import now
from sharing.stages import Role


class SignInCode(SQLModel, table=True):
    """A one-time code of a sign-in link, as its sha256. `by_provider`: the identity provider said
    who uses it."""

    __tablename__ = "sign_in_code"
    hash: str = Field(primary_key=True)
    person_id: str | None = Field(default=None, foreign_key="person.id")
    partner_id: str | None = Field(default=None, foreign_key="partner.id")
    subject: str | None = None
    role: str
    expires_at: datetime
    used_at: datetime | None = None
    by_provider: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


def issue(
    session: Session,
    role: Role,
    ttl: timedelta,
    *,
    person_id: str | None = None,
    partner_id: str | None = None,
    subject: str | None = None,
    code: str | None = None,
) -> str:
    """A one-time code for a sign-in link."""
    code = code or secrets.token_urlsafe(24)
    session.add(
        SignInCode(
            hash=hashed(code),
            person_id=person_id,
            partner_id=partner_id,
            subject=subject,
            role=role,
            expires_at=now() + ttl,
        )
    )
    return code


def issue_by_provider(session: Session, role: Role, ttl: timedelta, person_id: str) -> str:
    """The same for somebody of whom the identity provider said who that is."""
    code = issue(session, role, ttl, person_id=person_id)
    session.flush()
    session.get_one(SignInCode, hashed(code)).by_provider = True
    return code


def redeem(session: Session, code: str, lifetime: timedelta) -> str | None:
    """Exchanges a code for a session token, once; None if it is unknown, used or too old."""
    row = session.get(SignInCode, hashed(code), with_for_update=True)
    if row is None or row.used_at is not None or row.expires_at <= now():
        return None
    row.used_at = now()
    whose = {"person_id": row.person_id, "partner_id": row.partner_id, "subject": row.subject}
    role, by = Role(row.role), row.by_provider
    return issue_token(session, role, lifetime=lifetime, by_provider=by, **whose)


@dataclass(frozen=True, slots=True)
class Spent:
    """A link that signs nobody in any more: whose it was, and why, as a code."""

    holder: str
    code: str


def spent(session: Session, code: str) -> Spent | None:
    """What is known of a link that was used or is too old; None of one that never was."""
    row = session.get(SignInCode, hashed(code))
    if row is None:
        return None
    named = subject_id(row.subject) if row.subject is not None else ""
    why = "link_expired" if row.used_at is None else "link_used"
    return Spent(row.person_id or row.partner_id or named, why)
