"""The bare workflow's worker, in a process of its own as Clearance's is: `ADDRESS` of Temporal."""

import asyncio
import gc
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from tests.bench.bare_workflow import QUEUE, BareRequest, note


async def main(address: str) -> None:
    """Works until it is terminated."""
    client = await Client.connect(address)
    await Worker(client, task_queue=QUEUE, workflows=[BareRequest], activities=[note]).run()


if __name__ == "__main__":
    gc.collect()  # as `clearance worker control` sets it
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    asyncio.run(main(sys.argv[1]))
