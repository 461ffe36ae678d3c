"""Gate 2, consent verification: counts the scope over the ledger and opens the gate."""

from temporalio import activity

from sharing.consent import Coverage, report
from sharing.records import requests
from sharing.records.database import Database
from sharing.records.requests import Request
from sharing.records.scopes import coverage
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.activities.gates import Judge, Judged, open_gate
from workflows.activities.pulse import beating
from workflows.messages import Opened, Opening


class ConsentVerification:
    """How many subjects of the scope said yes to exactly this, and why the others are left out."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @activity.defn
    async def consent_findings(self, opening: Opening) -> Opened:
        """Opens the consent gate. The count is taken beside the writer: it may be long, and
        every subject is asked again per shard and at release."""
        async with beating():
            counted = await self._database.read(
                lambda session: coverage(session, requests.get(session, opening.request_id))
            )
            return await open_gate(self._database, self._settings, opening, _judge(counted))


def _judge(counted: Coverage) -> Judge:
    def judge(_: Unit, __: Request) -> Judged:
        return Judged(report(counted))

    return judge
