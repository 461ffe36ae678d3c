"""What engineers do to an export while it is under way: recorded by the control worker."""

from datetime import datetime

from temporalio import activity

from sharing.eligibility import Act
from sharing.orders import Order, Verb
from sharing.records import exports, steering
from sharing.records.database import Database
from sharing.records.exports import Export
from sharing.records.requests import Request
from sharing.records.signing_keys import demand_order
from sharing.records.unit import Unit
from workflows.activities.acts import act, demand_fresh
from workflows.activities.exports import _both, _may, _tell


class Steering:
    """Records pauses, resumptions and limits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def record_pause(self, order: Order) -> None:
        """From this commit on nothing of the export can be released."""
        await act(self._database, _pause, order)

    @activity.defn
    async def record_resumption(self, order: Order) -> None:
        """The export goes on."""
        await act(self._database, _resume, order)

    @activity.defn
    async def record_limit(self, order: Order) -> None:
        """The export moves at most so many bytes a second, or as many as it can."""
        await act(self._database, _limit, order)


def _pause(unit: Unit, order: Order) -> None:
    request, export = _steerable(unit, order, Verb.PAUSE)
    if steering.pause(export, order.actor, datetime.fromisoformat(order.at)):
        _tell(unit, request, order.actor, "export.paused", export.id)


def _resume(unit: Unit, order: Order) -> None:
    request, export = _steerable(unit, order, Verb.RESUME)
    if steering.resume(export, datetime.fromisoformat(order.at)):
        _tell(unit, request, order.actor, "export.resumed", export.id)


def _limit(unit: Unit, order: Order) -> None:
    request, export = _steerable(unit, order, Verb.LIMIT)
    wanted = order.body["limit_bytes_per_second"]
    if steering.limit(export, wanted):
        _tell(
            unit,
            request,
            order.actor,
            "export.limited",
            export.id,
            bytes_per_second=wanted,
        )


def _steerable(unit: Unit, order: Order, verb: Verb) -> tuple[Request, Export]:
    """The request and its export, both held, if this person may steer it now."""
    demand_order(unit.session, order, verb)
    request, export = _both(unit, order)
    demand_fresh(order)
    _may(unit, Act.STEER, order, request)
    steering.demand_live(export, released=exports.released(unit.session, export.id) is not None)
    return request, export
