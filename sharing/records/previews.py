"""Small pictures of a few photos in scope, for those who decide: sealed to the API, gone from here
with the last gate. The database erases them itself when a request leaves its gates or changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, ForeignKeyConstraint, Session, SQLModel, col, delete, select

from sharing.errors import NotFound
from sharing.questions import verify_all
from sharing.records import consents, requests
from sharing.records.datasets import Dataset, DatasetObject
from sharing.records.requests import Request
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.records.viewer import View
from sharing.stages import AT_A_GATE, RequestState

OPEN = AT_A_GATE | {RequestState.SUBMITTED}
ACTOR = "system:export"


class PreviewLook(SQLModel, table=True):
    """That photos of a scope were looked for, and what came of it. `sealed_to`: the public key of
    the server that can open them. `looked`: objects in the lot whose consent was asked for."""

    __tablename__ = "preview_look"
    request_id: str = Field(primary_key=True, foreign_key="request.id")
    digest: str = Field(primary_key=True)
    sealed_to: str
    asked_by: str
    looked: int
    unreadable: int
    made_at: datetime


class Preview(SQLModel, table=True):
    """One small picture, sealed. `position`: the object's, in the index that the revision names."""

    __tablename__ = "preview"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "digest"],
            ["preview_look.request_id", "preview_look.digest"],
            name="fk_preview_look",
        ),
    )
    id: str = Field(primary_key=True)
    request_id: str = Field(index=True)
    digest: str
    number: int
    position: int
    width: int
    height: int
    sealed: bytes = Field(sa_type=LargeBinary)


@dataclass(frozen=True, slots=True)
class Made:
    """A picture to be kept, under an id that was chosen before: it is sealed together with it."""

    id: str
    position: int
    width: int
    height: int
    sealed: bytes


def look(session: Session, request: Request, sealed_to: str) -> PreviewLook | None:
    """What came of looking for photos of the current digest, if this server can open them."""
    found = session.get(PreviewLook, (request.id, request.digest))
    return found if found is not None and found.sealed_to == sealed_to else None


def needed(session: Session, request: Request, sealed_to: str) -> bool:
    """True where there is nothing to show yet, and a gate waits."""
    if RequestState(request.state) not in OPEN:
        return False
    return look(session, request, sealed_to) is None or not _rows(session, request)


def keep(unit: Unit, found: PreviewLook, pictures: Sequence[Made]) -> None:
    """Keeps what was made; nothing where the request went on meanwhile, or another was faster."""
    session = unit.session
    request = requests.get(session, found.request_id, hold=True)
    if request.digest != found.digest or not needed(session, request, found.sealed_to):
        return
    _erase(session, request)
    session.add(found)
    session.flush()
    for number, one in enumerate(pictures):
        session.add(
            Preview(
                id=one.id,
                request_id=request.id,
                digest=request.digest,
                number=number,
                position=one.position,
                width=one.width,
                height=one.height,
                sealed=one.sealed,
            )
        )
    counted = {"objects": len(pictures), "looked": found.looked, "unreadable": found.unreadable}
    ids = [one.id for one in pictures]
    unit.audit(ACTOR, "previews.made", request.id, asked_by=found.asked_by, previews=ids, **counted)
    unit.tell(
        "previews.made",
        request.id,
        partner_id=request.partner_id,
        request_id=request.id,
        objects=len(pictures),
    )


def previews_view(session: Session, request: Request, sealed_to: str) -> View:
    """The pictures that may be shown now. One whose subject's consent has ended since is not among
    them. `looked_at` is null where nobody has asked for any yet."""
    found = look(session, request, sealed_to)
    shown = _standing(session, request) if found else []
    return {
        "looked_at": found.made_at if found else None,
        "looked": found.looked if found else 0,
        "unreadable": found.unreadable if found else 0,
        "items": [
            {
                "id": one.id,
                "width": one.width,
                "height": one.height,
                "href": f"/v1/requests/{request.id}/previews/{one.id}",
            }
            for one in shown
        ],
    }


def opened(session: Session, request: Request, preview_id: str, sealed_to: str) -> Preview:
    """One picture that may be shown now; raises NotFound."""
    if look(session, request, sealed_to) is not None:
        for one in _standing(session, request):
            if one.id == preview_id:
                return one
    raise NotFound("photo", preview_id)


def new_made(position: int, width: int, height: int) -> Made:
    """A picture's name and measures, before it is sealed."""
    return Made(new_id("prv"), position, width, height, b"")


def _rows(session: Session, request: Request) -> list[Preview]:
    wanted = select(Preview).where(
        Preview.request_id == request.id, Preview.digest == request.digest
    )
    return list(session.exec(wanted.order_by(col(Preview.number))))


def _standing(session: Session, request: Request) -> list[Preview]:
    """Pictures of people whose consent to exactly this is active at this moment."""
    rows, revision = _rows(session, request), requests.revision_row(session, request)
    dataset = session.get_one(Dataset, revision.dataset_id)
    of = select(DatasetObject.position, DatasetObject.subject).where(
        DatasetObject.dataset_id == revision.dataset_id,
        DatasetObject.index_version == revision.index_version,
        col(DatasetObject.position).in_([row.position for row in rows]),
    )
    subjects = dict(session.exec(of).all())
    asked = consents.questions(session, revision.body, dataset, request.partner_id)
    said, at = consents.of_subjects(session, sorted(set(subjects.values()))), now()
    return [
        row
        for row in rows
        if (subject := subjects.get(row.position)) is not None
        and verify_all(asked, said.get(subject, ()), at).excluded is None
    ]


def _erase(session: Session, request: Request) -> None:
    for table in (Preview, PreviewLook):
        session.execute(delete(table).where(col(table.request_id) == request.id))
