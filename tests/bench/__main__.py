"""`python -m tests.bench NAME [--json] [--quick]`: progress to stderr, the result to stdout."""

import argparse
import asyncio
import importlib
import os
import sys

from tests.bench.report import PeerMissing, Report, as_json, show

BENCHES = {
    "consent": "tests.bench.consent",
    "export": "tests.bench.export",
    "pages": "tests.bench.pages",
    "requests": "tests.bench.requests",
    "screening": "tests.bench.screening",
}


def main() -> int:
    """0 done, 1 a peer is missing, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHES))
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, rougher")
    given = parser.parse_args()
    bench = importlib.import_module(BENCHES[given.name])
    try:
        report: Report = asyncio.run(bench.run(quick=given.quick))
    except PeerMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    show(report)
    if given.json:
        print(as_json(report))
    return 0


if __name__ == "__main__":
    status = main()
    # The Temporal SDK's threads now and then crash a Python that is being taken down.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
