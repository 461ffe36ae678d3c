"""Gate 3, conflict-of-interest sign-off: screens declared interests and opens the gate."""

from temporalio import activity

from sharing.records import gathering, late_interests, signoff
from sharing.records.database import Database
from sharing.records.requests import Request
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.activities.gates import Judged, open_gate
from workflows.activities.recusals import SCREENING
from workflows.messages import Opened, Opening


class ConflictSignoff:
    """Who inside has an interest that leads to the partner, or to whom it hands the data on?"""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @activity.defn
    async def conflict_findings(self, opening: Opening) -> Opened:
        """Opens the conflict gate, and recuses whoever is matched."""
        return await open_gate(self._database, self._settings, opening, _judge)


def _judge(unit: Unit, request: Request) -> Judged:
    gathering.keep_names(unit.session, signoff.recipients(unit.session, request), "request")
    screening = signoff.screened(unit.session, request)
    late_interests.found_on(unit, request, screening.matches, SCREENING)
    return Judged(signoff.findings(unit.session, request, screening))
