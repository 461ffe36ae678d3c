"""One frozen Settings, read once from the environment. Unknown CLEARANCE_* names are an error:
a misspelt setting that is silently ignored is how a safeguard gets switched off."""

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from sharing.calendar import Calendar, holidays
from sharing.patience import DEFAULTS, Patience, Unit
from sharing.stages import GATES, Stage

PREFIX = "CLEARANCE_"
DAYS_MOST = 36_500.0  # a hundred years: further away than any calendar arithmetic here goes wrong
BYTES_MOST = 10**15
MOST = {
    "BYTES_MAX": BYTES_MOST,
    "SECOND": BYTES_MOST,
    "BYTES": 2**40,
    "SHARDS": 1_000,
    "OBJECTS": 100_000,
    "PROCESSES": 256,
    "SECONDS": 3_600,
    "DAYS": DAYS_MOST,
    "MAX": DAYS_MOST,
}
ACCEPTANCES = ("submission", "signature")
DATABASES = ("sqlite+aiosqlite:///", "postgresql+asyncpg://")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(ValueError):
    """A setting that cannot be used: names the variable and the cure."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs from one place to another. Keys are never shown in `repr`."""

    home: Path = Path(".clearance")
    database_url: str = ""
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_ui_url: str = ""  # API: where the engine's own pages are; none: no link to them
    store_url: str = ""
    delivery_url: str = ""
    api_url: str = "http://127.0.0.1:8080"
    token: str = field(default="", repr=False)
    controller: str = ""  # who decides on the data, as consent receipts name it
    # Secrets: base64 of 32 bytes, or the path of a file that holds it.
    decision_key: str = field(default="", repr=False)  # API: signs what travels through Temporal
    signing_key: str = field(default="", repr=False)  # export worker: seals packages
    pseudonym_key: str = field(default="", repr=False)  # export worker: names subjects per partner
    payload_keys: str = field(default="", repr=False)  # comma separated; the first one encrypts
    # API: by what it reads packages in S3, as ID:SECRET or a file with that; none: AWS_*.
    delivery_read_key: str = field(default="", repr=False)
    # Deadlines, in days; fractions are allowed.
    stage_days: float = 14.0
    purpose_review_days: float | None = None
    consent_verification_days: float | None = None
    conflict_signoff_days: float | None = None
    legal_approval_days: float | None = None
    deadline_unit: str = Unit.DAYS
    holidays: str = ""  # comma separated
    returned_days: float = 30.0
    clearance_days: float = 30.0
    retention_days_max: int = 1825
    shard_objects: int = 1250
    shard_bytes: int = 268_435_456
    window_shards: int = 16
    # Files that consent is judged by: own terms beside the packaged ones, own rules in their place.
    vocabulary: Path | None = None
    jurisdictions: Path | None = None
    # The agreement: a template in the place of the packaged one, and what accepts it as it is.
    agreement_template: Path | None = None
    agreement_acceptance: str = "submission"
    object_seconds: float = 120.0
    table_sources: Path | None = None  # a file: databases whose rows are datasets' tables
    pack_processes: int | None = None  # none: one for each core
    export_bytes_per_second: int | None = None  # of one export worker; none: as fast as it goes
    staging_bytes_max: int | None = None  # of all exports under way together; none: the disk
    takeover_seconds: float = 10.0  # an export worker that is silent for longer counts as dead
    # A consent source kept elsewhere; without an address the ledger stands alone.
    consent_source_url: str = ""
    consent_source_key: str = ""  # public: base64 of the 32 bytes that the feed's answers verify by
    consent_source_token: str = field(default="", repr=False)
    consent_source_seconds: float = 30.0  # how old the last complete answer may be
    # API: an identity provider (OpenID Connect) by which people inside sign in; none: links only.
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)  # or a file that holds it
    oidc_claim: str = "email"  # which of its claims says who somebody here is
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Reads CLEARANCE_*; raises SettingsError naming the variable that is wrong."""
        environ = os.environ if environ is None else environ
        known = {f"{PREFIX}{f.name.upper()}": f for f in fields(cls)}
        given: dict[str, object] = {}
        for name, text in environ.items():
            if not name.startswith(PREFIX):
                continue
            if name not in known:
                raise SettingsError(f"{name} is not a setting of Clearance. {_hint(name, known)}")
            if text != "":
                given[known[name].name] = _parsed(name, text, known[name].type)
        return cls(**given).resolved()  # type: ignore[arg-type]

    def resolved(self) -> "Settings":
        """The same settings with every default that depends on `home` filled in."""
        home = self.home.expanduser().resolve()
        if self.oidc_issuer and not self.oidc_client_id:
            raise SettingsError("CLEARANCE_OIDC_ISSUER needs CLEARANCE_OIDC_CLIENT_ID beside it.")
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["home"] = home
        for name in ("vocabulary", "jurisdictions", "agreement_template", "table_sources"):
            if values[name] is not None:
                values[name] = values[name].expanduser().resolve()
        values["database_url"] = (
            self.database_url or f"sqlite+aiosqlite:///{home}/clearance.sqlite3"
        )
        values["store_url"] = self.store_url or f"file://{home}/store"
        values["delivery_url"] = self.delivery_url or f"file://{home}/delivered"
        return Settings(**values)

    def deadline(self, stage: Stage) -> timedelta:
        """How long a gate waits for people before it fails closed as `expired`."""
        own = getattr(self, f"{stage.value}_days") if stage in GATES else None
        return timedelta(days=own if own is not None else self.stage_days)

    def patience(self) -> Patience:
        """When gates remind, escalate and expire."""
        day = timedelta(days=1)
        return Patience(
            Unit(self.deadline_unit),
            Calendar(holidays=holidays(self.holidays)),
            {stage: replace(DEFAULTS[stage], days=self.deadline(stage) / day) for stage in GATES},
        )


def _hint(name: str, known: Iterable[str]) -> str:
    """The name that was meant, or all of them. The prefix is left out: it makes all look alike."""
    names = {one.removeprefix(PREFIX): one for one in known}
    close = get_close_matches(name.removeprefix(PREFIX), names, n=1)
    return f"Did you mean {names[close[0]]}?" if close else f"Known: {', '.join(sorted(known))}."


def _parsed(name: str, text: str, kind: object) -> object:
    kinds = get_args(kind) or (kind,)
    if Path in kinds:
        return Path(text)
    for number in (int, float):
        if number in kinds:
            return _number(name, text, number, _most(name))
    if name.endswith("_AGREEMENT_ACCEPTANCE") and text not in ACCEPTANCES:
        raise SettingsError(f"{name} must be {' or '.join(ACCEPTANCES)}, not {text!r}.")
    _demand_beginning(name, text)
    if name.endswith("_LOG_LEVEL") and text.upper() not in LOG_LEVELS:
        raise SettingsError(f"{name} must be one of {', '.join(LOG_LEVELS)}, not {text!r}.")
    if name.endswith("_DEADLINE_UNIT") and text not in tuple(Unit):
        raise SettingsError(f"{name} must be one of {', '.join(Unit)}, not {text!r}.")
    if name.endswith("_HOLIDAYS"):
        try:
            holidays(text)
        except ValueError as wrong:
            raise SettingsError(f"{name}: {wrong}") from None
    return text


def _demand_beginning(name: str, text: str) -> None:
    if name.endswith("_DATABASE_URL") and not text.startswith(DATABASES):
        # What was given is not repeated: it may hold a password.
        raise SettingsError(f"{name} must begin with {' or '.join(DATABASES)}.")
    if name.endswith("_UI_URL") and not text.startswith(("http://", "https://")):
        raise SettingsError(f"{name} must begin with http:// or https://, not {text!r}.")


def _most(name: str) -> float:
    """The longest ending that is known counts."""
    ending = max((one for one in MOST if name.endswith(f"_{one}")), key=len)
    return MOST[ending]


def _number(name: str, text: str, kind: type[int] | type[float], most: float) -> float:
    try:
        number = kind(text)
    except ValueError:
        whole = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{name} must be {whole}, not {text!r}.") from None
    if math.isnan(number) or not 0 < number <= most:
        raise SettingsError(f"{name} must be above 0 and at most {most:g}, not {text}.")
    return number
