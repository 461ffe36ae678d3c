"""Named refusals. Each has a machine code; api.problems turns codes into HTTP, and nothing
branches on the text."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: `path` as the sender wrote it (`scope.limit`), `message` with the cure."""

    path: str
    message: str


class Refused(Exception):
    """An act that is not allowed, or not now. Nothing has changed when this is raised."""

    def __init__(self, code: str, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors


class NotYet(Exception):
    """Something that is needed does not answer. Nothing has changed; the same act may be tried
    again (after `seconds`, where that is known), and is judged anew then."""

    def __init__(self, code: str, detail: str, seconds: float | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.seconds = seconds


class NotFound(Refused):
    """Absent, or somebody else's: the two are told in the same words (I24)."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__("not_found", f"There is no {noun} {name!r} here.")


class NotEligible(Refused):
    """This person may not do this to this request; `why` is role, recused, same_person, ..."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__("not_eligible", detail)
        self.why = why


class NotCleared(Refused):
    """Four approved decisions by four distinct people do not stand behind this digest."""

    def __init__(self, detail: str) -> None:
        super().__init__("not_cleared", detail)


class CoolingOff(Refused):
    """The policy asks for some time before this is done; `until` is when it may be."""

    def __init__(self, detail: str, until: datetime) -> None:
        super().__init__("cooling_off", detail)
        self.until = until


def bad_field(path: str, message: str) -> Refused:
    """A well-formed body with a value that cannot be accepted: 422 with the field and the cure."""
    return Refused("invalid_body", f"{path}: {message}", (FieldError(path, message),))
