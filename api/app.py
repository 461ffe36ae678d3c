"""The application: every route, behind one guard, with one database and one engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from api import problems
from api.backend import Backend, backend
from api.described import SECURITY_SCHEMES
from api.engine import Engine, Temporal
from api.pages import agreement, home, refusals
from api.routes import (
    acceptance_links,
    acknowledgements,
    agreements,
    audit,
    canaries,
    checks,
    claims,
    comments,
    compatibility,
    consent_reports,
    consents,
    datasets,
    decisions,
    delegations,
    drafts,
    dry_runs,
    duties,
    events,
    export_details,
    exports,
    health,
    interest_ends,
    interests,
    keys,
    links,
    me,
    notices,
    organisations,
    own_consents,
    own_shares,
    packages,
    partner_keys,
    partners,
    people,
    policies,
    pressure_notes,
    previews,
    public_register,
    recalls,
    receipts,
    register,
    requests,
    reviews,
    risks,
    rulings,
    screenings,
    sign_in_links,
    steering,
    tokens,
    upkeep,
    waivers,
)
from sharing.records.database import Database, StorageFailed
from sharing.settings import Settings

# An address is looked for in this order: what is called most comes first.
ROUTES = (
    checks,
    requests,
    drafts,
    duties,
    decisions,
    agreements,
    acceptance_links,
    interests,
    interest_ends,
    register,
    waivers,
    pressure_notes,
    previews,
    consents,
    consent_reports,
    reviews,
    claims,
    comments,
    exports,
    export_details,
    steering,
    dry_runs,
    packages,
    acknowledgements,
    canaries,
    recalls,
    public_register,
    events,
    partners,
    partner_keys,
    organisations,
    rulings,
    screenings,
    risks,
    people,
    delegations,
    links,
    tokens,
    sign_in_links,
    policies,
    datasets,
    notices,
    compatibility,
    me,
    own_consents,
    own_shares,
    receipts,
    audit,
    upkeep,
    keys,
    health,
)
DESCRIPTION = """May this partner have our users' data? Four gates decide; then an engineer triggers
an export that is checked subject by subject, sealed, and verifiable.

Send `Authorization: Bearer <token>`. Every POST takes an `Idempotency-Key`: the same key with the
same body has one effect and the same answer. Lists are paged: give `next` back as `cursor`.
Errors are `application/problem+json` with a `code` for programs and a `detail` for people."""


def _with_bearer(app: FastAPI) -> None:
    """The page at /docs then has a place for a token."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        told = make()
        told.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
        return told

    app.openapi = openapi  # type: ignore[method-assign]


async def _known(here: Backend) -> None:
    try:
        await here.register_keys()
    except StorageFailed as failure:
        raise StorageFailed(
            f"{failure} If this database is new, run `clearance migrate` first."
        ) from failure


def create_app(settings: Settings, engine: Engine | None = None) -> FastAPI:
    """The API and its pages; `engine` is Temporal at the settings' address unless given.

    Raises sharing.keys.KeyProblem if the decision key is absent. Start-up fails if the database
    has no schema: run `clearance migrate` first.
    """
    here = backend(settings, Database(settings.database_url), engine or Temporal(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with here.database:
            await _known(here)
            yield

    app: FastAPI = FastAPIOffline(
        title="Clearance",
        description=DESCRIPTION,
        version="1",
        lifespan=lifespan,
        redoc_url=None,
        telemetry={"logs": False},
    )
    app.state.backend = here
    for noun in ROUTES:  # flat, not nested: an address is then matched in half the time
        app.router.routes.extend(noun.router.routes)
    home.add_to(app)
    agreement.add_to(app)
    _with_bearer(app)
    app.add_exception_handler(HTTPException, refusals.lost)
    app.add_exception_handler(RequestValidationError, problems.handle)
    app.add_exception_handler(Exception, problems.handle)
    return app
