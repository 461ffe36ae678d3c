"""The sandbox that workflows run in, and who is asked whom a payload belongs to.

Our encryption binds each payload to one workflow, so the library asks of each payload, twice, to
which: inside the sandbox, where asking costs more than opening the payload does. Of nearly all of
them it is known outside: a workflow's own payloads, and those of its activities, belong to it."""

from typing import Any

from temporalio.api.enums.v1 import CommandType
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import (
    SerializationContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
    WorkflowSerializationContext,
)
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

# `sharing` as one whole, and of `workflows` what only names things: its code stays guarded.
PASSED_THROUGH = SandboxRestrictions.default.with_passthrough_modules(
    "sharing",
    "workflows.messages",
    "workflows.timeouts",
    "pydantic",
    "sqlmodel",
    "sqlalchemy",
    "rfc8785",
    "cryptography",
)
OWN = frozenset({None, CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK})


class Sandbox(SandboxedWorkflowRunner):
    """The library's sandbox, with our restrictions."""

    def __init__(self) -> None:
        super().__init__(restrictions=PASSED_THROUGH)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A workflow in a sandbox of its own."""
        return Known(super().create_instance(det), det.info)


class Known(WorkflowInstance):
    """A workflow whose identity is known outside of its sandbox."""

    def __init__(self, inside: WorkflowInstance, info: Info) -> None:
        self.inside = inside
        self._owner = WorkflowSerializationContext(info.namespace, info.workflow_id)
        self._target = StorageDriverStoreContext(
            target=StorageDriverWorkflowInfo(
                id=info.workflow_id,
                run_id=info.run_id,
                type=info.workflow_type,
                namespace=info.namespace,
            )
        )

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """What the workflow does now: inside."""
        return self.inside.activate(act)

    def get_serialization_context(self, command_info: Any) -> SerializationContext | None:
        """To which workflow a payload belongs: of another one only the inside knows."""
        if _of_its_own(command_info):
            return self._owner
        return self.inside.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        """For whom large payloads would be stored; we set no such store."""
        if _of_its_own(command_info):
            return self._target
        return self.inside.get_external_store_context(command_info)

    def get_info(self) -> Info:
        """Who the workflow is."""
        return self.inside.get_info()

    def get_thread_id(self) -> int | None:
        """The thread that it runs on just now."""
        return self.inside.get_thread_id()


def _of_its_own(command_info: Any) -> bool:
    return getattr(command_info, "command_type", None) in OWN
