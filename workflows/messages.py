"""What travels through Temporal: inputs, results, workflow ids and queue names. Opaque ids only.

Moments are RFC 3339 text: inside the sandbox `datetime` is a guarded twin of the real class, which
Temporal's converter does not take for it."""

from dataclasses import dataclass

from sharing.stages import ExportState, Outcome, RequestState, Stage

CONTROL_QUEUE = "clearance-control"
EXPORT_QUEUE = "clearance-export"
PRIORITY = 3  # of an export that nobody said anything about; Temporal's own default too


def request_workflow(request_id: str) -> str:
    """The workflow id of a request."""
    return f"share-request:{request_id}"


def export_workflow(export_id: str) -> str:
    """The workflow id of an export."""
    return f"export:{export_id}"


def dry_run_workflow(request_id: str) -> str:
    """The workflow id of a dry run."""
    return f"dry-run:{request_id}"


def preview_workflow(request_id: str) -> str:
    """The id of the workflow that looks at a few photos of a request's scope."""
    return f"previews:{request_id}"


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
    workflow meets; `wait_seconds` is then what is left of the wait that followed. `accepted` is
    False while an approval at the legal gate waits for the partner's yes to the agreement.
    `told_at`: when people are to be reminded, or others told; histories from before there was such
    a thing have none, and wait as they did. `moved`: it is not this gate's turn, for the request
    has moved on in the database."""

    until: str
    outcome: Outcome | None = None
    wait_seconds: float = 0.0
    accepted: bool = True
    told_at: str | None = None
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody is to be told that this gate waits."""

    request_id: str
    digest: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Told:
    """It was told; `told_at`: when there is more to be told, if there is."""

    told_at: str | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """Count the consent of this digest's scope, and keep the report."""

    request_id: str
    digest: str


# The activities that count a whole scope, and beat with a Progress.
COUNTS = frozenset({"survey_consent", "consent_findings"})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a count has come: `done` of `total` of what the step goes through."""

    step: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Submitted:
    """A revision is recorded under this digest. `survey`: its consent is to be counted as it is at
    submission; histories from before that was said here say it by a patch, or never did it."""

    digest: str
    survey: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """What the gate came to; None while it needs more people. `wait_seconds`: how long to wait for
    what comes next, if anything: the trigger behind a clearance, the partner behind a return."""

    outcome: Outcome | None
    wait_seconds: float = 0.0
    accepted: bool = True


@dataclass(frozen=True, slots=True)
class Accepted:
    """The partner's yes is recorded. `cleared`: counsel's was there before, so that the clearance
    was sealed; `wait_seconds` is then how long it allows a trigger."""

    cleared: bool
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Lapse:
    """A deadline passed: at a gate, while returned, or while cleared."""

    request_id: str
    digest: str
    state: RequestState


@dataclass(frozen=True, slots=True)
class Triggered:
    """An export exists; it runs at once, or waits for a second engineer. `priority`: 1 comes before
    5 where several wait for the same workers."""

    export_id: str
    needs_confirmation: bool
    priority: int = PRIORITY


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
    attempt at one is given up. `window`: how many are under way at once; `lap`: how many one run of
    the workflow does before the next run goes on, with a history of its own; `objects`: how many
    are in scope."""

    shards: int
    silence: float = 10.0
    window: int = 4
    lap: int = 1000
    objects: int = 0


@dataclass(frozen=True, slots=True)
class ShardDone:
    """What a committed shard came to."""

    objects: int = 0
    bytes: int = 0
    excluded: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """All that one run of an export's workflow hands to the next: the plan, the first shard that
    was not begun, those that are to be made again, how many shard runs were done, what they came
    to (a shard that is made again counts once), when the first was begun (RFC 3339), and whether an
    engineer paused it."""

    plan: Plan
    next: int = 0
    stale: tuple[int, ...] = ()
    done: int = 0
    made: ShardDone = ShardDone()
    begun: str = ""
    paused: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseAttempt:
    """Released, or the shards whose consent changed meanwhile and that must be made again."""

    released: bool
    stale: tuple[int, ...] = ()
