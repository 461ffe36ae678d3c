"""Datasets: what is held, and the scan that notes every object of it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, Field, StringConstraints
from sqlmodel import Session, col, select
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, json_answer, page
from api.dependencies import Call
from api.fields import Body, CategoryTerm, Flag, Line, PurposeTerm, line
from api.guard import GuardedRoute
from api.idempotency import Answer, Json
from sharing.errors import NotFound, Refused
from sharing.export.subject_from import check_subject_from
from sharing.records import datasets
from sharing.records.datasets import Dataset
from sharing.records.unit import Unit
from sharing.stages import Role

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=GuardedRoute)

INDEX_WAIT = timedelta(seconds=20)
# Where the objects lie is for those who run the place, not for those who ask or review.
MAY_SEE_LOCATION = frozenset({Role.ADMIN, Role.ENGINEER, Role.AUDITOR})


def _followable(value: str) -> str:
    try:
        check_subject_from(value)
    except Refused as refused:
        raise ValueError(refused.errors[0].message) from None
    return value


def _without_keys(value: str) -> str:
    if "://" in value and "@" in value:
        raise ValueError("must hold no keys: who we are to a store is in the worker's environment.")
    return value


class NewDataset(Body):
    """A folder of objects of one data category. `purposes`: those it may be shared for, if it says.

    `subject_from`: `path:{subject}/*`, or the name of an index file in the folder.
    """

    name: Annotated[Line, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    location: Annotated[
        str,
        StringConstraints(min_length=1, max_length=1000),
        AfterValidator(line),
        AfterValidator(_without_keys),
    ]
    category: CategoryTerm
    special_category: Flag
    subject_from: Annotated[Line, AfterValidator(_followable)]
    purposes: Annotated[list[PurposeTerm], Field(min_length=1, max_length=100)] | None = None


@router.post("", name="datasets.create", status_code=201)
async def create(body: NewDataset, call: Call) -> Response:
    """Adds a dataset. It is not scanned yet."""

    def work(unit: Unit) -> Json:
        if datasets.named(unit.session, body.name) is not None:
            raise Refused("exists", f"There is a dataset {body.name!r} already.")
        dataset = datasets.add(unit.session, **body.model_dump())
        unit.audit(call.principal.id, "dataset.added", dataset=dataset.id)
        unit.tell("dataset.added", dataset.id)
        return _view(dataset, call.principal.role)

    return await call.create(work)


@router.post("/{name}/index", name="datasets.index")
async def index(name: str, call: Call) -> Response:
    """Scans a dataset: 200 when that is done, 202 while a long scan goes on."""
    dataset = await call.read(lambda session: _named(session, name))

    async def doing() -> Answer:
        await call.log("dataset.index_ordered", dataset=dataset.id)
        done = await call.backend.engine.index_dataset(dataset.id, INDEX_WAIT)
        scanned = await call.read(lambda session: _named(session, name))
        return Answer(200 if done else 202, _view(scanned, call.principal.role))

    return await call.act(doing)


@router.get("", name="datasets.list")
async def listed(call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All datasets by name."""
    after = decoded(cursor, (str,)) or [""]

    def query(session: Session) -> list[Json]:
        rows = session.exec(
            select(Dataset)
            .where(col(Dataset.name) > after[0])
            .order_by(Dataset.name)
            .limit(limit + 1)
        )
        return [_view(dataset, call.principal.role) for dataset in rows]

    found = await call.read(query)
    return page(found[:limit], [found[limit - 1]["name"]] if len(found) > limit else None)


@router.get("/{name}", name="datasets.show")
async def show(name: str, call: Call) -> Response:
    """One dataset, by name or id."""
    return json_answer(
        await call.read(lambda session: _view(_named(session, name), call.principal.role))
    )


def _named(session: Session, name: str) -> Dataset:
    dataset = datasets.named(session, name)
    if dataset is None:
        raise NotFound("dataset", name)
    return dataset


def _view(dataset: Dataset, role: Role) -> Json:
    """What a partner needs in order to ask, and for people inside how much there is of it."""
    view: Json = {
        "id": dataset.id,
        "name": dataset.name,
        "category": dataset.category,
        "special_category": dataset.special_category,
        "purposes": dataset.purposes,
        "indexed_at": dataset.indexed_at,
        "created_at": dataset.created_at,
    }
    if role is Role.PARTNER:
        return view
    view |= {
        "subject_from": dataset.subject_from,
        "index_version": dataset.index_version,
        "objects": dataset.objects,
        "subjects": dataset.subjects,
        "bytes": dataset.bytes,
    }
    return view | ({"location": dataset.location} if role in MAY_SEE_LOCATION else {})
