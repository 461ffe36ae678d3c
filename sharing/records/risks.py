"""What there is to weigh in a request, from what is on record."""

from dataclasses import asdict

from sqlmodel import Session, col, func, select

from sharing.records import requests
from sharing.records.acknowledgements import Acknowledgement, Outcome
from sharing.records.datasets import Dataset
from sharing.records.exports import Release
from sharing.records.parties import Partner
from sharing.records.recalls import RecallItem
from sharing.records.requests import Request
from sharing.records.viewer import View
from sharing.risks import Known, risks

DONE = "fulfilled"


def risks_of(session: Session, request: Request) -> list[View]:
    """What to weigh, in plain words, the gravest first."""
    revision = requests.revision_row(session, request)
    dataset = session.get_one(Dataset, revision.dataset_id)
    partner = session.get_one(Partner, request.partner_id)
    known = Known(
        objects=dataset.objects,
        special_category=dataset.special_category,
        care=partner.risk,
        encrypted=revision.age_recipient is not None,
        earlier=_released(session, partner.id),
        disputed=_disputed(session, partner.id),
        to_come_back=_open(session, partner.id),
    )
    return [asdict(one) for one in risks(revision.body, known)]


def _released(session: Session, partner_id: str) -> int:
    rows = select(func.count()).select_from(Release)
    mine = rows.join(Request, col(Request.id) == Release.request_id)
    return session.exec(mine.where(Request.partner_id == partner_id)).one()


def _disputed(session: Session, partner_id: str) -> int:
    rows = select(func.count()).select_from(Acknowledgement)
    mine = rows.where(
        Acknowledgement.partner_id == partner_id, Acknowledgement.outcome == Outcome.DISPUTED
    )
    return session.exec(mine).one()


def _open(session: Session, partner_id: str) -> int:
    rows = select(func.count(col(RecallItem.subject).distinct()))
    mine = rows.where(RecallItem.partner_id == partner_id, col(RecallItem.state) != DONE)
    return session.exec(mine).one()
