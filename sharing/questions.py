"""Several questions about one subject: an object that holds data of several categories goes only
with a yes to each of them. The reason is that of the first that has none."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sharing.consent import Answer, ConsentEvent, Question, matters, verify, weigh
from sharing.terms import terms_digest

Questions = Sequence[Question]


def verify_all(asked: Questions, events: Sequence[ConsentEvent], at: datetime) -> Answer:
    """Whether a subject's events let data of every category asked about go; until the first of the
    consents runs out."""
    if not asked:
        raise ValueError("Nothing was asked: then nobody said yes.")
    answers = [verify(question, events, at) for question in asked]
    refused = next((answer for answer in answers if answer.excluded is not None), None)
    if refused is not None:
        return refused
    return Answer(None, min((a.until for a in answers if a.until is not None), default=None))


def matters_to_any(asked: Questions, event: ConsentEvent) -> bool:
    """False for an event that can end none of the consents that are asked about."""
    return any(matters(question, event) for question in asked)


def says_no_to_any(asked: Questions, event: ConsentEvent) -> bool:
    """True if an event has a say in any of what is asked."""
    return any(weigh(question, event).relevant for question in asked)


def last_word(question: Question, events: Sequence[ConsentEvent]) -> ConsentEvent | None:
    """The event that decides a question: the latest that has a say in it."""
    relevant = (event for event in events if weigh(question, event).relevant)
    return max(relevant, key=lambda event: (event.at, event.position), default=None)


def terms_of(asked: Questions) -> str:
    """One digest of the terms of all questions; of one alone it is that one's."""
    digests = [terms_digest(question) for question in asked]
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )
