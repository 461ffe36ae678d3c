"""Who gets what: the parts of a running system and the only settings each of them is given.

Authority is split (docs/decisions): whoever decides holds no key to the photos, whoever holds the
photos cannot decide. So the split is one table here, and not a habit.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import fields

from api.bytecode import kept_apart
from api.child import Part
from api.storage_environ import storage_environ
from sharing.settings import PREFIX, Settings
from workflows.messages import CONTROL_QUEUE, EXPORT_QUEUE

API, CONTROL, EXPORT, TEMPORAL = "API", "control worker", "export worker", "Temporal server"

FOLLOWING = frozenset(
    {
        "consent_source_url",
        "consent_source_key",
        "consent_source_token",
        "consent_source_seconds",
    }
)
SIGNING_IN = frozenset({"oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_claim"})
EVERYBODY = (
    frozenset({f.name for f in fields(Settings)})
    - FOLLOWING
    - SIGNING_IN
    - {
        "home",
        "token",
        "store_url",
        "table_sources",
        "delivery_url",
        "delivery_read_key",
        "temporal_ui_url",
        "decision_key",
        "signing_key",
        "pseudonym_key",
    }
)

GIVEN: Mapping[str, frozenset[str]] = {
    API: EVERYBODY
    | SIGNING_IN
    | {"decision_key", "delivery_url", "delivery_read_key", "temporal_ui_url"},
    CONTROL: EVERYBODY | FOLLOWING,
    EXPORT: EVERYBODY
    | FOLLOWING
    | {"store_url", "delivery_url", "signing_key", "pseudonym_key", "table_sources"},
}

# Where a worker shows that it is ready: the queue it takes work from, and of which kind.
TAKES: Mapping[str, tuple[str, str]] = {
    CONTROL: (CONTROL_QUEUE, "WORKFLOW"),
    EXPORT: (EXPORT_QUEUE, "ACTIVITY"),
}

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    API: ("api",),
    CONTROL: ("worker", "control"),
    EXPORT: ("worker", "export"),
}


def part(name: str, settings: Settings, *more: str, keep_open: tuple[int, ...] = ()) -> Part:
    """How one of the three Python parts is run. `--part-of` marks it as this home's."""
    return Part(
        name=name,
        command=program(*ARGUMENTS[name], "--part-of", str(settings.home), *more),
        environ=environment(settings, GIVEN[name]),
        log=settings.home / "logs" / f"{name.lower().replace(' ', '-')}.log",
        keep_open=keep_open,
    )


def program(*arguments: str) -> tuple[str, ...]:
    """This very command line, run by this very Python."""
    return (sys.executable, "-m", "api.cli", *arguments)


def environment(settings: Settings, names: frozenset[str]) -> dict[str, str]:
    """Our environment without settings of Clearance, plus the named ones that are not default. Who
    we are to object stores is for whoever is given the store's own setting."""
    outside = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    outside = storage_environ(outside, names)
    environ = kept_apart(outside)
    usual = Settings()
    for name in sorted(names):
        value = getattr(settings, name)
        if value != getattr(usual, name):
            environ[f"{PREFIX}{name.upper()}"] = str(value)
    return environ
