"""Bodies that the API takes, the shortest of their kind."""

from typing import Any

DATASET: dict[str, Any] = {
    "name": "d",
    "location": "d",
    "category": "pd:Picture",
    "special_category": False,
    "subject_from": "path:{subject}/*",
}
NOTICE: dict[str, Any] = {
    "name": "n",
    "version": "1",
    "text": "t",
    "purposes": ["ai:ModelTraining"],
    "categories": ["pd:Picture"],
}
CONSENT: dict[str, Any] = {
    "subject": "s9",
    "purpose": "ai:ModelTraining",
    "category": "pd:ProfilePicture",
    "recipient": "*",
    "action": "given",
    "explicit": True,
    "notice": "privacy",
    "notice_version": "3",
    "at": "2024-01-01T00:00:00Z",
    "jurisdiction": "CA",
    "source": "app",
}
