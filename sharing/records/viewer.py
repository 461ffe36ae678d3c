"""Whom things are shown to."""

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from sharing.eligibility import Actor
from sharing.records import (
    decisions,
)
from sharing.records.holders import holders
from sharing.records.parties import Partner, Person
from sharing.records.requests import DecisionVoid, Request
from sharing.stages import Role
from sharing.untold import Nudge

View = dict[str, Any]


@dataclass(slots=True)
class Viewer:
    """Whom things are shown to. `inside` is False for partners; `person` is who looks, if that is
    a person; `nudge` moves the edges of what a partner is told of counts (sharing.untold), and
    without it no part is told. Names are looked up once."""

    session: Session
    inside: bool
    person: str = ""
    nudge: Nudge | None = None
    _actors: dict[Role, list[Actor]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _voids: dict[str, dict[str, DecisionVoid]] = field(default_factory=dict)

    def holders(self, role: Role) -> list[Actor]:
        """Everybody who holds a role now, in that role."""
        if role not in self._actors:
            self._actors[role] = holders(self.session, role)
        return self._actors[role]

    def voids(self, request: Request) -> dict[str, DecisionVoid]:
        """Which of a request's decisions count no longer, and why."""
        if request.id not in self._voids:
            self._voids[request.id] = decisions.voids(self.session, request.id)
        return self._voids[request.id]

    def name(self, party: str) -> str:
        """The name of a person or partner, by id."""
        if party not in self._names:
            row = self.session.get(Person, party) or self.session.get(Partner, party)
            self._names[party] = row.name if row else party
        return self._names[party]
