"""Datasets: what is held, and the scan that notes every object of it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlmodel import Session, col, select
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, json_answer, page
from api.dependencies import Call
from api.fields import Body, CategoryTerm, Flag, Line, PurposeTerm, line
from api.guard import GuardedRoute
from api.idempotency import Answer, Json
from sharing.errors import NotFound, Refused, bad_field
from sharing.export.subject_from import check_subject_from
from sharing.forms import form
from sharing.offered import NAME, TAKEN
from sharing.records import by_names, datasets, notices
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


def _form(value: str) -> str:
    return str(form(value))


Place = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(line)]
FormName = Annotated[Line, AfterValidator(_form)]


class NewColumn(Body):
    """A column that may be read. `forms`: those it may be given in, the usual first; or `drop`."""

    name: Annotated[Line, StringConstraints(pattern=NAME)]
    category: CategoryTerm
    forms: Annotated[tuple[FormName, ...], Field(min_length=1, max_length=20)] = ("keep",)

    @model_validator(mode="after")
    def _usable(self) -> "NewColumn":
        if self.name in TAKEN:
            raise ValueError(f"{self.name!r} means something else in a package: rename the column.")
        if len(set(self.forms)) < len(self.forms):
            raise ValueError("a form is named twice; name each once.")
        if "drop" in self.forms and len(self.forms) > 1:
            raise ValueError("what is dropped has no other form: leave `drop` out, or the rest.")
        return self


class NewTable(Body):
    """One row a subject: Parquet at a `location` of the store, or a `source` that the export worker
    knows. `subject`: the column that says whom a row is about. Only declared columns are read."""

    location: Place | None = None
    source: Line | None = None
    subject: Line
    columns: Annotated[tuple[NewColumn, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _one_place(self) -> "NewTable":
        if (self.location is None) == (self.source is None):
            raise ValueError("give either `location` or `source`.")
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError("a column is named twice; name each once.")
        if all(column.forms == ("drop",) for column in self.columns):
            raise ValueError("every column is dropped: then there is nothing to ask for.")
        return self


class NewDataset(Body):
    """A folder of objects of one data category, a `table`, or both, joined by subject. `purposes`:
    those it may be shared for, if it says.

    `subject_from`: `path:{subject}/*`, or the name of an index file in the folder. A table alone
    has neither that nor a `location`.
    """

    name: Annotated[Line, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    location: Annotated[Place, AfterValidator(_without_keys)] | None = None
    category: CategoryTerm
    special_category: Flag
    subject_from: Annotated[Line, AfterValidator(_followable)] | None = None
    table: NewTable | None = None
    purposes: Annotated[list[PurposeTerm], Field(min_length=1, max_length=100)] | None = None

    @property
    def photos(self) -> bool:
        """True if any of it speaks of a folder."""
        return self.location is not None or self.subject_from is not None


@router.post("", name="datasets.create", status_code=201)
async def create(body: NewDataset, call: Call) -> Response:
    """Adds a dataset. It is not scanned yet."""

    def work(unit: Unit) -> Json:
        if datasets.named(unit.session, body.name) is not None:
            raise Refused("exists", f"There is a dataset {body.name!r} already.")
        for name in ("location", "subject_from"):
            if getattr(body, name) is None and (body.table is None or body.photos):
                raise bad_field(name, "is required: or give a `table` and neither of the two.")
        given = body.model_dump(mode="json", exclude={"table", "location", "subject_from"})
        dataset = datasets.add(
            unit.session,
            **given,
            location=body.location or "",
            subject_from=body.subject_from or "",
            tabular=body.table.model_dump(mode="json") if body.table else None,
        )
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
    after = (decoded(cursor, (str,)) or [""])[0]
    found = await call.read(lambda s: listing(s, call.principal.role, after, limit + 1))
    return page(found[:limit], [found[limit - 1]["name"]] if len(found) > limit else None)


def listing(session: Session, role: Role, after: str, limit: int, search: str = "") -> list[Json]:
    """Datasets behind a name, as a role sees them; `search`: a part of the name."""
    statement = select(Dataset).where(col(Dataset.name) > after)
    if search:
        statement = statement.where(by_names.called(Dataset.name, search))
    rows = session.exec(statement.order_by(Dataset.name).limit(limit))
    return [_view(dataset, role) for dataset in rows]


@router.get("/{name}", name="datasets.show")
async def show(name: str, call: Call) -> Response:
    """One dataset, by name or id; for people inside with the notices that speak of its data."""
    return json_answer(await call.read(lambda session: whole(session, name, call.principal.role)))


def whole(session: Session, name: str, role: Role) -> Json:
    """One dataset by name or id as a role sees it, or NotFound."""
    dataset = _named(session, name)
    view = _view(dataset, role)
    if role is Role.PARTNER:
        return view
    told = notices.telling(session, dataset.category, dataset.purposes or ())
    return view | {
        "notices": [
            {
                "name": one.name,
                "version": one.version,
                "stands": one.stands,
                "purposes": one.purposes,
                "categories": one.categories,
            }
            for one in told
        ]
    }


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
        "fields": _fields(dataset),
        "indexed_at": dataset.indexed_at,
        "created_at": dataset.created_at,
    }
    if role is Role.PARTNER:
        return view
    view |= {
        "subject_from": dataset.subject_from or None,
        "index_version": dataset.index_version,
        "objects": dataset.objects,
        "subjects": dataset.subjects,
        "bytes": dataset.bytes,
    }
    table = dict(dataset.tabular) if dataset.tabular else None
    if role in MAY_SEE_LOCATION:
        return view | {"location": dataset.location or None, "table": table}
    hidden = {"location", "source"}
    return view | {"table": table and {n: v for n, v in table.items() if n not in hidden}}


def _fields(dataset: Dataset) -> list[Json]:
    """What a scope may name: each field with its forms, the usual one first, and its category."""
    offer = datasets.offer_of(dataset)
    return [
        {
            "name": name,
            "forms": [str(one) for one in forms],
            "category": offer.asked([name])[0].category,
        }
        for name, forms in offer.fields().items()
    ]
