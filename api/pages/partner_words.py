"""How things stand, as a partner is told it: `you` is the partner, and nobody inside has a name."""

from collections.abc import Mapping
from typing import Any

from api.pages import words

View = Mapping[str, Any]

WHO: Mapping[str, str] = {
    "purpose_reviewer": "the purpose reviewer",
    "consent_steward": "the consent steward",
    "conflict_officer": "the conflict officer",
    "legal_counsel": "legal counsel",
    "engineer": "an engineer",
    "auditor": "an auditor",
    "admin": "an administrator",
    "partner": "you",
}

# What each gate does, in a sentence for whoever waits behind it.
DOES: Mapping[str, str] = {
    "purpose_review": "Somebody reads what you want the data for, and whether its people were "
    "told of such a use.",
    "consent_verification": "Everybody in the data is looked up: only those who agreed to exactly "
    "this count.",
    "conflict_signoff": "Somebody makes sure that nobody here gains from the answer.",
    "legal_approval": "Counsel looks at the legal basis, and at the agreement between us.",
    "export": "An engineer starts the export. Everybody's consent is looked at once more.",
}

STATES: Mapping[str, str] = {
    "submitted": "Received",
    "returned": "Sent back to you",
    "withdrawn": "Withdrawn by you",
    "refused": "Refused",
    "expired": "Ran out of time",
    "revoked": "Stopped at the last check",
    "cleared": "Cleared",
    "exporting": "Being exported",
    "delivered": "Delivered",
    "closed": "Closed",
}

ENDS: Mapping[str, str] = {
    "refused": "It has ended. The reason is below; a new request may ask for something else.",
    "expired": "Nobody answered in time, so it ended by itself. You may submit it anew.",
    "withdrawn": "You no longer asked. What was decided stays readable.",
    "revoked": "At the release something no longer held, so nothing left. You may submit it anew.",
    "delivered": "The package is yours to fetch.",
    "closed": "All is done.",
}

EXPORTS: Mapping[str, str] = {
    "awaiting_confirmation": "Waits for a second engineer",
    "running": "Under way",
    "delivered": "Delivered",
    "cancelled": "Stopped; nothing left",
    "failed": "Did not work; nothing left",
}

EVENTS: Mapping[str, str] = {
    "request.submitted": "You submitted it",
    "request.revised": "You changed it",
    "request.withdrawn": "You withdrew it",
    "request.returned": "Sent back to you",
    "request.refused": "Refused",
    "comment.sent": "Something was said, by you or to you",
    "request.cleared": "All four gates passed",
    "request.delivered": "Delivered",
    "request.expired": "Ran out of time",
    "gate.opened": "A gate opened",
    "gate.reopened": "A gate opened again",
    "decision.taken": "Decided",
    "decision.voided": "A decision counts no longer",
    "agreement.accepted": "You accepted the agreement",
    "agreement.terms_added": "Counsel added a term to the agreement",
    "export.triggered": "An engineer started the export",
    "export.confirmed": "A second engineer agreed",
    "export.released": "Released",
    "export.delivered": "The package is there",
    "export.failed": "The export did not work",
    "export.cancelled": "The export was stopped",
    "export.acknowledged": "You acknowledged what you received",
    "export.disputed": "You said that something else was received",
    "recall_item.opened": "Somebody took their consent back: a part must come back",
}
NOT_TOLD = frozenset({"shard.exported", "export.limited", "export.paused", "export.resumed"})

# Open questions that those inside answer: no partner could.
TO_JUDGE_INSIDE = frozenset({"purpose_allowed"})

ACTIONS: Mapping[str, str] = {
    "erase": "Erase everything",
    "attest_erasure": "Attest the erasure",
    "attest": "Attest that you keep the terms",
    "notify_breach": "Tell us of a breach",
    "obey_recall": "Erase what is recalled",
    "allow_audit": "Let an auditor look",
}
AFTER: Mapping[str, str] = {
    "breach": "of learning of a breach",
    "recall": "of a recall",
    "request": "of being asked",
}


def state(name: str) -> str:
    """A state in the partner's words."""
    return STATES.get(name) or words.STATES.get(name, words.plain(name))


def label(view: View) -> str:
    """The state, or that the partner's own yes is all that is missing."""
    accepting = yours(view) and view["state"] == "legal_approval"
    return "Your yes is missing" if accepting else state(view["state"])


def for_you(finding: View) -> bool:
    """True for what a partner can do something about: not where it holds, nor where only those
    inside have to judge."""
    return finding["result"] == "violation" or (
        finding["result"] == "gap" and finding["check"] not in TO_JUDGE_INSIDE
    )


def any_for_you(findings: list[View]) -> bool:
    """True where there is something that a partner can do."""
    return any(for_you(one) for one in findings)


def yours(view: View) -> bool:
    """True where it waits for the partner."""
    waits = view["waiting_for"]
    return bool(waits) and "partner" in waits["roles"]


def stands(view: View) -> str:
    """Where a request stands, and what it waits for, as one sentence without its date."""
    waits, name = view["waiting_for"], view["state"]
    if name in ENDS:
        return ENDS[name]
    if name == "returned":
        return "Somebody asks you to change something. Without a change in time it ends."
    if yours(view):
        return "Counsel has approved. Now you accept the agreement, and the last gate is passed."
    if waits:
        return f"Waits for {who(waits['roles'])}."
    if name == "exporting":
        return "The package is being made."
    return "The machine gathers what the next gate needs. It opens by itself."


def who(roles: list[str]) -> str:
    """Roles as people: `the consent steward and an auditor`."""
    return " and ".join(WHO.get(str(role), words.plain(role)) for role in roles)


def event(told: View) -> str:
    """What happened, in a line."""
    kind = str(told["type"])
    said = EVENTS.get(kind) or words.sentence(kind.replace(".", " "))
    where = f", {words.stage(str(told['stage'])).lower()}" if told.get("stage") else ""
    outcome = f": {words.plain(told['outcome'])}" if told.get("outcome") else ""
    return f"{said}{where}{outcome}"


def action(name: str) -> str:
    """A duty by a short name."""
    return ACTIONS.get(name) or words.sentence(name)


def span(duty: View) -> str:
    """Within how long a duty is due once it happens: `within 72 hours of learning of a breach`."""
    after = AFTER.get(duty["after"], duty["after"])
    for name, unit, lead in (
        ("within_hours", "hours", "within"),
        ("within_days", "days", "within"),
        ("every_days", "days", "every"),
    ):
        if name in duty:
            return f"{lead} {duty[name]} {unit} {after if lead == 'within' else ''}".strip()
    return ""
