"""The four approved outcomes for one digest, sealed into one value: all that an export accepts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import rfc8785

from sharing.errors import NotCleared
from sharing.stages import GATES, Outcome, Role, Stage


@dataclass(frozen=True, slots=True)
class Approval:
    """One gate's approval: who approved, on which digest, with which declaration behind it."""

    stage: Stage
    actor: str
    digest: str
    outcome: Outcome
    decision_id: str
    role: Role | None = None  # where the policy asks for one beside the gate's own
    human: str | None = None  # the person behind the account, where that is another id


@dataclass(frozen=True, slots=True)
class Clearance:
    """The approvals of one digest, at least one a gate, each by another person, valid until a
    moment."""

    request_id: str
    digest: str
    approvals: tuple[Approval, ...]
    agreement_digest: str
    cleared_at: datetime
    valid_until: datetime

    @property
    def seal(self) -> str:
        """sha256, in hex, over everything in it: the clearance digest that a manifest names."""
        return hashlib.sha256(
            rfc8785.dumps(
                {
                    "request": self.request_id,
                    "digest": self.digest,
                    "approvals": [[a.stage, a.actor, a.decision_id] for a in self.approvals],
                    "agreement": self.agreement_digest,
                    "cleared_at": self.cleared_at.isoformat(),
                    "valid_until": self.valid_until.isoformat(),
                }
            )
        ).hexdigest()

    def covers(self, request_id: str, digest: str, at: datetime) -> bool:
        """True if this clears that digest of that request at that moment."""
        return (self.request_id, self.digest) == (request_id, digest) and (
            self.cleared_at <= at < self.valid_until
        )


def seal(
    request_id: str,
    digest: str,
    approvals: Sequence[Approval],
    agreement_digest: str,
    cleared_at: datetime,
    valid_until: datetime,
) -> Clearance:
    """A clearance of approvals in gate order, or NotCleared saying what is missing."""
    stages = tuple(dict.fromkeys(a.stage for a in approvals if a.role is None))
    in_order = [a.stage for a in approvals] == sorted((a.stage for a in approvals), key=GATES.index)
    approved = all(a.outcome is Outcome.APPROVED for a in approvals)
    if stages != GATES or not in_order or not approved:
        raise NotCleared("A clearance needs each of the four gates approved, in order.")
    if any(a.digest != digest for a in approvals):
        raise NotCleared("An approval speaks of another digest: everything must be decided again.")
    if not distinct(approvals):
        raise NotCleared("A clearance needs four distinct people, and another one for each more.")
    return Clearance(
        request_id, digest, tuple(approvals), agreement_digest, cleared_at, valid_until
    )


def distinct(approvals: Sequence[Approval]) -> bool:
    """True if each approval is by another person. Two accounts of one person are one."""
    return len({a.human or a.actor for a in approvals}) == len(approvals)
