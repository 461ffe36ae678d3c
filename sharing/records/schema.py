"""All tables in one place: what migrations compare the database with."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from sharing.records import (  # noqa: F401  (importing a noun declares its tables)
    agreements,
    audit,
    clearances,
    consent_sources,
    consents,
    datasets,
    events,
    exports,
    heads,
    interests,
    ledger,
    notices,
    organisations,
    parties,
    recalls,
    reports,
    requests,
    rulings,
    signing_keys,
)

METADATA: MetaData = SQLModel.metadata
