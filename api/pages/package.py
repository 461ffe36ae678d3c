"""The page of a delivered package: its files by links that run out, and the partner's word on what
it received."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from pydantic import ValidationError
from pydantic_core import from_json
from sqlmodel import Session
from starlette.responses import Response

from api.pages.acts import back_to
from api.pages.ask_form import number
from api.pages.doors import Visit, hang
from api.pages.frame import page
from api.problems import field_errors
from api.routes import acknowledgements, packages
from api.routes.acknowledgements import NewAcknowledgement
from api.routes.exports import own_export
from sharing.errors import Refused
from sharing.records.acknowledgements import delivered
from sharing.records.export_views import export_view
from sharing.request import moment

PAGE = 100
AWAY = frozenset({"not_served_here", "store_away"})
SHA256 = "must be 64 small letters and digits, as sha256sum prints them."


def add_to(app: FastAPI) -> None:
    """Hangs the page into the application."""
    hang(app, "/exports/{export_id}/package", "pages.package", _package)
    hang(app, "/exports/{export_id}/acknowledge", "exports.acknowledge", _acknowledge, "POST")


async def _package(visit: Visit) -> Response:
    return await _shown(visit, 200)


async def _acknowledge(visit: Visit) -> Response:
    export_id = visit.call.path_params["export_id"]
    said: dict[str, Any] = {"manifest_sha256": visit.sent("manifest_sha256").lower()}
    said["objects"] = number(visit.sent("objects"))
    try:
        body = NewAcknowledgement.model_validate(said)
    except ValidationError as invalid:
        wrong = {one.path: one.message for one in field_errors(invalid, NewAcknowledgement)}
        if "manifest_sha256" in wrong:
            wrong["manifest_sha256"] = SHA256
        return await _shown(visit, 422, {name: f"This {words}" for name, words in wrong.items()})
    answer = await acknowledgements.acknowledge(export_id, body, visit.call)
    outcome = from_json(bytes(answer.body))["outcome"]
    return back_to(f"/exports/{export_id}/package", outcome)


async def _shown(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    values = await visit.call.read(lambda session: _all(session, visit))
    files, elsewhere = await _files(visit)
    return page(
        "package.html", status, visit=visit, errors=errors or {}, package=files,
        elsewhere=elsewhere, **values,
    )  # fmt: skip


def _all(session: Session, visit: Visit) -> dict[str, Any]:
    request, export = own_export(session, visit.call, visit.call.path_params["export_id"])
    delivered(session, export)
    return {"r": request, "e": export_view(session, export, inside=False)}


async def _files(visit: Visit) -> tuple[dict[str, Any], str]:
    """One page of files as the call lists them, each link without its server; or why none can be
    given here."""
    after = visit.call.query_params.get("after")
    try:
        answer = await packages.package(
            visit.call.path_params["export_id"], visit.call, PAGE, after, None
        )
    except Refused as refused:
        if refused.code not in AWAY:
            raise
        return {}, refused.detail
    listed: dict[str, Any] = from_json(bytes(answer.body))
    listed["expires_at"] = moment(listed["expires_at"])
    for file in listed["files"]:
        file["url"] = urlsplit(file["url"]).path
    return listed, ""
