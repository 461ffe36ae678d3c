"""Where the bar at the top of a page leads, by role, and which of it one is at."""

from dataclasses import dataclass

from sharing.stages import STAFF, Role

RECORDS = ("/people", "/partners", "/datasets", "/notices", "/organisations", "/policy", "/audit")
OF_STAFF = (
    ("Reviews", ("/reviews", "/requests")),
    ("Exports", ("/exports",)),
    ("Interests", ("/interests",)),
    ("Records", RECORDS),
)
OF_PARTNERS = (
    ("Requests", ("/requests",)),
    ("Ask for data", ("/requests/new",)),
    ("Duties", ("/duties",)),
)
OF_SUBJECTS = (("My data", ("/my-data",)),)


@dataclass(frozen=True, slots=True)
class Place:
    """One link. `current` as in aria-current: `page` at this very page, `true` somewhere below."""

    path: str
    label: str
    current: str


def places(role: Role, path: str) -> list[Place]:
    """The links for a role, at an address."""
    links = OF_STAFF if role in STAFF else OF_PARTNERS if role is Role.PARTNER else OF_SUBJECTS
    path = "/exports" if path.endswith("/export") else path  # where one starts, of a request
    at = max((p for _, paths in links for p in paths if _within(path, p)), key=len, default="")
    return [
        Place(paths[0], label, "" if at not in paths else "page" if path == paths[0] else "true")
        for label, paths in links
    ]


def _within(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")
