"""What a request would be asked if it were submitted now, gate by gate. Nothing is recorded."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlmodel import Session

from sharing import agreement, agreement_file, legal, purpose
from sharing.findings import Finding
from sharing.foresight import FIELD_OF, about_what_is_there
from sharing.offered import categories, in_words
from sharing.patience import Patience, parsed
from sharing.promise import broken
from sharing.records import notices, policies
from sharing.records.datasets import Dataset, offer_of
from sharing.records.parties import Partner
from sharing.stages import GATE_ROLES, GATES, Stage

View = dict[str, Any]


def foreseen(
    session: Session,
    partner: Partner,
    dataset: Dataset,
    body: Mapping[str, Any],
    absent: frozenset[str],
    retention_max: int,
    patience: Patience,
) -> list[View]:
    """Each gate: who answers there, within how many days, and what the machine will note for them.
    `body` holds; `absent` are the fields in it that only stand in for what is not there yet."""
    found = {
        Stage.PURPOSE_REVIEW: _of_purpose(session, dataset, body),
        Stage.LEGAL_APPROVAL: _of_law(session, partner, dataset, body, retention_max),
    }
    waits = _patience(session, patience)
    return [
        {
            "stage": stage,
            "role": GATE_ROLES[stage],
            "days": waits.gates[stage].days,
            "unit": waits.unit,
            "findings": [_view(f) for f in about_what_is_there(found.get(stage, ()), absent)],
        }
        for stage in GATES
    ]


def _of_purpose(session: Session, dataset: Dataset, body: Mapping[str, Any]) -> list[Finding]:
    return purpose.review(
        body["purpose"],
        body["intended_use"],
        offer_of(dataset).asked(body["scope"]["fields"]),
        dataset.purposes,
        list(notices.terms(session).values()),
    )


def _of_law(
    session: Session, partner: Partner, dataset: Dataset, body: Mapping[str, Any], longest: int
) -> list[Finding]:
    fields = offer_of(dataset).asked(body["scope"]["fields"])
    special = dataset.special_category
    against = broken(notices.promised(session), body, categories(fields), special)
    terms = agreement.drafted(agreement_file.in_force(), body, partner.id, partner.name)
    return legal.review(body, special, terms, longest, against, in_words(fields))


def _patience(session: Session, otherwise: Patience) -> Patience:
    """How long gates wait under the policy in force."""
    table = policies.policy(session, policies.in_force(session)).sections.get("time")
    return parsed(table, otherwise) if isinstance(table, Mapping) else otherwise


def _view(found: Finding) -> View:
    return {**asdict(found), "result": str(found.result), "field": FIELD_OF.get(found.check)}
