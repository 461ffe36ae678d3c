"""The small world with real records: each step of the model performed by the real activities."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import uuid4

from sqlmodel import Session, select

from sharing.conflict import InterestKind, Organisation
from sharing.errors import Refused
from sharing.orders import Verb
from sharing.records import (
    accounts,
    exports,
    hands,
    interests,
    late_interests,
    parties,
    register,
    requests,
    statements,
)
from sharing.records import clearances as clearance_rows
from sharing.records import waivers as waiver_rows
from sharing.records.decisions import GateNeed
from sharing.records.parties import RoleGrant
from sharing.records.requests import Gate
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.records.waivers import Waiver
from sharing.stages import DECISIONS, GATE_ROLES, GATES, ExportState, Outcome, RequestState, Role
from tests.model.state import Step
from tests.model.world import (
    ANA,
    BEA,
    BEN,
    CLEO,
    CONSENT_GONE,
    DAN,
    GIL,
    GUS,
    HAL,
    HIL,
    INTERESTS,
    JOINED,
    PEOPLE,
    ROLE_ENDED,
    STATEMENT_OUT,
    World,
)
from tests.records.desk import Desk
from tests.records.exporting import Exporting
from workflows.activities.decisions import Decisions
from workflows.activities.exports import Exports
from workflows.messages import ExportEnd

SUBJECT = "s000"


@dataclass(slots=True)
class Office:
    """One request in real records, with people of its own."""

    desk: Desk
    world: World
    people: list[str] = field(default_factory=list)
    request: str = ""
    digest: str = ""
    export: str = ""
    interest: str = ""  # Cleo's
    waiver: str = ""

    async def begin(self) -> None:
        """New people, a new partner, and its request."""
        await self.desk.database.write(self._fill)
        await self.desk.world.say(SUBJECT)
        sponsor = self.people[HAL]
        self.request, self.digest = await self.desk.submitted(sponsor=sponsor)

    def _fill(self, unit: Unit) -> None:
        session, mark = unit.session, uuid4().hex[:8]
        partner = parties.add_partner(session, f"Partner {mark}", None, (), None)
        self.desk.world.partner = partner.id
        for person in PEOPLE:
            employer = partner.id if person.partner else None
            email = f"{person.name}.{mark}@example.org"
            added = parties.add_person(session, person.name, email, list(person.roles), employer)
            self.people.append(added.id)
        for one, other in ((GUS, GIL), (HAL, HIL)):
            accounts.link(session, self.people[one], self.people[other], "admin")

    async def took(self, step: Step) -> bool:
        """Performs a step; False where it was refused."""
        try:
            await getattr(self, f"_{step.verb}")(step)
        except Refused:
            return False
        return True

    # The gates

    async def _open(self, step: Step) -> None:
        stage = GATES[step.what]
        await self.desk.opened(self.request, self.digest, stage)
        asked = [(role, many) for gate, role, many in self.world.more if gate == step.what]

        def needs(unit: Unit) -> None:
            for role, many in asked:
                key = self.request, self.digest, stage, role
                if unit.session.get(GateNeed, key) is None:
                    unit.session.add(
                        GateNeed(
                            request_id=self.request,
                            digest=self.digest,
                            stage=stage,
                            role=role,
                            approvals=many,
                        )
                    )

        await self.desk.database.write(needs)

    async def _decide(self, step: Step) -> None:
        slot, stage = self.world.slots[step.what], GATES[self.world.slots[step.what].gate]
        role = None if slot.role is GATE_ROLES[stage] else str(slot.role)
        order = self.desk.world.order(
            Verb.DECIDE,
            self.request,
            self.people[step.who],
            self.digest,
            stage=str(stage),
            outcome=str(DECISIONS[step.how]),
            reason="Read and considered.",
            conditions=[],
            role=role,
        )
        await Decisions(self.desk.database, self.desk.settings).record_decision(order)

    async def _take_back(self, step: Step) -> None:
        slot = self.world.slots[step.what]

        def taken(session: Session) -> str:
            row = requests.get(session, self.request)
            return next(
                d.id
                for d in requests.counted(session, row)
                if d.actor_id == self.people[step.how]
                and d.stage == GATES[slot.gate]
                and hands.role_of(d) is slot.role
            )

        decision = await self.desk.database.read(taken)
        by = self.people[step.who]
        order = self.desk.world.order(
            Verb.TAKE_BACK, self.request, by, self.digest, decision=decision
        )
        await Decisions(self.desk.database, self.desk.settings).record_taking_back(order)

    async def _late(self, step: Step) -> None:
        def passed(unit: Unit) -> None:
            row = requests.get(unit.session, self.request, hold=True)
            gate = unit.session.get_one(Gate, (row.id, row.digest, row.state))
            gate.until = row.waiting_until = now() - timedelta(seconds=1)

        await self.desk.database.write(passed)

    async def _lapse(self, step: Step) -> None:
        row = await self.desk.world.request(self.request)
        await self.desk.lapsed(self.request, self.digest, RequestState(row.state))

    # The partner

    async def _amend(self, step: Step) -> None:
        row = await self.desk.world.request(self.request)
        title, sponsor = f"Revision {row.revision + 1}", self.people[HAL]
        self.digest = await self.desk.revised(
            self.request, row.revision + 1, title=title, sponsor=sponsor
        )

    async def _withdraw(self, step: Step) -> None:
        await self.desk.withdrawn(self.request)

    # What becomes known

    async def _known(self, step: Step) -> None:
        if step.what == CONSENT_GONE:
            await self.desk.world.say(SUBJECT, "withdrawn")
        elif step.what in INTERESTS:
            await self.desk.database.write(lambda unit: self._tied(unit, INTERESTS[step.what]))
        else:
            learn = {
                JOINED: self._joined,
                ROLE_ENDED: self._role_ended,
                STATEMENT_OUT: self._statement_out,
            }
            await self.desk.database.write(learn[step.what])

    def _tied(self, unit: Unit, who: int) -> None:
        """An interest becomes known: the person is recused, and whoever is recused by it loses the
        decisions that count."""
        session = unit.session
        row = requests.get(session, self.request, hold=True)
        partner = session.get_one(parties.Partner, row.partner_id)
        tie = interests.declare(
            unit,
            self.people[who],
            Organisation(partner.name),
            InterestKind.FUND,
            date(2010, 1, 1),
            None,
            "",
            "officer",
        )
        if who == CLEO:
            self.interest = tie.id
        late_interests.follow(unit, tie, "officer")

    def _joined(self, unit: Unit) -> None:
        accounts.link(unit.session, self.people[BEN], self.people[BEA], "admin")

    def _role_ended(self, unit: Unit) -> None:
        held = select(RoleGrant).where(
            RoleGrant.person_id == self.people[DAN], RoleGrant.role == Role.LEGAL_COUNSEL
        )
        unit.session.exec(held).one().valid_until = now()

    def _statement_out(self, unit: Unit) -> None:
        statements.state(unit, self.people[ANA], "nothing", timedelta(microseconds=1))

    async def _renew(self, step: Step) -> None:
        await self.desk.database.write(lambda unit: register.affirm(unit, self.people[ANA]))

    async def _agree(self, step: Step) -> None:
        def agreed(unit: Unit) -> None:
            if not self.waiver:
                self.waiver = new_id("wvr")
                unit.session.add(
                    Waiver(
                        id=self.waiver,
                        request_id=self.request,
                        person_id=self.people[CLEO],
                        interest_id=self.interest,
                        reason="Small.",
                        asked_by=self.people[CLEO],
                        at=now(),
                    )
                )
                unit.session.flush()

        await self.desk.database.write(agreed)
        who, reason = self.people[step.who], "Small."
        new = await self.desk.database.write(
            lambda u: waiver_rows.agree(u.session, self.waiver, who, reason)
        )
        if not new:
            raise Refused("already_decided", "Agreed before.")

    # The export

    async def _trigger(self, step: Step) -> None:
        order = self.desk.world.order(
            Verb.TRIGGER, self.request, self.people[step.who], self.digest
        )
        self.export = (await Exports(self.desk.database).record_trigger(order)).export_id

    async def _confirm(self, step: Step) -> None:
        await Exports(self.desk.database).record_confirmation(self._about(Verb.CONFIRM, step.who))

    async def _cancel(self, step: Step) -> None:
        await Exports(self.desk.database).record_cancellation(self._about(Verb.CANCEL, step.who))

    def _about(self, verb: Verb, who: int):  # type: ignore[no-untyped-def]
        return self.desk.world.order(
            verb, self.request, self.people[who], self.digest, export=self.export
        )

    def _exporting(self) -> Exporting:
        return Exporting(self.desk, self.request, self.digest, self.export)

    async def _pack(self, step: Step) -> None:
        run = self._exporting()
        if (await run.row()).shards is None:
            await run.all_packed()
            return
        shards = await self.desk.database.read(lambda s: exports.shards_of(s, self.export))
        for shard in shards:
            if shard.result is None:
                await run.packed(shard.number)

    async def _release(self, step: Step) -> None:
        run = self._exporting()
        await run.release(await run.attempt())
        if await run.released() is not None:
            location = "delivered"
            from sharing.export import releases

            await self.desk.database.write(lambda u: releases.delivered(u, self.export, location))

    _repack = _release

    async def _refused(self, step: Step) -> None:
        try:
            await self._release(step)
        except Refused:
            end = ExportEnd(self.export, ExportState.FAILED, "not_cleared")
            await Exports(self.desk.database).record_export_end(end)

    async def _end(self, step: Step) -> None:
        end = ExportEnd(self.export, ExportState.FAILED, "destination_failed")
        await Exports(self.desk.database).record_export_end(end)

    # How it stands

    async def seen(self) -> dict[str, object]:
        """What the records say, in the model's words."""
        return await self.desk.database.read(self._seen)

    def _seen(self, session: Session) -> dict[str, object]:
        row = requests.get(session, self.request)
        found = session.exec(
            select(Gate).where(Gate.request_id == row.id, Gate.digest == row.digest)
        )
        live = exports.live(session, row.id, row.digest)
        return {
            "at": row.state,
            "revision": row.revision - 1,
            "waiting": row.waiting_stage == row.state if row.state in GATES else None,
            "gates": {g.stage: g.outcome for g in found},
            "counted": sorted(
                (d.stage, hands.role_of(d), PEOPLE[self.people.index(d.actor_id)].name)
                for d in requests.counted(session, row)
                if d.outcome == Outcome.APPROVED
            ),
            "recused": sorted(
                PEOPLE[self.people.index(p)].name
                for p in interests.recused_from(session, row.id)
                if p in self.people
            ),
            "cleared": clearance_rows.of(session, row.id, row.digest) is not None,
            "run": live.state if live else None,
        }
