"""What people ordered, recorded: signed by the API, still fresh, or refused and logged."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from sharing.errors import Refused
from sharing.orders import Order
from sharing.records.database import Database
from sharing.records.tables import now
from sharing.records.unit import Unit

T = TypeVar("T")
FRESH = timedelta(minutes=15)  # longer than any answer is waited for, retries included
FORGED, UNSIGNED = "forged_order", "unsigned"


async def act(database: Database, work: Callable[[Unit, Order], T], order: Order) -> T:
    """Records an order in one transaction. A forged one leaves nothing but its entry in the log:
    whoever reaches the engine's port should be noticed (F5)."""
    try:
        return await database.write(lambda unit: work(unit, order))
    except Refused as refused:
        if refused.code == FORGED:
            await database.write(lambda unit: _log_forged(unit, order))
        raise


def _log_forged(unit: Unit, order: Order) -> None:
    unit.audit(UNSIGNED, f"refused.{order.verb}", order.request_id[:64], code=FORGED)


def demand_fresh(order: Order) -> None:
    """Raises Refused for an order that was signed long ago and never recorded: somebody kept it.
    Asked after the look whether it was recorded, so that a history can be gone through again."""
    if now() - datetime.fromisoformat(order.at) > FRESH:
        raise Refused("stale_order", "This was ordered too long ago: order it again.")
