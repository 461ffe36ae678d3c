"""The process without its engine: each step recorded as the workflow's activities record it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.testing import ActivityEnvironment

from sharing.orders import Verb
from sharing.records.database import Database
from sharing.records.tables import now
from sharing.settings import Settings
from sharing.stages import GATES, Outcome, RequestState, Role, Stage
from tests.walk import World, index, populate
from workflows.activities.conflict import ConflictSignoff
from workflows.activities.consent import ConsentVerification
from workflows.activities.decisions import Decisions
from workflows.activities.exports import Exports
from workflows.activities.legal import LegalApproval
from workflows.activities.purpose import PurposeReview
from workflows.activities.submission import Submissions
from workflows.messages import Lapse, Opened, Opening


@dataclass(slots=True)
class Desk:
    """A world, and the steps that can be taken in it."""

    world: World
    settings: Settings

    @property
    def database(self) -> Database:
        """Where all of it is recorded."""
        return self.world.database

    async def submitted(self, **changes: Any) -> tuple[str, str]:
        """A new request: its id and digest."""
        order = self.world.submission(**changes)
        await Submissions(self.database).record_submission(order)
        return order.request_id, order.digest

    async def revised(self, request: str, number: int, **changes: Any) -> str:
        """The next revision of a request: its digest."""
        order = self.world.submission(request, number, **changes)
        await Submissions(self.database).record_revision(order)
        return order.digest

    async def opened(self, request: str, digest: str, stage: Stage) -> Opened:
        """A gate with its findings."""
        parts = self.database, self.settings
        findings = {
            Stage.PURPOSE_REVIEW: PurposeReview(*parts).purpose_findings,
            Stage.CONSENT_VERIFICATION: ConsentVerification(*parts).consent_findings,
            Stage.CONFLICT_SIGNOFF: ConflictSignoff(*parts).conflict_findings,
            Stage.LEGAL_APPROVAL: LegalApproval(*parts).legal_findings,
        }
        opening = Opening(request, digest, stage, now().isoformat())
        opened: Opened = await ActivityEnvironment().run(findings[stage], opening)
        return opened

    async def decided(
        self,
        request: str,
        digest: str,
        stage: Stage,
        outcome: Outcome = Outcome.APPROVED,
        actor: str | None = None,
        role: Role | None = None,
    ) -> None:
        """A decision at an open gate."""
        order = self.world.decision(request, digest, stage, outcome, actor, role)
        await Decisions(self.database, self.settings).record_decision(order)

    async def passed(self, request: str, digest: str, *stages: Stage) -> None:
        """Gates opened and approved, one after the other."""
        for stage in stages:
            await self.opened(request, digest, stage)
            await self.decided(request, digest, stage)

    async def cleared(self, **changes: Any) -> tuple[str, str]:
        """A new request that passed all four gates."""
        request, digest = await self.submitted(**changes)
        await self.passed(request, digest, *GATES)
        return request, digest

    async def withdrawn(self, request: str) -> None:
        """The partner no longer asks."""
        order = self.world.order(Verb.WITHDRAW, request, self.world.partner)
        await Submissions(self.database).record_withdrawal(order)

    async def lapsed(self, request: str, digest: str, state: RequestState) -> None:
        """A deadline passed while the request waited there."""
        server = ActivityEnvironment()
        later = now() + timedelta(days=3650)  # as the engine's server tells the time
        server.info = replace(server.info, current_attempt_scheduled_time=later)
        lapse = Lapse(request, digest, state)
        await server.run(Submissions(self.database).record_lapse, lapse)

    async def triggered(self, request: str, digest: str, actor: str = "engineer") -> str:
        """An export of a cleared request: its id."""
        order = self.world.order(Verb.TRIGGER, request, self.world.people[actor], digest)
        return (await Exports(self.database).record_trigger(order)).export_id


async def at_desk(database: Database, home: Path, subjects: int = 10, **world: Any) -> Desk:
    """A desk in a small world whose dataset is indexed."""
    there = await populate(database, **world)
    await index(there, subjects)
    return Desk(there, Settings(home=home, database_url=database.url).resolved())
