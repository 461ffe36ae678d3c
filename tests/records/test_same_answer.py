"""Who may act has one answer: in the pure function, in what people are shown, in what the API
asks early, in what is recorded, and in what the database itself lets in (I2, I3, F8)."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from sharing.eligibility import Act, Actor
from sharing.errors import NotEligible, Refused
from sharing.orders import Verb
from sharing.records import exports, parties, register, requests, reviews, standing
from sharing.records.database import Database
from sharing.records.interests import Declaration
from sharing.records.requests import Decision, Request
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.records.viewer import Viewer
from sharing.records.waiting import eligible, waiting_for
from sharing.stages import GATE_ROLES, GATES, Outcome, Role, Stage
from tests.records.desk import Desk, at_desk
from workflows.activities.decisions import _decision
from workflows.activities.exports import _confirm, _trigger

Step = tuple[Act, Stage | None]
STEPS: tuple[Step, ...] = (
    *((Act.DECIDE, stage) for stage in GATES), (Act.TRIGGER, None), (Act.CONFIRM, None),
)  # fmt: skip
ROLES = (*GATE_ROLES.values(), Role.ENGINEER)


class Undone(Exception):
    """Raised to take back a work that went through."""


@dataclass(slots=True)
class Office:
    """A random crowd around one request."""

    desk: Desk
    crowd: list[str]
    request: str = ""
    digest: str = ""
    export: str = ""

    async def goes(self, work: Any) -> bool:
        """True if a work goes through; it is taken back either way."""

        def undone(unit: Unit) -> None:
            work(unit)
            unit.session.flush()
            raise Undone

        try:
            await self.desk.database.write(undone)
        except Undone:
            return True
        except NotEligible:
            return False
        raise AssertionError("unreachable")

    async def answers(self, act: Act, stage: Stage | None) -> dict[str, dict[str, bool]]:
        """Who may, by person: four answers that are read."""

        def ask(session: Session) -> dict[str, dict[str, bool]]:
            request = requests.get(session, self.request)
            shown = self._shown(session, request)
            return {
                person: {
                    "rule": self._rule(session, request, actor, act, stage),
                    "shown": person in shown,
                    "listed": self._listed(session, actor, stage),
                    "let in": self._let_in(session, request, actor, act, stage),
                }
                for person in self.crowd
                if (actor := parties.actor(session, person)) is not None
            }

        return await self.desk.database.read(ask)

    def _rule(
        self, session: Session, request: Request, actor: Actor, act: Act, stage: Stage | None
    ) -> bool:
        """What the pure function says of what is on record."""
        first = exports.get(session, self.export).triggered_by if self.export else None
        return eligible(act, actor, requests.case(session, request, first), stage)

    def _shown(self, session: Session, request: Request) -> list[str]:
        """Whom the request's page says that it waits for."""
        runs, case = exports.of_request(session, request.id), requests.case(session, request)
        shown = waiting_for(Viewer(session, inside=True), request, case, runs)
        return list(shown["people"]) if shown else []

    def _listed(self, session: Session, actor: Actor, stage: Stage | None) -> bool:
        """Whether this person's own list of reviews has it."""
        role = GATE_ROLES[stage] if stage else Role.ENGINEER
        return role in actor.roles and bool(reviews.waiting(session, actor, role, 10, ""))

    def _let_in(
        self, session: Session, request: Request, actor: Actor, act: Act, stage: Stage | None
    ) -> bool:
        """Whether the API would pass it on to the engine."""
        try:
            if stage is not None:
                standing.demand_decidable(session, request, actor, stage, self.digest)
            elif act is Act.TRIGGER:
                standing.demand_triggerable(session, request, actor, self.digest)
            else:
                export = exports.get(session, self.export)
                standing.demand_confirmable(session, request, export, actor)
        except NotEligible:
            return False
        return True

    async def recorded(self, person: str, act: Act, stage: Stage | None) -> bool:
        """Whether the transaction that records it goes through."""
        world, settings = self.desk.world, self.desk.settings
        if act is Act.DECIDE:
            assert stage is not None
            order = world.decision(self.request, self.digest, stage, actor=person)
            return await self.goes(lambda unit: _decision(unit, order, settings))
        if act is Act.TRIGGER:
            order = world.order(Verb.TRIGGER, self.request, person, self.digest)
            return await self.goes(lambda unit: _trigger(unit, order))
        order = world.order(Verb.CONFIRM, self.request, person, self.digest, export=self.export)
        return await self.goes(lambda unit: _confirm(unit, order))

    async def take(self, person: str, act: Act, stage: Stage | None) -> None:
        """Does the act for good."""
        world = self.desk.world
        if act is Act.DECIDE:
            assert stage is not None
            await self.desk.decided(self.request, self.digest, stage, actor=person)
        elif act is Act.TRIGGER:
            order = world.order(Verb.TRIGGER, self.request, person, self.digest)
            self.export = (await self.desk.database.write(lambda u: _trigger(u, order))).export_id


async def crowded(database: Database, home: Path, chance: random.Random) -> Office:
    """People with random roles; some work for the partner, some have an interest in it, one is
    the sponsor."""
    desk = await at_desk(database, home, special_category=True)
    office = Office(desk, list(desk.world.people.values()))

    def fill(unit: Unit) -> None:
        for number in range(7):
            roles = chance.sample(ROLES, chance.randrange(1, 5))
            partner = desk.world.partner if chance.random() < 0.2 else None
            name = f"p{number}"
            office.crowd.append(
                parties.add_person(unit.session, name, f"{name}@example.org", roles, partner).id
            )

    await database.write(fill)
    for person in chance.sample(office.crowd[-7:], 2):
        await desk.world.declare_interest(person, "Northlight Holding")
    sponsor = chance.choice(office.crowd[-7:])
    office.request, office.digest = await desk.submitted(sponsor=sponsor)
    return office


@pytest.mark.parametrize("seed", range(2))
async def test_one_answer_everywhere(database: Database, tmp_path: Path, seed: int) -> None:
    """At every step of a request the rule, the page, the person's own list, the API and the
    record agree on every person of a random crowd."""
    chance = random.Random(seed)
    office = await crowded(database, tmp_path, chance)
    for act, stage in STEPS:
        if stage is not None:
            await office.desk.opened(office.request, office.digest, stage)
        may = []
        for person, answers in (await office.answers(act, stage)).items():
            answers["recorded"] = await office.recorded(person, act, stage)
            assert len(set(answers.values())) == 1, (act, stage, answers)
            may += [person] if answers["rule"] else []
        assert 0 < len(may) < len(office.crowd)
        await office.take(chance.choice(may), act, stage)


@pytest.mark.parametrize("seed", range(2))
async def test_the_database_lets_in_no_decision_that_the_rule_does_not(
    database: Database, tmp_path: Path, seed: int
) -> None:
    """A decision row written past all our code goes in exactly where the rule says yes."""
    office = await crowded(database, tmp_path, random.Random(seed))
    stage = Stage.PURPOSE_REVIEW
    await office.desk.opened(office.request, office.digest, stage)

    def write(unit: Unit, person: str) -> None:
        gate = requests.gate(unit.session, requests.get(unit.session, office.request), stage)
        assert gate is not None
        declaration = Declaration(
            id=new_id("dcl"), person_id=person, request_id=office.request, at=now()
        )
        unit.session.add(declaration)
        register.affirm(unit, person)
        unit.session.flush()
        unit.session.add(
            Decision(id=new_id("dec"), request_id=office.request, digest=office.digest,
                     stage=stage, actor_id=person, outcome=Outcome.APPROVED, reason="x",
                     findings_digest=gate.findings_digest, declaration_id=declaration.id,
                     at=now(), signature="s")
        )  # fmt: skip
        unit.session.flush()
        raise Undone

    answers = await office.answers(Act.DECIDE, stage)
    may = {person: given["rule"] for person, given in answers.items()}
    went_in = {}
    for person in office.crowd:
        with pytest.raises((Undone, Refused)) as outcome:
            await database.write(lambda u, p=person: write(u, p))  # type: ignore[misc]
        went_in[person] = outcome.type is Undone
    assert went_in == may
    assert {True, False} == set(may.values())
