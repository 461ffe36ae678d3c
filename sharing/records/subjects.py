"""What one subject has said, what of it stands now, and the ways to say more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from sharing.consent import Action, Answer, Question, verify
from sharing.records import consents, heads
from sharing.records.consents import Consent
from sharing.records.datasets import Dataset, offer_of
from sharing.records.parties import Partner
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.withdrawal import Ending, Wish, endings

SOURCE = "subject"  # where an event comes from that the subject itself sent

Matter = tuple[str, str, str]  # purpose, category, recipient


@dataclass(frozen=True, slots=True)
class Standing:
    """How one matter stands now, and since which event of the ledger it has been spoken of."""

    matter: Matter
    answer: Answer


def events_of(session: Session, subject: str) -> list[Consent]:
    """All that this subject has said, or others have about it, in the order that counts."""
    rows = session.exec(select(Consent).where(Consent.subject == subject))
    return sorted(rows, key=lambda event: (event.at, event.position))


def standings(session: Session, subject: str, at: datetime) -> list[Standing]:
    """How each purpose, category and recipient that was ever spoken of stands at a moment, by the
    rule that exports go by."""
    events = consents.of_subjects(session, [subject]).get(subject, [])
    matters = dict.fromkeys((e.purpose, e.category, e.recipient) for e in events)
    asked = questions(session, matters)
    return [
        Standing(matter, verify(question, events, at))
        for matter, question in zip(matters, asked, strict=True)
    ]


def questions(session: Session, matters: Iterable[Matter]) -> list[Question]:
    """What an export for each of these would ask."""
    found = session.exec(select(Dataset).where(col(Dataset.special_category).is_(True)))
    special = {category for dataset in found for category in offer_of(dataset).categories()}
    return [consents.asking(session, *matter, matter[1] in special) for matter in matters]


def withdraw(unit: Unit, subject: str, wish: Wish) -> list[tuple[int, Ending]]:
    """Ends what a subject wishes to end: the position of each new event, and what it ends."""
    moment = _moment(unit.session, subject)
    events = consents.of_subjects(unit.session, [subject]).get(subject, [])
    ended = endings(wish, events, classes(unit.session))
    last = consents.append(
        unit,
        [
            _event(
                subject,
                Action.WITHDRAWN,
                moment,
                (one.purpose, one.category, one.recipient),
                (one.given.notice, one.given.notice_version),
            )
            for one in ended
        ],
    )
    return [(last - len(ended) + 1 + i, one) for i, one in enumerate(ended)]


def open_yeses(session: Session, subject: str, recipient: str | None = None) -> list[Ending]:
    """What a subject could take back now, from everybody or from one recipient: each yes that no
    later no has ended."""
    events = consents.of_subjects(session, [subject]).get(subject, [])
    return endings(Wish(recipient=recipient), events, classes(session))


def give(
    unit: Unit,
    subject: str,
    matter: Matter,
    notice: tuple[str, str],
    valid_until: datetime | None = None,
) -> int:
    """A subject's yes, by an act that does nothing else; returns its position."""
    event = _event(subject, Action.GIVEN, _moment(unit.session, subject), matter, notice)
    return consents.append(unit, [{**event, "valid_until": valid_until}])


def classes(session: Session) -> dict[str, str | None]:
    """Partners by id, with the class that each is known to be of."""
    return {row[0]: row[1] for row in session.execute(select(Partner.id, Partner.recipient_class))}


def _moment(session: Session, subject: str) -> datetime:
    """Now, and not before anything that the ledger has of this subject: the last word counts, also
    where a clock was put back. Until the transaction ends nobody else writes to the ledger."""
    heads.position(session.connection(), "consent", hold=True)
    latest = select(Consent.at).where(Consent.subject == subject).order_by(col(Consent.at).desc())
    before = session.exec(latest.limit(1)).first()
    return now() if before is None else max(now(), before)


def _event(
    subject: str, action: Action, at: datetime, matter: Matter, notice: tuple[str, str]
) -> dict[str, Any]:
    purpose, category, recipient = matter
    return {
        "subject": subject,
        "purpose": purpose,
        "category": category,
        "recipient": recipient,
        "action": str(action),
        "explicit": True,
        "notice": notice[0],
        "notice_version": notice[1],
        "at": at,
        "source": SOURCE,
    }
