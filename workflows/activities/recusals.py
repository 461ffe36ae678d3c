"""What screening leads to: whoever is matched steps aside, at every place where it is asked."""

from collections.abc import Sequence

from sharing.records import gathering, interests, late_interests, requests
from sharing.records.unit import Unit

SCREENING = "system:conflict-screening"


def screen(unit: Unit, request_id: str, partner_id: str, recipients: Sequence[str]) -> None:
    """Recuses whoever has an interest that leads to the partner or to an onward recipient."""
    gathering.keep_names(unit.session, recipients, "request")
    found = interests.matches(unit.session, partner_id, recipients=recipients)
    request = requests.get(unit.session, request_id, hold=True)
    late_interests.found_on(unit, request, found, SCREENING)
