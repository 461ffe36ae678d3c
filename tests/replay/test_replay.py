"""Every version replays every kept history (I26)."""

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.replay.record import HISTORIES, SCENARIOS, SINCE, VERSION, replay_converter
from workflows.export import ExportRun
from workflows.sandbox import Sandbox
from workflows.share_request import ShareRequest

FILES = sorted(HISTORIES.rglob("*.json"))


def replayer(*workflows: type) -> Replayer:
    """A replayer of these workflows as the control worker runs them."""
    return Replayer(
        workflows=workflows,
        workflow_runner=Sandbox(),
        namespace="default",  # payloads are bound to it
        data_converter=replay_converter(),
    )


def history(file: Path) -> WorkflowHistory:
    """A kept history; the payloads are bound to the workflow id that it was recorded under."""
    return WorkflowHistory.from_json(_workflow_id(file), file.read_text())


def _workflow_id(file: Path) -> str:
    started = json.loads(file.read_text())["events"][0]["workflowExecutionStartedEventAttributes"]
    return str(started["workflowId"])


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
async def test_replays(file: Path) -> None:
    """A history recorded by an earlier version leads today's code through the same commands."""
    await replayer(ShareRequest, ExportRun).replay_workflow(history(file))


@workflow.defn(name="ShareRequest", sandboxed=False)
class Impostor:
    """A workflow of the same name that does something else."""

    @workflow.run
    async def run(self, request_id: str) -> str:
        """Sleeps, which no kept history begins with."""
        await workflow.sleep(1)
        return request_id


async def test_replayer_can_fail() -> None:
    """Another order of commands under the same name is noticed."""
    file = HISTORIES / "share_request" / "cleared.v1.json"
    with pytest.raises(workflow.NondeterminismError):
        await replayer(Impostor).replay_workflow(history(file))


def test_no_orphans() -> None:
    """Every kept history belongs to a scenario, and every version has one of each that it knew."""
    versions = range(1, VERSION + 1)
    kept = {file.stem for file in FILES if file.parent.name == "share_request"}
    names = [scenario.__name__ for scenario in SCENARIOS]
    assert kept == {f"{s}.v{n}" for s in names for n in versions if n >= SINCE.get(s, 1)}
    runs = {file.stem for file in FILES if file.parent.name == "export_run"}
    assert runs == {f"delivered.v{n}" for n in range(1, VERSION + 1)}
