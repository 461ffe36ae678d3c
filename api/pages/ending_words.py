"""How a request ended, for people inside: what came of it, and what comes next."""

from collections.abc import Mapping
from typing import Any

from api.pages import words
from sharing import legal

View = Mapping[str, Any]

HOW: Mapping[str, str] = {
    "refused": "Somebody said no. One no is enough.",
    "withdrawn": "The partner no longer asks.",
    "revoked": "It was cleared, but at the release something no longer held.",
    "delivered": "The package was handed over.",
    "closed": "The care of what was delivered has ended.",
}
IN_TIME: Mapping[str, str] = {
    "returned": "The partner was asked to change something, and did not in time.",
    "cleared": "It was cleared, and nobody exported it in time.",
    "exporting": "It was cleared, and the export was not done in time.",
}
NEXT: Mapping[str, str] = {
    "refused": "The partner reads the reason, and may ask for something else.",
    "withdrawn": "What was decided stays readable. It may ask anew.",
    "expired": "The partner may submit it anew: the gates begin again then.",
    "revoked": "The partner may submit it anew: the gates begin again then.",
}


def how(ending: View) -> str:
    """What came of it, as one sentence."""
    if ending["state"] != "expired":
        return HOW.get(ending["state"], "")
    at = str(ending["stage"] or "")
    late = f"Nobody decided in time at {words.plain(at)}."
    return IN_TIME.get(at, late if at else "Nobody answered in time.")


def following(ending: View) -> str:
    """What comes next where nothing was shared."""
    return NEXT.get(ending["state"], "")


def duty(action: str) -> str:
    """A duty in words, to stand by itself."""
    return words.sentence(legal.duty_in_words(action))
