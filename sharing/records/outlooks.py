"""Outlooks that were given to partners: counted once, answered alike for a week, and so many at
most (sharing.outlook says why)."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Field, Session, SQLModel, col, func, select

from sharing import outlook
from sharing.errors import Refused
from sharing.offered import categories
from sharing.outlook import AGAIN_AFTER, MOST
from sharing.records import consents
from sharing.records.datasets import Dataset, offer_of
from sharing.records.ledger import micros
from sharing.records.parties import Partner
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.request import taken_within
from sharing.snapshot.keeper import Asked, snapshots_of
from sharing.snapshot.selection import Filter

View = dict[str, Any]


class ConsentOutlook(SQLModel, table=True):
    """One answer that a partner was given; never changed. `question`: the sha256 of the coarse
    question. `band`: the quarter that was told; null where there were too few people."""

    __tablename__ = "consent_outlook"
    id: str = Field(primary_key=True)
    partner_id: str = Field(foreign_key="partner.id", index=True)
    dataset_id: str = Field(foreign_key="dataset.id")
    question: str
    band: int | None = None
    at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What is counted for a partner: a scope made coarse, so that all who differ only in what is
    not in here get one answer."""

    dataset_id: str
    purpose: str
    fields: tuple[str, ...]
    categories: tuple[str, ...]
    after: datetime | None
    before: datetime | None

    @property
    def digest(self) -> str:
        """sha256, in hex. Fields of the same categories are one question."""
        said = [self.dataset_id, self.purpose, sorted(self.categories)]
        years = [at and at.year for at in (self.after, self.before)]
        return hashlib.sha256(json.dumps([*said, years]).encode()).hexdigest()


def question(dataset: Dataset, body: Mapping[str, Any]) -> Question:
    """The coarse question behind a request's body that holds."""
    fields = offer_of(dataset).asked(body["scope"]["fields"])
    years = outlook.widened(*taken_within(body["scope"]))
    names = tuple(str(field) for field in fields)
    return Question(dataset.id, body["purpose"], names, categories(fields), *years)


def known(session: Session, partner_id: str, digest: str) -> ConsentOutlook | None:
    """The answer that still holds, if this partner put the question within a week."""
    return session.exec(
        select(ConsentOutlook)
        .where(
            ConsentOutlook.partner_id == partner_id,
            ConsentOutlook.question == digest,
            col(ConsentOutlook.at) > now() - AGAIN_AFTER,
        )
        .order_by(col(ConsentOutlook.at).desc())
    ).first()


def left(session: Session, partner_id: str) -> int:
    """How many further questions a partner may put now."""
    put = select(func.count()).where(
        ConsentOutlook.partner_id == partner_id, col(ConsentOutlook.at) > now() - AGAIN_AFTER
    )
    return max(0, MOST - int(session.exec(put).one()))


def demand_left(session: Session, partner_id: str) -> None:
    """Raises Refused where a partner has put as many questions as it may."""
    if not left(session, partner_id):
        raise Refused(
            "limit_reached",
            f"{MOST} different outlooks within {AGAIN_AFTER.days} days are as many as there "
            "are, so that they show nobody what one person said. Earlier ones still answer.",
        )


def counted(
    session: Session, partner_id: str, asked: Question, nudge: Callable[[str], float]
) -> int | None:
    """The band of a question over the ledger as it stands now. Only for sessions that read."""
    dataset = session.get_one(Dataset, asked.dataset_id)
    body = {"purpose": asked.purpose, "scope": {"fields": asked.fields}}
    first, *besides = consents.questions(session, body, dataset, partner_id)
    years = [None if at is None else micros(at) for at in (asked.after, asked.before)]
    wanted = Asked(
        first, dataset.id, dataset.index_version, Filter(years[0], years[1], None), micros(now())
    )
    found = snapshots_of(session).decided(session, wanted, besides=besides).coverage()
    return outlook.band(found.covered_subjects, found.subjects, nudge(asked.digest))


def keep(unit: Unit, partner_id: str, asked: Question, band: int | None) -> ConsentOutlook:
    """Keeps an answer before it is given. Whoever was given one meanwhile has that; raises Refused
    where a partner has put as many questions as it may."""
    unit.session.get_one(Partner, partner_id, with_for_update=True)  # one at a time
    there = known(unit.session, partner_id, asked.digest)
    if there is not None:
        return there
    demand_left(unit.session, partner_id)
    row = ConsentOutlook(
        id=new_id("otl"),
        partner_id=partner_id,
        dataset_id=asked.dataset_id,
        question=asked.digest,
        band=band,
        at=now(),
    )
    unit.session.add(row)
    unit.audit(partner_id, "consent.outlook_given", outlook=row.id, dataset=row.dataset_id)
    return row


def shown(row: ConsentOutlook, limit: int | None, still: int) -> View:
    """An answer as the partner has it: parts of the people, and of the objects it asks for."""
    view: View = {
        "id": row.id,
        "at": row.at,
        "again_at": row.at + AGAIN_AFTER,
        "enough_people": row.band is not None,
        "share": None,
        "objects": None,
        "previews_left": still,
    }
    if row.band is None:
        return view
    found = outlook.told(row.band)
    view["share"] = {"at_least": found.low, "at_most": found.high}
    if limit is not None:
        view["objects"] = outlook.objects(found, limit)
    return view
