"""Datasets for people: what is held, what may be asked of it, and which notices speak of it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from starlette.responses import Response

from api.answers import decoded, encoded
from api.pages.acts import back_to, made, tried
from api.pages.doors import Visit, hang
from api.pages.records import PAGE, address, asked, record
from api.routes import datasets
from api.routes.datasets import NewDataset
from sharing.errors import bad_field
from sharing.vocabulary import CATEGORIES, PURPOSES


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    hang(app, "/datasets", "pages.datasets", _list)
    hang(app, "/datasets", "datasets.create", _add, "POST")
    hang(app, "/datasets/{name}", "pages.dataset", _one)
    hang(app, "/datasets/{name}/index", "datasets.index", _index, "POST")


async def _list(visit: Visit) -> Response:
    return await listed(visit, 200)


async def listed(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    """The list as the address asks for it."""
    search = asked(visit, "q")
    after = (decoded(visit.call.query_params.get("after"), (str,)) or [""])[0]
    found = await visit.call.read(
        lambda s: datasets.listing(s, visit.role, after, PAGE + 1, search)
    )
    following = encoded([found[PAGE - 1]["name"]]) if len(found) > PAGE else ""
    return record(
        "datasets.html",
        status,
        visit,
        errors,
        datasets=found[:PAGE],
        search=search,
        categories=CATEGORIES,
        following=address("/datasets", q=search, after=following) if following else "",
    )


async def _one(visit: Visit) -> Response:
    name = visit.call.path_params["name"]
    dataset = await visit.call.read(lambda s: datasets.whole(s, name, visit.role))
    return record("dataset.html", 200, visit, dataset=dataset)


async def _add(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(
            NewDataset,
            name=visit.sent("name"),
            category=visit.sent("category"),
            special_category=visit.sent("special_category") == "yes",
            location=visit.sent("location") or None,
            subject_from=visit.sent("subject_from") or None,
            table=_table(visit.sent("table")),
            purposes=_purposes(visit.sent("purposes")),
        )
        await datasets.create(body, visit.call)
        return back_to(f"/datasets/{quote(body.name)}", "dataset_added")

    return await tried(visit, "datasets.create", act, lambda s, e: listed(visit, s, e))


def _table(text: str) -> dict[str, Any] | None:
    """A table as it is typed: the JSON that the call takes."""
    if not text:
        return None
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as failure:
        raise bad_field("table", f"is not JSON: {str(failure)[:120]}.") from None
    if not isinstance(table, dict):
        raise bad_field("table", "must be a JSON object.")
    return table


def _purposes(text: str) -> list[str] | None:
    """Terms as they are typed, with a space or a comma between them."""
    named = text.replace(",", " ").split()
    for one in named:
        if one not in PURPOSES:
            raise bad_field("purposes", f"{one} is no known purpose: try ai:ModelTraining.")
    return named or None


async def _index(visit: Visit) -> Response:
    name = visit.call.path_params["name"]
    answer = await datasets.index(name, visit.call)
    return back_to(
        f"/datasets/{quote(name)}", "indexed" if answer.status_code == 200 else "indexing"
    )
