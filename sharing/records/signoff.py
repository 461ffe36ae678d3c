"""The findings of gate 3 on record: gathered when it opens, and again when more comes to light
while it waits."""

from dataclasses import asdict

from sqlmodel import Session, col, select

from sharing.conflict import Screening, report
from sharing.findings import Finding, findings_digest
from sharing.records import interests, requests
from sharing.records.parties import Person
from sharing.records.requests import Gate, Request
from sharing.records.sponsors import meant, sponsor_id
from sharing.stages import Stage


def screened(session: Session, request: Request) -> Screening:
    """All that is known of who gains from a request as it stands."""
    return interests.screened(session, request.partner_id, recipients(session, request))


def recipients(session: Session, request: Request) -> list[str]:
    """Whom the data is to be handed on to, by name."""
    return list(requests.revision_row(session, request).body["onward_recipients"])


def findings(session: Session, request: Request, screening: Screening) -> list[Finding]:
    """The findings of gate 3."""
    sponsor = sponsor_id(meant(session, request.sponsor), request.sponsor)
    known = sponsor is not None and session.get(Person, sponsor) is not None
    return report(screening, sponsor, known)


def look_again(session: Session) -> list[str]:
    """Gathers anew the findings of each gate 3 that waits for a decision, so that who decides sees
    what is known now; returns the requests whose findings are others."""
    changed = []
    for gate in session.exec(
        select(Gate).where(Gate.stage == Stage.CONFLICT_SIGNOFF, col(Gate.outcome).is_(None))
    ):
        request = requests.get(session, gate.request_id, hold=True)
        if gate.digest != request.digest or request.waiting_stage != gate.stage:
            continue
        found = findings(session, request, screened(session, request))
        if findings_digest(found) != gate.findings_digest:
            gate.findings = [{**asdict(f), "result": str(f.result)} for f in found]
            gate.findings_digest = findings_digest(found)
            changed.append(request.id)
    return changed
