"""`python -m tests.bench.consent_file LINES`: a ledger as NDJSON on stdout, for `consent import`.

`--index FOLDER OBJECTS` makes a dataset of its first subjects besides: an object each, all of them
one small image under many names, and `index.csv`."""

import argparse
import csv
import sys
from datetime import UTC, datetime
from pathlib import Path

from pydantic_core import to_json

from sharing.records.ledger import NEVER, TERMS
from tests.bench.consent_ledger import EVENTS_A_SUBJECT, Made, distinct, name

A_FOLDER = 10_000
# A whole JPEG of one grey pixel.
PIXEL = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300"
    + "01" * 64
    + "ffc0000b080001000101011100ffc40014000100000000000000000000000000000009"
    "ffc40014100100000000000000000000000000000000ffda0008010100003f0054ffd9"
)


def lines(made: Made) -> None:
    """Writes a line an event, each under a source id of its own."""
    said = [
        {key: value for key, value in zip(TERMS, terms, strict=True) if value is not None}
        for terms in distinct()
    ]
    write = sys.stdout.buffer.write
    for page in made.pages():
        columns = (page.subject, page.statement, page.at, page.until)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for place, (subject, statement, at, until) in enumerate(rows, page.first):
            ends = {} if until == NEVER else {"valid_until": moment(until)}
            line = {"subject": name(subject), **said[statement], "at": moment(at), **ends,
                    "source": "bench", "source_id": f"e{place}"}  # fmt: skip
            write(to_json(line) + b"\n")


def moment(micros: int) -> datetime:
    """Microseconds since 1970, as a moment."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def index(folder: Path, objects: int) -> None:
    """Hard links to a few files in folders of A_FOLDER, and whose each is."""
    with (folder / "index.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["object", "subject"])
        for number in range(objects):
            part = folder / f"{number // A_FOLDER:04d}"
            original = part / "0.jpg"
            if number % A_FOLDER == 0:
                part.mkdir(parents=True)
                original.write_bytes(PIXEL)
            else:
                (part / f"{number % A_FOLDER}.jpg").hardlink_to(original)
            rows.writerow([f"{part.name}/{number % A_FOLDER}.jpg", name(number)])


def main() -> None:
    """Events to stdout; objects where `--index` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=int)
    parser.add_argument("--index", nargs=2, metavar=("FOLDER", "OBJECTS"))
    given = parser.parse_args()
    if given.index:
        folder = Path(given.index[0])
        folder.mkdir(parents=True)
        index(folder, int(given.index[1]))
    lines(Made(max(int(given.lines / EVENTS_A_SUBJECT), 1), given.lines))


if __name__ == "__main__":
    main()
