"""The bare workflow's worker, in a process of its own as Clearance's is: `ADDRESS` of Temporal."""

import asyncio
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from tests.bench.bare_workflow import QUEUE, BareRequest, note


async def main(address: str) -> None:
    """Works until it is terminated."""
    client = await Client.connect(address)
    await Worker(client, task_queue=QUEUE, workflows=[BareRequest], activities=[note]).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
