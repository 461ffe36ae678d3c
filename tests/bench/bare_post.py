"""The peer of a durable POST: the same body, validated by the same model, kept nowhere.

`python -m tests.bench.bare_post PORT`. Served exactly as `clearance api` serves.
"""

import gc
import socket
import sys

import uvicorn
from fastapi import FastAPI

from api.routes.interests import NewInterest

app = FastAPI()


@app.post("/v1/interests", status_code=201)
async def declare(body: NewInterest) -> dict[str, object]:
    """An answer of the same shape and size, after validation and nothing else."""
    return {
        "id": "int_" + "0" * 20,
        "person": body.person,
        "organisation": {"name": body.organisation.name, "lei": body.organisation.lei},
        "kind": body.kind,
        "from": body.since,
        "until": body.until,
        "detail": body.detail,
        "declared_by": body.person,
        "declared_at": "2026-01-01T00:00:00Z",
        "recused_from": [],
    }


class Server(uvicorn.Server):
    """With the garbage collector set as `clearance api` sets it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then takes what start-up made out of the collector's rounds."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)


if __name__ == "__main__":
    Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=int(sys.argv[1]),
            http="httptools",
            loop="uvloop",
            access_log=False,
            log_config=None,
        )
    ).run()
