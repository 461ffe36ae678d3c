"""What travels through Temporal: inputs, results, workflow ids and queue names. Opaque ids only.

Moments are RFC 3339 text: inside the sandbox `datetime` is a guarded twin of the real class, which
Temporal's converter does not take for it."""

from dataclasses import dataclass

from sharing.stages import ExportState, Outcome, RequestState, Stage

CONTROL_QUEUE = "clearance-control"
EXPORT_QUEUE = "clearance-export"


def request_workflow(request_id: str) -> str:
    """The workflow id of a request."""
    return f"share-request:{request_id}"


def export_workflow(export_id: str) -> str:
    """The workflow id of an export."""
    return f"export:{export_id}"


def index_workflow(dataset_id: str) -> str:
    """The workflow id of a dataset's scan."""
    return f"index-dataset:{dataset_id}"


@dataclass(frozen=True, slots=True)
class Opening:
    """Open this gate of this digest; `at` is when the workflow came to it."""

    request_id: str
    digest: str
    stage: Stage
    at: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The gate is open until then. `outcome` is set if it was closed already, which a restarted
    workflow meets; `wait_seconds` is then what is left of the wait that followed. `moved`: it is
    not this gate's turn, for the request has moved on in the database."""

    until: str
    outcome: Outcome | None = None
    wait_seconds: float = 0.0
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """Count the consent of this digest's scope, and keep the report."""

    request_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """A revision is recorded under this digest."""

    digest: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What the gate came to; None while it needs more people. `wait_seconds`: how long to wait for
    what comes next, if anything: the trigger behind a clearance, the partner behind a return."""

    outcome: Outcome | None
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Lapse:
    """A deadline passed: at a gate, while returned, or while cleared."""

    request_id: str
    digest: str
    state: RequestState


@dataclass(frozen=True, slots=True)
class Triggered:
    """An export exists; it runs at once, or waits for a second engineer."""

    export_id: str
    needs_confirmation: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A request as the database knows it, for a workflow that has to be taken up again."""

    digest: str
    state: RequestState
    export: Triggered | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class ExportEnd:
    """How an export ended; `code` names the cause where it failed."""

    export_id: str
    state: ExportState
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """Export this shard."""

    export_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The shards an export consists of, numbered from 0, and after how many seconds of silence an
    attempt at one is given up."""

    shards: int
    silence: float = 10.0


@dataclass(frozen=True, slots=True)
class ReleaseAttempt:
    """Released, or the shards whose consent changed meanwhile and that must be made again."""

    released: bool
    stale: tuple[int, ...] = ()
