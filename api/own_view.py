"""A subject's consents as the subject sees them: in words for people, and in its language."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from api.idempotency import Json
from api.languages import best
from sharing.records import notices
from sharing.records.consents import Consent
from sharing.records.notices import Notice
from sharing.records.receipts import recipient_name
from sharing.records.subjects import Standing
from sharing.vocabulary import CATEGORIES, PURPOSES, RECIPIENTS, Term


class Names:
    """What purposes, categories and recipients are called, in words for people."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, purpose: str, category: str, recipient: str) -> Json:
        """All three by their field."""
        return {
            "purpose": _label(PURPOSES, purpose),
            "category": _label(CATEGORIES, category),
            "recipient": self.recipient(recipient),
        }

    def recipient(self, recipient: str) -> str:
        """A partner's name, or what a class of recipients means."""
        if recipient in RECIPIENTS:
            return _label(RECIPIENTS, recipient)
        return recipient_name(self._session, recipient)


def _label(vocabulary: Mapping[str, Term], name: str) -> str:
    term = vocabulary.get(name)
    if term is None:
        return name
    return f"{term.label}. {term.description}" if term.description else term.label


def event_view(event: Consent, names: Names) -> Json:
    """One line of the ledger as its subject sees it."""
    return {
        "position": event.position,
        "at": event.at,
        "action": event.action,
        "purpose": event.purpose,
        "category": event.category,
        "recipient": event.recipient,
        "described": names.of(event.purpose, event.category, event.recipient),
        "explicit": event.explicit,
        "notice": event.notice,
        "notice_version": event.notice_version,
        "valid_until": event.valid_until,
        "jurisdiction": event.jurisdiction,
        "controller": event.controller,
        "lawful_basis": event.lawful_basis,
        "method": event.method,
        "source": event.source,
        "recorded_at": event.recorded_at,
        "receipt": receipt_of(event.position),
    }


def receipt_of(position: int) -> str:
    """Where the receipt of an event is."""
    return f"/v1/me/receipts/{position}"


def standing_view(found: Standing) -> Json:
    """How one matter stands now."""
    purpose, category, recipient = found.matter
    return {
        "purpose": purpose,
        "category": category,
        "recipient": recipient,
        "stands": found.answer.excluded is None,
        "reason": found.answer.excluded,
        "until": found.answer.until,
    }


def words(session: Session, events: Sequence[Consent], wanted: Sequence[str]) -> list[Json]:
    """The notices that events name, each once, in the language that fits best."""
    named = list(dict.fromkeys((event.notice, event.notice_version) for event in events))
    texts = notices.texts(session, named)
    found = []
    for name, version in named:
        notice = session.get(Notice, (name, version))
        if notice is None:
            continue
        there = texts[name, version]
        language = best(wanted, there, notices.language_of(notice, there))
        said = there.get(language, notice)
        found.append(
            {
                "name": name,
                "version": version,
                "language": language,
                "text": said.text,
                "text_sha256": said.text_sha256,
            }
        )
    return found


def share_view(share: Mapping[str, Any], names: Names) -> Json:
    """One release as a subject in it sees it."""
    category = share["categories"][0]
    return {
        **share,
        "described": names.of(share["purpose"], category, share["partner"]),
        "consents": [
            {"position": position, "receipt": receipt_of(position)}
            for position in share["consents"]
        ],
    }
