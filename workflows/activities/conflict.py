"""Gate 3, conflict-of-interest sign-off: screens declared interests and opens the gate."""

from temporalio import activity

from sharing.conflict import report
from sharing.records import interests, late_interests, requests
from sharing.records.database import Database
from sharing.records.parties import Person, parents_of
from sharing.records.requests import Request
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.activities.gates import Judged, open_gate
from workflows.activities.submission import SCREENING
from workflows.messages import Opened, Opening


class ConflictSignoff:
    """Who inside has an interest in the partner or its parents?"""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @activity.defn
    async def conflict_findings(self, opening: Opening) -> Opened:
        """Opens the conflict gate, and recuses whoever is matched."""
        return await open_gate(self._database, self._settings, opening, _judge)


def _judge(unit: Unit, request: Request) -> Judged:
    found = interests.matches(unit.session, request.partner_id)
    late_interests.found_on(unit, request, found, SCREENING)
    sponsor = requests.sponsor(unit.session, request)
    known = sponsor is not None and unit.session.get(Person, sponsor) is not None
    parents = parents_of(unit.session, request.partner_id)
    return Judged(report(found, sponsor, known, parents))
