"""How long things may take and how often they are tried, by kind of work."""

from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy

# A person waits for the answer: a few tries, then say that it could not be done.
ANSWER: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=20),
    "schedule_to_close_timeout": timedelta(minutes=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200), backoff_coefficient=2.0, maximum_attempts=4
    ),
}

# Nobody waits, and it must happen: for ever.
RECORD: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30)
    ),
}

# Reads a whole scope; as long as it beats, it may take its time (F3). A worker that dies is noticed
# within the heartbeat timeout, and the count begins anew elsewhere.
SURVEY: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=6),
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
    ),
}

# Moves bytes; a worker that dies is noticed within the heartbeat timeout.
MOVE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=6),
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30)
    ),
}

BEAT = timedelta(seconds=2)  # at most; and at least so many beats within a heartbeat timeout:
BEATS = 4
GLANCE = timedelta(seconds=1)  # what is nice to know, and never waited for
UPDATE_ANSWER = timedelta(seconds=45)
