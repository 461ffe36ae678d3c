"""Gate 1, purpose review: gathers the findings and opens the gate."""

from temporalio import activity

from sharing.purpose import review
from sharing.records import notices, requests
from sharing.records.database import Database
from sharing.records.datasets import Dataset, offer_of
from sharing.records.requests import Request
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.activities.gates import Judged, open_gate
from workflows.messages import Opened, Opening


class PurposeReview:
    """Is the purpose known, allowed for this data, and what people were told?"""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @activity.defn
    async def purpose_findings(self, opening: Opening) -> Opened:
        """Opens the purpose gate."""
        return await open_gate(self._database, self._settings, opening, _judge)


def _judge(unit: Unit, request: Request) -> Judged:
    revision = requests.revision_row(unit.session, request)
    dataset = unit.session.get_one(Dataset, revision.dataset_id)
    told = list(notices.terms(unit.session).values())
    return Judged(
        review(
            revision.body["purpose"],
            revision.body["intended_use"],
            offer_of(dataset).asked(revision.body["scope"]["fields"]),
            dataset.purposes,
            told,
        )
    )
