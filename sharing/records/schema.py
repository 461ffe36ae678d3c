"""All tables in one place: what migrations compare the database with."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from sharing.records import (  # noqa: F401  (importing a noun declares its tables)
    accounts,
    agreements,
    audit,
    clearances,
    consent_sources,
    consents,
    datasets,
    decisions,
    events,
    exports,
    heads,
    interests,
    late_interests,
    ledger,
    notices,
    parties,
    pressure,
    recalls,
    register,
    reports,
    requests,
    sign_offs,
    signing_keys,
    statements,
    waivers,
)

METADATA: MetaData = SQLModel.metadata
