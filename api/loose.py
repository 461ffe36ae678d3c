"""A request's body as far as it has come: every field may be absent, or not hold yet."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from api.fields import Body, text

Loose = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(text)]
Number = int | Loose
Several = Annotated[tuple[Loose, ...], Field(max_length=200)]


class LooseScope(Body):
    """As much of a scope as there is."""

    fields: Several | None = None
    where: Annotated[dict[str, Loose], Field(max_length=20)] | None = None
    limit: Number | None = None


class LooseDelivery(Body):
    """As much of a delivery as there is."""

    format: Loose | None = None
    push: Loose | None = None


class LooseRequest(Body):
    """The fields of a request, as far as they are there. A number that is still being typed may be
    text."""

    title: Loose | None = None
    dataset: Loose | None = None
    purpose: Loose | None = None
    intended_use: Loose | None = None
    scope: LooseScope | None = None
    legal_basis: Loose | None = None
    special_category_basis: Loose | None = None
    retention_days: Number | None = None
    trains_models: bool | None = None
    onward_recipients: Several | None = None
    sponsor: Loose | None = None
    delivery: LooseDelivery | None = None

    def said(self) -> dict[str, Any]:
        """What is there, as JSON; what is null or empty is not."""
        return _there(self.model_dump(mode="json", exclude_none=True))


def _there(whole: dict[str, Any]) -> dict[str, Any]:
    kept = {name: _there(one) if isinstance(one, dict) else one for name, one in whole.items()}
    return {name: one for name, one in kept.items() if one not in ("", {}, [])}
