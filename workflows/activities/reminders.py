"""Reminders and escalations of a gate that waits: recorded, and told, when they are due."""

from datetime import datetime
from functools import partial

from temporalio import activity

from sharing.records import policies, reminders, requests
from sharing.records.database import Database
from sharing.records.requests import Gate
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.messages import Due, Told


class Reminders:
    """Tells people of gates that wait."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @activity.defn
    async def record_reminder(self, due: Due) -> Told:
        """Reminds or escalates, whatever is due now; says when there is more to be told. What time
        it is, the engine's server says."""
        at = activity.info().current_attempt_scheduled_time
        return await self._database.write(partial(_tell, due=due, at=at, settings=self._settings))


def _tell(unit: Unit, due: Due, at: datetime, settings: Settings) -> Told:
    request = requests.get(unit.session, due.request_id, hold=True)
    gate = unit.session.get(Gate, (request.id, due.digest, due.stage))
    waits = request.digest == due.digest and request.waiting_stage == due.stage
    if gate is None or not waits:
        return Told()  # something else happened first
    patience = policies.patience(unit.session, request, settings.patience())
    reminders.tell(unit, request, gate, at, patience.gates[due.stage].escalate_to)
    unit.session.add(gate)
    following = reminders.next_at(gate)
    return Told(following.isoformat() if following else None)
