"""What all pages of records share: people, partners, datasets, notices, organisations, the policy
and the log stand side by side."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from api.auth import LOG_READERS
from api.pages import record_words
from api.pages.acts import Errors
from api.pages.doors import Visit
from api.pages.frame import page
from sharing.stages import Role

TABS = {
    "/people": "People",
    "/partners": "Partners",
    "/datasets": "Datasets",
    "/notices": "Notices",
    "/organisations": "Organisations",
    "/policy": "Policy",
}
LOG = {"/audit": "Audit log"}
LONGEST = 200
PAGE = 15


def record(
    template: str,
    status: int,
    visit: Visit,
    errors: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """A page of records; with `errors`, what was sent is still in the form."""
    tabs = {**TABS, **LOG} if visit.role in LOG_READERS else TABS
    return page(
        template,
        status,
        visit=visit,
        tabs=tabs,
        errors=Errors(errors or {}),
        texts=record_words,
        is_admin=visit.role is Role.ADMIN,
        **values,
    )


def asked(visit: Visit, name: str) -> str:
    """What the address says of a filter; too long a text is cut."""
    return visit.call.query_params.get(name, "")[:LONGEST].strip()


def address(path: str, **query: str) -> str:
    """A page with filters, those left out that say nothing."""
    said = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(said)}" if said else path
