"""An act is recorded, and the news of it is lost on the way back to the process."""

import asyncio
from typing import Any

import pytest
from temporalio.service import RPCError

from sharing.orders import Verb
from sharing.records import reports
from sharing.records.database import Database, OutcomeUnknown
from sharing.stages import Stage
from tests.faults.depot import until
from tests.workflows.conftest import Office
from workflows import client as verbs
from workflows.client import EngineUnreachable
from workflows.messages import export_workflow
from workflows.timeouts import ANSWER


def lose_answers(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next act is committed, and each try at it hears only that the connection was lost."""
    write, left = database.write, [ANSWER["retry_policy"].maximum_attempts]

    async def lossy(work: Any) -> Any:
        done = await write(work)
        if left[0] > 0:
            left[0] -= 1
            raise OutcomeUnknown("The connection was lost.")
        return done

    monkeypatch.setattr(database, "write", lossy)


async def test_a_recorded_decision_opens_the_next_gate(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision that was recorded counts, also where nobody could be told that it was."""
    request, digest = await office.submitted()
    # Consent is counted meanwhile: its answer is not the one to lose.
    await until(
        lambda: office.world.database.read(lambda s: reports.of_request(s, request)), "a report"
    )
    lose_answers(office.world.database, monkeypatch)
    with pytest.raises(EngineUnreachable):
        await office.decide(request, digest, Stage.PURPOSE_REVIEW)
    await office.at(request, Stage.CONSENT_VERIFICATION)


async def test_a_recorded_trigger_runs(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that was recorded as triggered is begun: approved is executed (F1)."""
    request, digest = await office.cleared()
    order = office.world.order(Verb.TRIGGER, request, office.world.people["engineer"], digest)
    lose_answers(office.world.database, monkeypatch)
    with pytest.raises(EngineUnreachable):
        await verbs.trigger(office.client, order)
    assert await _begun(office, order.id)


async def _begun(office: Office, export: str) -> bool:
    """True once the export's own workflow is there."""
    handle = office.client.get_workflow_handle(export_workflow(export))
    for _ in range(200):
        try:
            await handle.describe()
        except RPCError:
            await asyncio.sleep(0.05)
        else:
            return True
    return False
