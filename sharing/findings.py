"""A machine's findings at a gate: three-valued, with words a person can act on."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import rfc8785

from sharing.stages import Result


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, its result, and a sentence of detail without personal data."""

    check: str
    result: Result
    detail: str


def compliant(check: str, detail: str) -> Finding:
    """The check holds."""
    return Finding(check, Result.COMPLIANT, detail)


def violation(check: str, detail: str) -> Finding:
    """The check does not hold."""
    return Finding(check, Result.VIOLATION, detail)


def gap(check: str, detail: str) -> Finding:
    """A machine cannot tell: a person must, and until then it counts as no."""
    return Finding(check, Result.GAP, detail)


def findings_digest(findings: Sequence[Finding]) -> str:
    """sha256 of the findings as canonical JSON: what a decision says that it saw."""
    return hashlib.sha256(rfc8785.dumps([asdict(finding) for finding in findings])).hexdigest()
