"""A request whose workflows were ended behind our back is taken up from the database."""

import pytest
from temporalio.client import WorkflowFailureError

from sharing.orders import Verb
from tests.workflows.conftest import Office
from workflows import client as verbs
from workflows import worker
from workflows.messages import export_workflow, request_workflow


async def test_a_cancelled_export_whose_end_was_lost_frees_the_request(office: Office) -> None:
    """A request whose workflows are gone between an export's cancellation and its end does not
    stay in `exporting`: it is cleared again, and can be exported."""
    world, client = office.world, office.client
    request, digest = await office.cleared()
    engineer = world.people["engineer"]
    trigger = world.order(Verb.TRIGGER, request, engineer, digest)
    await verbs.trigger(client, trigger)
    await verbs.cancel(client, world.order(Verb.CANCEL, request, engineer, export=trigger.id))
    # The export's workflow is ended first, and takes the request's workflow with it.
    await client.get_workflow_handle(export_workflow(trigger.id)).terminate()
    with pytest.raises(WorkflowFailureError):
        await client.get_workflow_handle(request_workflow(request)).result()
    await verbs.take_up(client, request)
    async with worker.export_worker(client, world.database, office.settings):
        await office.at(request, "cleared")
