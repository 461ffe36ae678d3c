"""Consent reports: what a request's scope came to, each time that its consent was counted."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import json_answer
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import reports, requests
from sharing.records.reports import ConsentReport

router = APIRouter(prefix="/v1/requests", tags=["consent"], route_class=GuardedRoute)


@router.get("/{request_id}/consent-reports", name="consent_reports.list")
async def listed(request_id: str, call: Call) -> Response:
    """Every count of this request's scope, oldest first: at submission, at the gate, at trigger."""
    found = await call.read(
        lambda s: reports.of_request(s, requests.get(s, request_id).id),
    )
    return json_answer({"items": [_view(report) for report in found], "next": None})


def _view(report: ConsentReport) -> Json:
    return report.model_dump(exclude={"request_id"})
