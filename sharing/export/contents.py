"""The objects of a package against its manifest, byte by byte.

Tar headers are compared, not parsed: the manifest's row says what the header must be."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Protocol

import pyrage

from sharing.export import tar
from sharing.export.broken import PackageBroken
from sharing.export.layout import CROISSANT, MANIFEST, SUMMARY, TABLE
from sharing.export.manifest import Row
from sharing.export.paths import shown
from sharing.export.table_check import TableCheck
from sharing.offered import PHOTO

_CHUNK = 1 << 20


class _Check(Protocol):
    """Takes the plain bytes of one file in order; raises PackageBroken where they differ."""

    def write(self, data: bytes) -> int: ...
    def flush(self) -> None: ...
    def end(self) -> None: ...


class Contents:
    """The files of a package that holds exactly the sealed ones."""

    def __init__(
        self,
        package: Path,
        digests: dict[str, str],
        sizes: dict[str, int],
        age_identity: str | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._package = package
        self._digests = digests
        self._identity = _identity(age_identity)
        self._progress = progress
        self._total = sum(sizes[path] for path in digests)
        self._done = 0
        self._unopened = 0
        self._waiting = set(digests) - {MANIFEST, SUMMARY, CROISSANT}

    def check_whole(self, path: str) -> None:
        """One file against its digest."""
        self._through(path, None)

    def check_objects(self, rows: Iterator[Row], summary: dict[str, Any]) -> None:
        """Every row of the manifest against the file that holds its object."""
        suffix = ".age" if summary["encryption"] else ""
        fields = [field for field in summary.get("fields", ()) if field["name"] != PHOTO]
        columns = ",".join(sorted({field["category"] for field in fields}))
        may_be = {summary["category"], columns}
        before = ""
        for shard, group in groupby(rows, key=lambda row: row.shard):
            if shard <= before:
                raise PackageBroken(MANIFEST, f"Its rows of {shown(shard)} are out of order.")
            before = shard
            listed = _ordered(shard, group, may_be)
            if summary["packing"] == "webdataset":
                self._check(shard + suffix, _Tar(shard + suffix, listed))
                continue
            if summary["packing"] == TABLE:
                names = [field["name"] for field in fields]
                self._check(shard + suffix, TableCheck(shard + suffix, listed, names))
                continue
            for row in listed:
                if not row.path.startswith(f"{shard}/"):
                    raise PackageBroken(MANIFEST, f"{shown(row.path)} is not in {shown(shard)}.")
                self._check(row.path + suffix, _Whole(row.path + suffix, row))
        if self._waiting:
            raise PackageBroken(min(self._waiting), "No row of the manifest names it.")

    def sentence(self, objects: int) -> str:
        """What was looked at inside the data files."""
        if self._unopened:
            return (
                f"Not checked: the {objects} objects inside the encrypted files. "
                "Give the age identity to look into them."
            )
        return f"All {objects} objects are what the manifest says, one by one."

    def _check(self, path: str, check: _Check) -> None:
        if path not in self._waiting:
            raise PackageBroken(path, "The manifest names it, but it is not a sealed data file.")
        self._waiting.remove(path)
        if not path.endswith(".age"):
            self._through(path, check)
            check.end()
            return
        self._through(path, None)
        if self._identity is None:
            self._unopened += 1
        else:
            _decrypted(self._package / path, path, check, self._identity)

    def _through(self, path: str, check: _Check | None) -> None:
        """Reads the file once: for its digest, and for its content where it is plain."""
        digest, broken = sha256(), None
        with (self._package / path).open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                if check is not None and broken is None:
                    try:
                        check.write(chunk)
                    except PackageBroken as error:
                        broken = error
                self._done += len(chunk)
                if self._progress is not None:
                    self._progress(self._done, self._total)
        if digest.hexdigest() != self._digests[path]:
            raise PackageBroken(path, "It was changed after it was sealed.")
        if broken is not None:
            raise broken


def _identity(text: str | None) -> object | None:
    if text is None:
        return None
    try:
        identity: object = pyrage.x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError:
        raise ValueError("This is not an age identity: it begins with AGE-SECRET-KEY-1.") from None
    return identity


def _ordered(shard: str, rows: Iterator[Row], may_be: set[str]) -> Sequence[Row]:
    listed = list(rows)
    for row, following in pairwise(listed):
        if row.path >= following.path:
            raise PackageBroken(MANIFEST, f"Its rows of {shown(shard)} are out of order.")
    for row in listed:
        if row.category not in may_be or row.bytes < 0:
            raise PackageBroken(MANIFEST, f"Its row of {shown(row.path)} cannot be.")
    return listed


def _decrypted(file: Path, path: str, check: _Check, identity: object) -> None:
    passed = _Passed(check)
    try:
        with file.open("rb") as encrypted:
            pyrage.decrypt_io(encrypted, passed, [identity])
        check.end()
    except (pyrage.DecryptError, OSError):
        # pyrage turns what `check` raised into text of its own: raise the thing itself.
        raise passed.broken or PackageBroken(
            path, "It cannot be decrypted with this identity."
        ) from None


class _Passed:
    """Hands decrypted bytes on, and remembers what was wrong with them."""

    def __init__(self, check: _Check) -> None:
        self.broken: PackageBroken | None = None
        self._check = check

    def write(self, data: bytes) -> int:
        try:
            return self._check.write(data)
        except PackageBroken as error:
            self.broken = error
            raise

    def flush(self) -> None:
        """Nothing is held back."""


class _Whole:
    """An object that is a file of its own."""

    def __init__(self, path: str, row: Row) -> None:
        self._path = path
        self._row = row
        self._digest = sha256()
        self._bytes = 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self._bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def end(self) -> None:
        """Compares what came with the manifest's row."""
        if (self._bytes, self._digest.hexdigest()) != (self._row.bytes, self._row.sha256):
            raise PackageBroken(self._path, "It is not the object that the manifest describes.")


class _Tar:
    """A shard: header, object, padding for each row, then the end, and not a byte besides."""

    def __init__(self, path: str, rows: Sequence[Row]) -> None:
        self._path = path
        self._steps = self._expected(rows)
        self._left = next(self._steps)  # bytes until the current step is over
        self._digest = sha256()

    def _expected(self, rows: Sequence[Row]) -> Iterator[int]:
        """Yields how many bytes come next; checks them once they went through the digest."""
        for row in rows:
            try:
                head = tar.header(row.path, row.bytes)
            except ValueError as error:
                raise PackageBroken(MANIFEST, str(error)) from None
            yield from self._same(sha256(head).hexdigest(), len(head), row)
            yield from self._same(row.sha256, row.bytes, row)
            filled = tar.padding(row.bytes)
            yield from self._same(sha256(filled).hexdigest(), len(filled), row)
        yield from self._same(sha256(tar.END).hexdigest(), len(tar.END), None)

    def _same(self, digest: str, size: int, row: Row | None) -> Iterator[int]:
        if size:
            yield size
        if self._digest.hexdigest() != digest:
            where = "at its end" if row is None else f"at the object {shown(row.path)}"
            raise PackageBroken(self._path, f"It is not what the manifest describes, {where}.")
        self._digest = sha256()

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            if not self._left:
                raise PackageBroken(self._path, "It goes on after its end.")
            self._digest.update(view[: self._left])
            taken = min(len(view), self._left)
            view = view[taken:]
            self._left -= taken
            if not self._left:
                self._left = next(self._steps, 0)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def end(self) -> None:
        """Compares the length."""
        if self._left:
            raise PackageBroken(self._path, "It ends too early.")


__all__ = ["Contents", "PackageBroken"]
