"""What a script with boto3 does: `python -m tests.bench.boto3_copy BUCKET PREFIX BUCKET PREFIX`.

It lists the photos and has the store copy each, in as many threads as boto3's own transfers use."""

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3

THREADS = 10


def main() -> None:
    """Copies everything below one prefix to another one."""
    source, prefix, target, to = sys.argv[1:]
    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=source, Prefix=prefix + "/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]

    def copy(key: str) -> None:
        client.copy_object(
            Bucket=target,
            Key=to + key.removeprefix(prefix),
            CopySource={"Bucket": source, "Key": key},
        )

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(copy, keys))


if __name__ == "__main__":
    main()
