"""What screening leads to: whoever is matched steps aside, at every place where it is asked."""

from collections.abc import Sequence

from sharing.conflict import Match
from sharing.records import gathering, interests
from sharing.records.unit import Unit

SCREENING = "system:conflict-screening"


def screen(unit: Unit, request_id: str, partner_id: str, recipients: Sequence[str]) -> None:
    """Recuses whoever has an interest that leads to the partner or to an onward recipient."""
    gathering.keep_names(unit.session, recipients, "request")
    found = interests.matches(unit.session, partner_id, recipients=recipients)
    recuse(unit, request_id, partner_id, found)


def recuse(unit: Unit, request_id: str, partner_id: str, found: Sequence[Match]) -> None:
    """Recuses those matched who were not recused yet; logs and tells it."""
    for person in interests.recuse(unit.session, request_id, found):
        unit.audit(SCREENING, "person.recused", request_id, person=person)
        unit.tell("person.recused", person, partner_id=partner_id, request_id=request_id)
