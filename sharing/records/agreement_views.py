"""An agreement as it is shown: text, terms, how it differs from its template, who accepted it,
and when its duties are due."""

from typing import Any

from sqlmodel import Session

from sharing.acceptance import to_sign
from sharing.agreement import Kind, additions, due_dates, readable
from sharing.records import acceptances, agreements
from sharing.records.acceptances import Acceptance
from sharing.records.agreements import AgreementVersion
from sharing.records.requests import Request
from sharing.stages import RequestState

View = dict[str, Any]


def agreement_view(session: Session, request: Request, *, inside: bool) -> View:
    """The current version for a request's current revision; raises NotFound where there is none.
    A partner sees that counsel added a term, never who that was."""
    versions = agreements.versions(session, request.id, request.digest)
    current = agreements.current(session, request)
    terms = agreements.terms(session, current)
    accepted = acceptances.of(session, request.id, request.digest, current.agreement_digest)
    return {
        "request": request.id,
        "request_digest": request.digest,
        "version": current.number,
        "digest": current.agreement_digest,
        "to_sign": to_sign(request.id, request.digest, current.agreement_digest),
        **shown(terms),
        "accepted": accepted is not None,
        "acceptance": _acceptance(accepted, inside) if accepted else None,
        "versions": [_version(version, request, inside) for version in versions],
        "due": _due(terms, request),
    }


def shown(terms: View) -> View:
    """Text and terms for people and machines, and what was added to the template's."""
    return {
        "template": terms.get("template"),
        "parameters": terms.get("parameters"),
        "text": readable(terms),
        **{kind.plural: terms[kind.plural] for kind in Kind},
        "differences": additions(terms),
    }


def _acceptance(row: Acceptance, inside: bool) -> View:
    view: View = {
        "id": row.id,
        "method": row.method,
        "digest": row.agreement_digest,
        "signatory": row.signatory,
        "at": row.at,
    }
    return {**view, "evidence": row.evidence, "key": row.key_id} if inside else view


def _version(version: AgreementVersion, request: Request, inside: bool) -> View:
    by = version.made_by if inside or version.made_by == request.partner_id else None
    return {
        "version": version.number,
        "digest": version.agreement_digest,
        "by": by,
        "at": version.at,
    }


def _due(terms: View, request: Request) -> list[View]:
    """Dates exist once the data is there."""
    if request.state != RequestState.DELIVERED or request.ended_at is None:
        return []
    return [
        {"action": due.action, "at": due.at, "text": due.text}
        for due in due_dates(terms, request.ended_at)
    ]
