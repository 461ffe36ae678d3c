"""Gate 2, consent verification: counts the scope over the ledger and opens the gate."""

import asyncio

from temporalio import activity

from sharing.consent import Coverage, report
from sharing.consent_feed import Follower
from sharing.records import reports, requests
from sharing.records.database import Database
from sharing.records.reports import Moment
from sharing.records.requests import Request
from sharing.records.scopes import coverage, undecided
from sharing.records.unit import Unit
from sharing.settings import Settings
from sharing.stages import ENDED
from workflows.activities.gates import Judge, Judged, open_gate
from workflows.activities.pulse import Pulse, beating
from workflows.messages import Opened, Opening, Survey


class ConsentVerification:
    """How many subjects of the scope said yes to exactly this, and why the others are left out."""

    def __init__(
        self, database: Database, settings: Settings, follower: Follower | None = None
    ) -> None:
        self._database = database
        self._settings = settings
        self._follower = follower or Follower(database, settings)
        # One count at a time: the gate's, asked for while the one at submission is under way, finds
        # everything in place then, and memory holds one count.
        self._counting = asyncio.Lock()

    @activity.defn
    async def survey_consent(self, survey: Survey) -> None:
        """Keeps a report of the count as it is at submission. A revision that was superseded
        meanwhile needs none."""

        def keep(unit: Unit, counted: Coverage) -> None:
            request = requests.get(unit.session, survey.request_id)
            if request.digest == survey.digest:
                reports.keep(unit, request, Moment.SUBMISSION, counted)

        async with beating() as pulse:
            counted = await self._counted(survey.request_id, survey.digest, pulse)
            await self._database.write(lambda unit: keep(unit, counted))

    @activity.defn
    async def consent_findings(self, opening: Opening) -> Opened:
        """Opens the consent gate. The count is taken beside the writer: it may be long, and
        every subject is asked again per shard and at release. While a consent source does not
        answer the gate stays shut, and this is tried again."""
        async with beating() as pulse:
            counted = await self._counted(opening.request_id, opening.digest, pulse)
            return await open_gate(self._database, self._settings, opening, _judge(counted))

    async def _counted(self, request_id: str, digest: str, pulse: Pulse) -> Coverage:
        request = await self._database.read(lambda s: requests.get(s, request_id))
        if (
            request.digest == digest and request.state not in ENDED
        ):  # else nobody waits, nor has to wait for a source
            await self._follower.up_to_date()
        async with self._counting:
            return await self._database.read(
                lambda session: coverage(session, requests.get(session, request_id), pulse.tell)
            )


def _judge(counted: Coverage) -> Judge:
    def judge(unit: Unit, request: Request) -> Judged:
        reports.keep(unit, request, Moment.GATE, counted)
        return Judged(report(counted, undecided(unit.session, request)))

    return judge
