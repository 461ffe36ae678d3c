"""All tables in one place: what migrations compare the database with."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from sharing.records import (  # noqa: F401  (importing a noun declares its tables)
    acceptance_links,
    acceptances,
    accounts,
    acknowledgements,
    agreements,
    audit,
    canaries,
    claims,
    clearances,
    consent_sources,
    consents,
    datasets,
    decisions,
    delegations,
    events,
    exports,
    heads,
    idempotency,
    interest_ends,
    interests,
    late_interests,
    ledger,
    notices,
    organisations,
    parties,
    partner_keys,
    policies,
    pressure,
    pseudonym_keys,
    pulses,
    recalls,
    register,
    reports,
    requests,
    rulings,
    sign_offs,
    signing_keys,
    statements,
    waivers,
)

METADATA: MetaData = SQLModel.metadata
