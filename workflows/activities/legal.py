"""Gate 4, legal approval: drafts the agreement, checks the bases, and opens the gate."""

from temporalio import activity

from sharing.legal import agreement_terms, review
from sharing.records import agreements, requests
from sharing.records.database import Database
from sharing.records.datasets import Dataset
from sharing.records.requests import Request
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.activities.gates import Judged, open_gate
from workflows.messages import Opened, Opening


class LegalApproval:
    """On what basis, for how long, under which agreement?"""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @activity.defn
    async def legal_findings(self, opening: Opening) -> Opened:
        """Opens the legal gate with the agreement that the decision will name."""
        return await open_gate(self._database, self._settings, opening, self._judge)

    def _judge(self, unit: Unit, request: Request) -> Judged:
        revision = requests.revision_row(unit.session, request)
        dataset = unit.session.get_one(Dataset, revision.dataset_id)
        terms = agreement_terms(revision.body, request.partner_id)
        digest = agreements.draft(unit.session, request.id, terms)
        found = review(
            revision.body, dataset.special_category, terms, self._settings.retention_days_max
        )
        return Judged(found, digest)
