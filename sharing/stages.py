"""The words of the process, in process order. Standard library only: workflow code imports this."""

from enum import StrEnum


class Stage(StrEnum):
    """The six stages of a request; the first four are the gates."""

    PURPOSE_REVIEW = "purpose_review"
    CONSENT_VERIFICATION = "consent_verification"
    CONFLICT_SIGNOFF = "conflict_signoff"
    LEGAL_APPROVAL = "legal_approval"
    EXPORT = "export"
    STEWARDSHIP = "stewardship"


GATES: tuple[Stage, Stage, Stage, Stage] = (
    Stage.PURPOSE_REVIEW,
    Stage.CONSENT_VERIFICATION,
    Stage.CONFLICT_SIGNOFF,
    Stage.LEGAL_APPROVAL,
)


class Role(StrEnum):
    """What a person, or a partner's client, may be here."""

    PARTNER = "partner"
    PURPOSE_REVIEWER = "purpose_reviewer"
    CONSENT_STEWARD = "consent_steward"
    CONFLICT_OFFICER = "conflict_officer"
    LEGAL_COUNSEL = "legal_counsel"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    ADMIN = "admin"
    SUBJECT = "subject"


GATE_ROLES: dict[Stage, Role] = {
    Stage.PURPOSE_REVIEW: Role.PURPOSE_REVIEWER,
    Stage.CONSENT_VERIFICATION: Role.CONSENT_STEWARD,
    Stage.CONFLICT_SIGNOFF: Role.CONFLICT_OFFICER,
    Stage.LEGAL_APPROVAL: Role.LEGAL_COUNSEL,
}

STAFF: frozenset[Role] = frozenset({*GATE_ROLES.values(), Role.ENGINEER, Role.AUDITOR, Role.ADMIN})


class Outcome(StrEnum):
    """What a gate comes to. A person's decision is one of the first three."""

    APPROVED = "approved"
    REFUSED = "refused"
    RETURNED = "returned"
    EXPIRED = "expired"
    UNDECIDABLE = "undecidable"


DECISIONS: tuple[Outcome, ...] = (Outcome.APPROVED, Outcome.REFUSED, Outcome.RETURNED)


class RequestState(StrEnum):
    """Where a request stands. The gates' names are states while the request waits there."""

    SUBMITTED = "submitted"
    PURPOSE_REVIEW = "purpose_review"
    CONSENT_VERIFICATION = "consent_verification"
    CONFLICT_SIGNOFF = "conflict_signoff"
    LEGAL_APPROVAL = "legal_approval"
    CLEARED = "cleared"
    EXPORTING = "exporting"
    DELIVERED = "delivered"
    CLOSED = "closed"
    RETURNED = "returned"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REVOKED = "revoked"


ENDED: frozenset[RequestState] = frozenset(
    {
        RequestState.DELIVERED,
        RequestState.CLOSED,
        RequestState.REFUSED,
        RequestState.WITHDRAWN,
        RequestState.EXPIRED,
        RequestState.REVOKED,
    }
)

AT_A_GATE: frozenset[RequestState] = frozenset(RequestState(stage) for stage in GATES)
AMENDABLE: frozenset[RequestState] = AT_A_GATE | {RequestState.RETURNED, RequestState.CLEARED}


class ExportState(StrEnum):
    """Where one export run stands."""

    AWAITING_CONFIRMATION = "awaiting_confirmation"
    RUNNING = "running"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    FAILED = "failed"


LIVE_EXPORTS: frozenset[ExportState] = frozenset(
    {ExportState.AWAITING_CONFIRMATION, ExportState.RUNNING}
)


class Result(StrEnum):
    """A machine's finding, three-valued. A gap goes to a person and counts as no."""

    COMPLIANT = "compliant"
    VIOLATION = "violation"
    GAP = "gap"


class Exclusion(StrEnum):
    """Why an object in scope did not go into the package."""

    NEVER_ASKED = "never_asked"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"
    WRONG_PURPOSE = "wrong_purpose"
    WRONG_CATEGORY = "wrong_category"
    WRONG_RECIPIENT = "wrong_recipient"
    NOT_EXPLICIT = "not_explicit"
    OLD_NOTICE = "old_notice"
    JURISDICTION = "jurisdiction"
    UNREADABLE = "unreadable"
