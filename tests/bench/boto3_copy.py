"""What a script with boto3 does, as `python -m ... HOW BUCKET PREFIX BUCKET PREFIX`.

It lists the photos and, in as many threads as boto3's own transfers use, gets and puts each
(`through`), as whoever wants to see the bytes must, or has the server copy it (`there`)."""

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3

THREADS = 10


def main() -> None:
    """Copies everything below one prefix to another one."""
    how, source, prefix, target, to = sys.argv[1:]
    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=source, Prefix=prefix + "/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]

    def through(key: str) -> None:
        data = client.get_object(Bucket=source, Key=key)["Body"].read()
        client.put_object(Bucket=target, Key=to + key.removeprefix(prefix), Body=data)

    def there(key: str) -> None:
        client.copy_object(
            Bucket=target,
            Key=to + key.removeprefix(prefix),
            CopySource={"Bucket": source, "Key": key},
        )

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map({"through": through, "there": there}[how], keys))


if __name__ == "__main__":
    main()
