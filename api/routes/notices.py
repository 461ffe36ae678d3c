"""Notices: what people were told about the use of their data, version by version."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session, select, tuple_
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.fields import Body, CategoryTerm, Day, Line, LongText, PurposeTerm
from api.guard import GuardedRoute
from api.idempotency import Json
from api.languages import Language, Texts
from sharing.errors import Refused, bad_field
from sharing.notice import Version
from sharing.promise import Promise
from sharing.records import notices
from sharing.records.notices import Notice, NoticeText
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/notices", tags=["consent"], route_class=GuardedRoute)


class NewNotice(Body):
    """One version of a notice, and the purposes and data categories that it names. `text` is in
    `language`; `texts` has the same words in others. `promises` are what it promised besides, and
    `in_force_*` the first and the last day on which data was collected under it."""

    name: Line
    version: Line
    text: LongText
    language: Language = "en"
    texts: Texts
    purposes: Annotated[list[PurposeTerm], Field(min_length=1, max_length=100)]
    categories: Annotated[list[CategoryTerm], Field(min_length=1, max_length=100)]
    promises: Annotated[tuple[Promise, ...], Field(max_length=10)] = ()
    in_force_from: Day | None = None
    in_force_until: Day | None = None


@router.post("", name="notices.create", status_code=201)
async def create(body: NewNotice, call: Call) -> Response:
    """Adds a version of a notice; it never changes afterwards."""

    if body.texts.get(body.language, body.text) != body.text:
        raise bad_field(f"texts.{body.language}", "is not `text`, which is in this language.")
    if body.in_force_from and body.in_force_until and body.in_force_until < body.in_force_from:
        raise bad_field("in_force_until", "is before `in_force_from`: give the later day here.")

    def work(unit: Unit) -> Json:
        if unit.session.get(Notice, (body.name, body.version)) is not None:
            raise Refused(
                "exists",
                f"{body.name} {body.version} was given already: a notice never "
                "changes, so give the new text a new version.",
            )
        notice = notices.add(unit.session, **body.model_dump())
        texts = notices.texts(unit.session, [(body.name, body.version)])
        unit.audit(
            call.principal.id,
            "notice.added",
            notice=body.name,
            version=body.version,
            text_sha256=notice.text_sha256,
            languages=sorted({body.language, *body.texts}),
        )
        unit.tell("notice.added", body.name, version=body.version)
        return _view(notice, texts)

    return await call.create(work)


@router.get("", name="notices.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    name: Annotated[str, Query(max_length=200, description="Only versions of this one.")] = "",
) -> Response:
    """All notices, by name and version."""
    after = decoded(cursor, (str, str)) or ["", ""]
    found = await call.read(lambda session: listing(session, limit + 1, after, name))
    last = found[limit - 1] if len(found) > limit else None
    return page(found[:limit], [last["name"], last["version"]] if last else None)


def listing(session: Session, limit: int, after: Sequence[str], name: str = "") -> list[Json]:
    """Versions of notices behind a name and version, or of one notice."""
    place = tuple_(Notice.name, Notice.version)
    statement = select(Notice).where(place > tuple_(*after))
    if name:
        statement = statement.where(Notice.name == name)
    rows = session.exec(statement.order_by(Notice.name, Notice.version).limit(limit)).all()
    texts = notices.texts(session, [(notice.name, notice.version) for notice in rows])
    return [_view(notice, texts) for notice in rows]


def _view(notice: Notice, texts: Mapping[Version, Mapping[str, NoticeText]]) -> Json:
    mine = texts[notice.name, notice.version]
    return {
        "name": notice.name,
        "version": notice.version,
        "text": notice.text,
        "text_sha256": notice.text_sha256,
        "language": notices.language_of(notice, mine),
        "texts": {tag: said.text for tag, said in mine.items()},
        "texts_sha256": {tag: said.text_sha256 for tag, said in mine.items()},
        "purposes": notice.purposes,
        "categories": notice.categories,
        "promises": notice.promises or [],
        "in_force_from": notice.in_force_from,
        "in_force_until": notice.in_force_until,
        "created_at": notice.created_at,
    }
