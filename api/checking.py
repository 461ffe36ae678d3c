"""How far a request in the making holds: what is missing, what is wrong, what will be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from api.dependencies import Call
from api.drafts import drafted
from api.idempotency import Json
from api.problems import field_errors
from api.routes.requests import NewRequest
from sharing.errors import FieldError, Refused
from sharing.foresight import STAND_INS
from sharing.records import datasets
from sharing.records.datasets import Dataset
from sharing.records.foresights import foreseen
from sharing.records.parties import Partner

REQUIRED = "is required."


@dataclass(frozen=True, slots=True)
class Checked:
    """`body` is whole where nothing is wrong with it. `gates`: what will be asked, as far as that
    can be told; none before the dataset is known."""

    body: Mapping[str, Any] | None
    errors: Sequence[FieldError]
    gates: Sequence[Json]
    dataset: Dataset | None

    @property
    def missing(self) -> list[str]:
        """Fields that are still to be filled in."""
        return [one.path for one in self.errors if one.message == REQUIRED]

    @property
    def wrong(self) -> dict[str, str]:
        """Fields that are filled in and do not hold, and the cure."""
        return {one.path: one.message for one in self.errors if one.message != REQUIRED}

    def view(self) -> Json:
        """As the API answers."""
        return {
            "ready": self.body is not None,
            "missing": self.missing,
            "errors": [{"path": path, "message": cure} for path, cure in self.wrong.items()],
            "gates": list(self.gates),
        }


def checked(session: Session, call: Call, said: Mapping[str, Any]) -> Checked:
    """Looks at what is there of a body. Nothing is recorded."""
    body, errors = _whole(session, call, said)
    dataset = datasets.named(session, str(said.get("dataset", "")))
    if dataset is None or dataset.index_version == 0:
        return Checked(body, errors, [], dataset)
    return Checked(body, errors, _gates(session, call, dataset, said, body, errors), dataset)


def _whole(
    session: Session, call: Call, said: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, Sequence[FieldError]]:
    """The body with its defaults if it holds, and all that is wrong with it."""
    try:
        body = NewRequest.model_validate(said).model_dump(mode="json")
    except ValidationError as invalid:
        return None, field_errors(invalid, NewRequest)
    try:
        return drafted(session, call, "check", 1, body).order_body, ()
    except Refused as refused:
        return None, refused.errors or (FieldError("dataset", refused.detail),)


def _gates(
    session: Session,
    call: Call,
    dataset: Dataset,
    said: Mapping[str, Any],
    body: Mapping[str, Any] | None,
    errors: Sequence[FieldError],
) -> Sequence[Json]:
    absent: frozenset[str] = frozenset()
    if body is None:
        absent = frozenset(one.path.partition(".")[0] for one in errors)
        body, _ = _whole(session, call, _mended(dataset, said, absent))
    if body is None:
        return []
    settings = call.backend.settings
    partner = session.get_one(Partner, call.partner_id)
    waits, longest = settings.patience(), settings.retention_days_max
    return foreseen(session, partner, dataset, body, absent, longest, waits)


def _mended(dataset: Dataset, said: Mapping[str, Any], absent: frozenset[str]) -> Json:
    """The same body with what stands in for the fields that are absent or wrong."""
    kept = {name: value for name, value in said.items() if name not in absent}
    fields = list(datasets.offer_of(dataset).fields())[:1]
    scope = {"fields": fields, "limit": 1}
    return {**STAND_INS, **({"scope": scope} if "scope" in absent else {}), **kept}
