"""One frozen Settings, read once from the environment. Unknown CLEARANCE_* names are an error:
a misspelt setting that is silently ignored is how a safeguard gets switched off."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path

from sharing.stages import GATES, Stage

PREFIX = "CLEARANCE_"


class SettingsError(ValueError):
    """A setting that cannot be used: names the variable and the cure."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs from one place to another. Keys are never shown in `repr`."""

    home: Path = Path(".clearance")
    database_url: str = ""
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    store_url: str = ""
    delivery_url: str = ""
    api_url: str = "http://127.0.0.1:8080"
    token: str = field(default="", repr=False)
    # Secrets: base64 of 32 bytes, or the path of a file that holds it.
    decision_key: str = field(default="", repr=False)  # API: signs what travels through Temporal
    signing_key: str = field(default="", repr=False)  # export worker: seals packages
    pseudonym_key: str = field(default="", repr=False)  # export worker: names subjects per partner
    payload_keys: str = field(default="", repr=False)  # comma separated; the first one encrypts
    # Deadlines, in days; fractions are allowed.
    stage_days: float = 14.0
    purpose_review_days: float | None = None
    consent_verification_days: float | None = None
    conflict_signoff_days: float | None = None
    legal_approval_days: float | None = None
    returned_days: float = 30.0
    clearance_days: float = 30.0
    retention_days_max: int = 1825
    shard_objects: int = 2500
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
                close = get_close_matches(name, known, n=1)
                hint = f" Did you mean {close[0]}?" if close else f" Known: {', '.join(sorted(known))}."
                raise SettingsError(f"{name} is not a setting of Clearance.{hint}")
            if text != "":
                given[known[name].name] = _parsed(name, text, str(known[name].type))
        return cls(**given).resolved()  # type: ignore[arg-type]

    def resolved(self) -> "Settings":
        """The same settings with every default that depends on `home` filled in."""
        home = self.home.expanduser().resolve()
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["home"] = home
        values["database_url"] = self.database_url or f"sqlite+aiosqlite:///{home}/clearance.sqlite3"
        values["store_url"] = self.store_url or f"file://{home}/store"
        values["delivery_url"] = self.delivery_url or f"file://{home}/delivered"
        return Settings(**values)

    def deadline(self, stage: Stage) -> timedelta:
        """How long a gate waits for people before it fails closed as `expired`."""
        own = getattr(self, f"{stage.value}_days") if stage in GATES else None
        return timedelta(days=own if own is not None else self.stage_days)


def _parsed(name: str, text: str, kind: str) -> object:
    if "Path" in kind:
        return Path(text)
    if kind.startswith(("float", "int")):
        try:
            number = float(text) if kind.startswith("float") else int(text)
        except ValueError:
            raise SettingsError(f"{name} must be a number, not {text!r}.") from None
        if not number > 0:
            raise SettingsError(f"{name} must be above 0, not {text}.")
        return number
    return text
