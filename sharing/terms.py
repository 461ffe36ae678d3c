"""The terms that a verdict on consent stands on besides the events: one digest for all of them."""

import hashlib
import json

from sharing import vocabulary
from sharing.consent import Question


def terms_digest(asked: Question) -> str:
    """sha256, in hex, of what is asked and of whom, the notices that stand for it, the rules of
    jurisdictions and the vocabulary. As long as it stays, only events and time change a verdict."""
    notices = sorted(
        [name, version]
        for (name, version), notice in asked.notices.items()
        if notice.covers(asked.purpose, asked.category)
    )
    parts = [
        [asked.purpose, asked.category, asked.special_category, asked.explicit],
        [asked.recipient, asked.recipient_class],
        notices,
        asked.rules.digest(),
        vocabulary.digest(),
    ]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
