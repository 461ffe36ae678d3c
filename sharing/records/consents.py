"""The consent ledger: append-only events with a gap-free position."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy import select as columns
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.consent import Action, ConsentEvent, Question
from sharing.jurisdiction_file import in_force
from sharing.offered import categories
from sharing.records import heads, ledger, lists, notices, recalling
from sharing.records.datasets import Dataset, DatasetObject, offer_of
from sharing.records.notices import Notice
from sharing.records.parties import Partner
from sharing.records.tables import Position, now
from sharing.records.unit import Unit
from sharing.vocabulary import RECIPIENTS, needs_explicit


class Consent(SQLModel, table=True):
    """One line of the ledger, as ISO/IEC TS 27560 names it; never changed, never deleted."""

    __tablename__ = "consent_event"
    __table_args__ = (
        Index("ix_consent_event_subject", "subject"),
        Index("uq_consent_event_source", "source", "source_id", unique=True),
    )
    position: int = Field(
        primary_key=True, sa_type=Position, sa_column_kwargs={"autoincrement": False}
    )
    subject: str
    purpose: str
    category: str
    recipient: str
    action: str
    explicit: bool
    notice: str
    notice_version: str
    at: datetime
    valid_until: datetime | None = None
    jurisdiction: str | None = None
    source: str
    recorded_at: datetime
    controller: str | None = None
    lawful_basis: str | None = None
    method: str | None = None
    minor: bool | None = None
    source_id: str | None = None
    evidence: str | None = None


TABLE = Consent.__table__  # type: ignore[attr-defined]
# What an event may leave unsaid.
UNSAID: Mapping[str, Any] = dict.fromkeys(
    ("valid_until", "jurisdiction", "controller", "lawful_basis", "method", "minor", "source_id",
     "evidence")
)  # fmt: skip

_COLUMNS: tuple[Any, ...] = (
    Consent.position,
    Consent.subject,
    Consent.purpose,
    Consent.category,
    Consent.recipient,
    Consent.action,
    Consent.explicit,
    Consent.notice,
    Consent.notice_version,
    Consent.at,
    Consent.valid_until,
    Consent.method,
    Consent.jurisdiction,
    Consent.minor,
)

# Subject by subject: OFFSET keeps PostgreSQL from turning this into a join, which without fresh
# statistics reads the whole ledger.
_OF_SUBJECTS = {
    "sqlite": "FROM json_each(:subjects) s CROSS JOIN consent_event e WHERE e.subject = s.value",
    "postgresql": """FROM unnest(CAST(:subjects AS text[])) AS s(value) CROSS JOIN LATERAL (
        SELECT * FROM consent_event c WHERE c.subject = s.value OFFSET 0) e""",
}


def append(unit: Unit, events: Sequence[Mapping[str, Any]], moment: datetime | None = None) -> int:
    """Appends events in the order given, as recorded at `moment` (now); returns the position of
    the last. Where one of them ends a consent on which objects went out already, that is a recall
    item in this transaction (I10)."""
    connection = unit.session.connection()
    if not events:
        return heads.position(connection, "consent")
    first, at = heads.take(connection, "consent", len(events)), moment or now()
    batch = ledger.new_batch(events, first, at)
    lists.insert(connection, TABLE, batch.columns)
    last = first + len(events) - 1
    linked = ledger.checkpoint(connection, batch, at)
    unit.audit(ledger.ACTOR, ledger.LINKED, first=first, last=last, checkpoint=linked)
    if any(event["action"] != Action.GIVEN or event.get("minor") for event in events):
        recalling.open_for(unit, first, last, questions, of_subjects)
    return last


def questions(
    session: Session, body: Mapping[str, Any], dataset: Dataset, recipient: str
) -> tuple[Question, ...]:
    """What subjects of a dataset must have said yes to, for a request with this body: one question
    for each category of data in it, the photographs' first."""
    fields = offer_of(dataset).asked(body["scope"]["fields"])
    special = dataset.special_category
    return tuple(
        asking(session, body["purpose"], category, recipient, special)
        for category in categories(fields)
    )


def asking(
    session: Session, purpose: str, category: str, recipient: str, special_category: bool
) -> Question:
    """The question under the terms that are in force now; also of a class of recipients."""
    partner = session.get(Partner, recipient)
    known = recipient if recipient in RECIPIENTS else None
    return Question(
        purpose,
        category,
        recipient,
        needs_explicit(purpose, category, special_category),
        notices.terms(session),
        known if partner is None else partner.recipient_class,
        special_category,
        in_force(now()),
    )


def of_subjects(session: Session, subjects: Sequence[str]) -> dict[str, list[ConsentEvent]]:
    """All events of some subjects, by subject."""
    connection = session.connection()
    names = ", ".join(f"e.{column.name}" for column in _COLUMNS)
    statement = text(f"SELECT {names} {_OF_SUBJECTS[connection.dialect.name]}").columns(
        *(Consent.__table__.c[column.name] for column in _COLUMNS)  # type: ignore[attr-defined]
    )
    found: dict[str, list[ConsentEvent]] = {}
    for i in range(0, len(subjects), lists.AT_ONCE):
        page = lists.bound(connection, subjects[i : i + lists.AT_ONCE])
        for row in session.execute(statement, {"subjects": page}):
            found.setdefault(row[1], []).append(_event(row))
    return found


def of_objects(
    session: Session, dataset_id: str, index: int, first: int, last: int
) -> dict[str, list[ConsentEvent]]:
    """All events of the subjects of a run of index positions, both ends included, by subject."""
    subjects = (
        select(DatasetObject.subject)
        .where(
            DatasetObject.dataset_id == dataset_id,
            DatasetObject.index_version == index,
            col(DatasetObject.position).between(first, last),
        )
        .distinct()
    )
    rows = session.execute(
        columns(*_COLUMNS).where(col(Consent.subject).in_(subjects)).order_by(col(Consent.subject))
    )
    return {s: [_event(r) for r in mine] for s, mine in groupby(rows, key=lambda row: row[1])}


def _event(row: Sequence[Any]) -> ConsentEvent:
    return ConsentEvent(row[0], row[1], row[2], row[3], row[4], Action(row[5]), *row[6:14])


def known_words(session: Session) -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
    """What a new event may name: notices by name and version; partners by id, or their classes."""
    given = session.execute(select(Notice.name, Notice.version))
    return frozenset((name, version) for name, version in given), frozenset(
        (*session.exec(select(Partner.id)), *RECIPIENTS)
    )
