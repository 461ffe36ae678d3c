"""What a consent receipt says, gathered from the ledger, the notices and the partners."""

from sqlmodel import Session, col, select

from sharing.consent import ANYONE, Action
from sharing.receipt import Record, Status
from sharing.records import consents, notices, subjects
from sharing.records.consents import Consent
from sharing.records.ledger import Checkpoint
from sharing.records.notices import Notice
from sharing.records.parties import Partner
from sharing.vocabulary import RECIPIENTS
from sharing.withdrawal import ended_by, whole


def record(session: Session, subject: str, position: int, controller: str) -> Record | None:
    """What is recorded at a position of the ledger about this subject, and what ended it since;
    None if that is nothing, or about somebody else. `controller`: where the event names none."""
    event = session.get(Consent, position)
    if event is None or event.subject != subject:
        return None
    notice = session.get(Notice, (event.notice, event.notice_version))
    texts = notices.texts(session, [(event.notice, event.notice_version)])
    return Record(
        position=position,
        checkpoint=_checkpoint(session, position),
        subject=subject,
        controller=event.controller or controller,
        purpose=event.purpose,
        category=event.category,
        recipient=event.recipient,
        recipient_name=recipient_name(session, event.recipient),
        explicit=event.explicit,
        notice=event.notice,
        notice_version=event.notice_version,
        text_sha256=notice.text_sha256 if notice else None,
        texts={
            language: said.text_sha256
            for language, said in texts[event.notice, event.notice_version].items()
        },
        jurisdiction=event.jurisdiction,
        lawful_basis=event.lawful_basis,
        source=event.source,
        statuses=_statuses(session, event),
    )


def recipient_name(session: Session, recipient: str) -> str:
    """A partner's name, or what a class of recipients is called."""
    if recipient == ANYONE:
        return "Anyone"
    partner = session.get(Partner, recipient)
    if partner is not None:
        return partner.name
    return RECIPIENTS[recipient].label if recipient in RECIPIENTS else recipient


def _statuses(session: Session, event: Consent) -> tuple[Status, ...]:
    action = Action(event.action)
    own = Status(action, event.at, event.position, event.method, event.valid_until)
    if action is not Action.GIVEN:
        return (own,)
    mine = consents.of_subjects(session, [event.subject])[event.subject]
    given = next(one for one in mine if one.position == event.position)
    end = ended_by(whole(given), mine, subjects.classes(session))
    return (own,) if end is None else (own, Status(end.action, end.at, end.position, end.method))


def _checkpoint(session: Session, position: int) -> str:
    covering = select(Checkpoint.hash).where(col(Checkpoint.last) >= position)
    return session.exec(covering.order_by(col(Checkpoint.last)).limit(1)).one()
