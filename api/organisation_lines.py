"""Organisations as they are told: what one line may say, and what is wrong with the others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from api.fields import Body, Day, Flag, Lei, Line, Share
from api.idempotency import Json
from api.problems import line_error
from sharing.ownership import EdgeKind, backwards
from sharing.records.gathering import Entity, Hold


def _own_source(value: str) -> str:
    if value == "request" or value.startswith("partner:"):
        raise ValueError("is kept for what requests and partners say of themselves.")
    return value


Source = Annotated[Line, AfterValidator(_own_source)]


class Told(Body):
    """An organisation by LEI, by what its source calls it (`ref`), or by name alone."""

    name: Line | None = None
    lei: Lei | None = None
    ref: Line | None = None
    person: Flag = False

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not (self.name or self.lei or self.ref):
            raise ValueError("say who it is, by name, lei or ref.")
        if self.person and (self.lei or not self.ref):
            raise ValueError("a person is told by a ref of its source, and has no LEI.")
        return self


class Owner(Told):
    """Who owns or controls it, how, and since when. `share` is a fraction of 1, the most that it
    may be where only a range is known; `at_least` is then the least."""

    kind: EdgeKind = EdgeKind.OWNERSHIP
    share: Share | None = None
    at_least: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] | None = None
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Day | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if backwards(self.since, self.until):
            raise ValueError("until must not be before from.")
        if self.at_least is not None and (self.share is None or self.at_least > self.share):
            raise ValueError("at_least must come with a share, and not be above it.")
        return self


class NewOrganisation(Told):
    """An organisation with its other names and those who own or control it."""

    aliases: Annotated[tuple[Line, ...], Field(max_length=100)] = ()
    parents: Annotated[tuple[Owner, ...], Field(max_length=1000)] = ()
    source: Source = "staff"


@dataclass(slots=True)
class Sorted:
    """The good lines, and the bad ones by number with the reason."""

    good: list[NewOrganisation] = field(default_factory=list)
    refused: list[Json] = field(default_factory=list)


def sort_out(lines: Iterable[tuple[int, bytes]]) -> Sorted:
    """Each line on its own: a bad one does not hinder the others."""
    found = Sorted()
    for number, text in lines:
        try:
            found.good.append(NewOrganisation.model_validate_json(text))
        except ValidationError as failure:
            found.refused.append({"line": number, "reason": line_error(failure, NewOrganisation)})
    return found


def by_source(told: Iterable[NewOrganisation]) -> Iterator[tuple[str, list[Entity], list[Hold]]]:
    """(source, organisations, holds) of what was told, source by source."""
    sources: dict[str, tuple[list[Entity], list[Hold]]] = {}
    for one in told:
        entities, holds = sources.setdefault(one.source, ([], []))
        entity = _entity(one, one.source, one.aliases)
        entities.append(entity)
        holds.extend(_hold(parent, entity, one.source) for parent in one.parents)
    for source, (entities, holds) in sources.items():
        yield source, entities, holds


def _entity(told: Told, source: str, aliases: tuple[str, ...] = ()) -> Entity:
    ref = f"{source}:{told.ref}" if told.ref else None
    return Entity(told.name, told.lei, ref, aliases, told.person)


def _hold(owner: Owner, owned: Entity, source: str) -> Hold:
    least = owner.share if owner.at_least is None else owner.at_least
    return Hold(
        _entity(owner, source), owned, owner.kind, owner.share, least, owner.since, owner.until
    )
