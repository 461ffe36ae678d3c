"""How a consent was collected: by what means, and on which lawful basis."""

from collections.abc import Mapping
from enum import StrEnum


class Method(StrEnum):
    """By what means a subject said it. A written release is a signed text (Illinois' BIPA)."""

    WRITTEN_RELEASE = "written_release"
    WEB_FORM = "web_form"
    APP = "app"
    EMAIL = "email"
    PAPER = "paper"
    SPOKEN = "spoken"
    OTHER = "other"


# The ledger keeps consents only: what rests on a contract or an interest does not belong in it.
CONSENT_BASES: Mapping[str, str] = {
    "gdpr:A6-1-a": "consent",
    "gdpr:A9-2-a": "explicit consent to the use of a special category",
    "gdpr:A22-2-c": "explicit consent to a decision by machine alone",
    "gdpr:A49-1-a": "explicit consent to a transfer to a third country",
    "dpv:Consent": "consent under another law",
    "dpv:ExplicitConsent": "explicit consent under another law",
}
