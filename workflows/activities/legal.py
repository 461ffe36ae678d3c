"""Gate 4, legal approval: looks at bases, promises and the agreement, and opens the gate."""

from temporalio import activity

from sharing.acceptance import Method
from sharing.legal import review
from sharing.offered import categories, in_words
from sharing.promise import broken
from sharing.records import agreements, notices, requests
from sharing.records.database import Database
from sharing.records.datasets import Dataset, offer_of
from sharing.records.requests import Request
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.activities.agreement import accept_by_submission, draft_late
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
        found = agreements.versions(unit.session, request.id, request.digest)
        version = found[-1] if found else draft_late(unit, request)
        unit.session.flush()
        if self._settings.agreement_acceptance == Method.SUBMISSION:
            accept_by_submission(unit, request, version)
        special = dataset.special_category
        fields = offer_of(dataset).asked(revision.body["scope"]["fields"])
        told = notices.promised(unit.session)
        findings = review(
            revision.body,
            special,
            agreements.terms(unit.session, version),
            self._settings.retention_days_max,
            broken(told, revision.body, categories(fields), special),
            in_words(fields),
        )
        return Judged(findings, version.agreement_digest)
