"""Comments, as they are kept: each for good, in the order in which they were written."""

from datetime import datetime

from sqlmodel import (
    CheckConstraint,
    Field,
    ForeignKeyConstraint,
    Session,
    SQLModel,
    col,
    or_,
    select,
)

from sharing.comments import (
    SILENT,
    Audience,
    demand_field,
    demand_open,
    reads_internal,
    waits_for_change,
)
from sharing.records import lookback, parties, requests
from sharing.records.requests import Request
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.records.viewer import View, Viewer
from sharing.stages import RequestState, Role

Place = tuple[datetime, str]
ALL = 10_000


class Comment(SQLModel, table=True):
    """What somebody said of a request. `author_id`: a person, or the partner itself. `revision`:
    the one they had before them. `field`: the answer that it is about, such as `scope.limit`."""

    __tablename__ = "comment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "revision"],
            ["revision.request_id", "revision.number"],
            name="fk_comment_revision",
        ),
        CheckConstraint("audience IN ('internal', 'partner')", name="audience"),
        CheckConstraint("length(text) > 0", name="text"),
    )
    id: str = Field(primary_key=True)
    request_id: str = Field(index=True)
    revision: int
    audience: str
    author_id: str
    role: str
    field: str | None = None
    stage: str | None = None
    text: str
    at: datetime


def add(
    unit: Unit,
    request: Request,
    author: tuple[str, Role],
    audience: Audience,
    text: str,
    *,
    field: str | None = None,
    stage: str | None = None,
) -> Comment:
    """Keeps a comment; raises Refused. The log and the events say that there is one, and where,
    not what it says."""
    demand_open(RequestState(request.state))
    demand_field(field, lookback.flat(requests.revision_row(unit.session, request).body))
    row = Comment(
        id=new_id("com"),
        request_id=request.id,
        revision=request.revision,
        audience=audience,
        author_id=author[0],
        role=author[1],
        field=field,
        stage=stage,
        text=text,
        at=now(),
    )
    unit.session.add(row)
    unit.session.flush()
    where = {name: said for name, said in (("field", field), ("stage", stage)) if said}
    unit.audit(author[0], "comment.added", request.id, comment=row.id, audience=audience, **where)
    _tell(unit, request, row)
    return row


def _tell(unit: Unit, request: Request, row: Comment) -> None:
    where = {"field": row.field, "stage": row.stage}
    data = {name: said for name, said in where.items() if said}
    if row.role != Role.PARTNER:
        data["person"] = row.author_id
    about = {"partner_id": request.partner_id, "request_id": request.id}
    if row.audience == Audience.PARTNER:
        unit.tell("comment.sent", row.id, **about, **data)
    else:
        unit.tell("comment.added", row.id, **about, **data)


def page(
    viewer: Viewer,
    request: Request,
    *,
    internal: bool,
    after: Place | None = None,
    limit: int = ALL,
) -> list[View]:
    """A request's comments behind a place, the oldest first; the internal ones only where asked."""
    rows = select(Comment).where(Comment.request_id == request.id)
    if not internal:
        rows = rows.where(Comment.audience == Audience.PARTNER)
    if after is not None:
        at, last = after
        rows = rows.where(
            or_(col(Comment.at) > at, (col(Comment.at) == at) & (col(Comment.id) > last))
        )
    found = viewer.session.exec(rows.order_by(col(Comment.at), col(Comment.id)).limit(limit))
    return [comment_view(viewer, row, request) for row in found]


def comment_view(viewer: Viewer, row: Comment, request: Request) -> View:
    """One comment; `open` while the partner has not changed its request since, and could. A partner
    sees the role of who wrote it inside, not the person."""
    now = (request.revision, request.state)
    shown: View = {
        "id": row.id,
        "request": row.request_id,
        "revision": row.revision,
        "audience": row.audience,
        "author": row.author_id if viewer.inside else row.role,
        "role": row.role,
        "field": row.field,
        "stage": row.stage,
        "text": row.text,
        "at": row.at,
        "open": waits_for_change(row.role, row.audience, row.revision, now),
    }
    named = viewer.inside or row.role == Role.PARTNER
    return {**shown, **({"author_name": viewer.name(row.author_id)} if named else {})}


def is_open(request: Request) -> bool:
    """True while something can be added."""
    return RequestState(request.state) not in SILENT


def may_read_internal(session: Session, request: Request, viewer_id: str) -> bool:
    """True for somebody inside without a hand in the request's interests."""
    actor = parties.actor(session, viewer_id)
    return actor is not None and reads_internal(actor, requests.case(session, request))
