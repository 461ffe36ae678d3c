"""What a request will be asked, told before it is submitted: the machine's findings at the gates of
purpose and law, for as much of a body as holds already. Pure.

Who inside has an interest, and how many people a policy asks for, is no partner's to see.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sharing.findings import Finding

# What a field stands for that is not there yet. A finding about such a field is not told.
STAND_INS: Mapping[str, Any] = {
    "title": "-",
    "purpose": "dpv:ServiceProvision",
    "intended_use": "-",
    "legal_basis": "gdpr:A6-1-a",
    "retention_days": 1,
}
# Which answer of a request a finding is about: where a page says it.
FIELD_OF: Mapping[str, str] = {
    "purpose_known": "purpose",
    "purpose_allowed": "purpose",
    "notice_covers": "purpose",
    "fields_needed": "scope.fields",
    "intended_use": "intended_use",
    "scope_size": "scope.limit",
    "sponsor": "sponsor",
    "legal_basis": "legal_basis",
    "special_category_basis": "special_category_basis",
    "retention": "retention_days",
    "models": "trains_models",
    "onward_transfer": "onward_recipients",
    "delivery_place": "delivery.push",
    "privacy_promise": "purpose",
}
ALSO_ABOUT: Mapping[str, tuple[str, ...]] = {
    "models": ("purpose",),
    "privacy_promise": ("trains_models", "scope.where"),
}


def about_what_is_there(found: Iterable[Finding], absent: frozenset[str]) -> list[Finding]:
    """The findings that hang on nothing that is absent or does not hold."""
    return [one for one in found if not absent & _fields(one.check)] if absent else list(found)


def _fields(check: str) -> set[str]:
    return {
        path.partition(".")[0] for path in (FIELD_OF.get(check, ""), *ALSO_ABOUT.get(check, ()))
    }
