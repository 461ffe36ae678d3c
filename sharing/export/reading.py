"""Reads a dataset's objects from wherever it lies: plain files in a folder, or an object store."""

from collections.abc import Iterator, Sequence
from mmap import mmap
from pathlib import Path

from sharing.export import bucket_source, source
from sharing.export.bucket import Bucket
from sharing.export.source import Candidate, Unread


def read(
    place: Path | Bucket, candidates: Sequence[Candidate]
) -> Iterator[tuple[Candidate, bytes | mmap | Unread]]:
    """Each candidate in turn with its bytes, or with why not; SourceFailed where none can be read.
    A large object comes as a map of a file."""
    if isinstance(place, Bucket):
        return bucket_source.read(place, candidates)
    return source.read(place, candidates)
