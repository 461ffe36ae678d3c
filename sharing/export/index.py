"""What a dataset holds: a walk over its folder that names each object and its subject."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from sharing.errors import Refused, bad_field
from sharing.export import index_file, taken
from sharing.export.paths import shown, why_unsafe
from sharing.export.subject_from import check_subject_from, index_file_name, subject_pattern

MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heic",
    ".hif": "image/heic",
}

_REPORT_EVERY = 500


@dataclass(frozen=True, slots=True)
class IndexedObject:
    """One object of a dataset. `path` is relative to its folder, with `/`; times are UTC."""

    path: str
    subject: str
    bytes: int
    modified_ns: int
    media_type: str
    taken_at: datetime | None
    row: int | None = None  # its subject's in the dataset's table


def scan(
    location: str, subject_from: str, progress: Callable[[int], None] | None = None
) -> Iterator[IndexedObject]:
    """Every image in the folder whose subject is known, sorted by path.

    `location` is a folder's path or file:// URL. Links are never followed. Files that the
    pattern does not fit are not objects of the dataset. `progress` is told how many were found.
    Raises Refused: `missing_folder`, `missing_index`, `bad_index` (with the line), `invalid_body`.
    """
    check_subject_from(subject_from)
    folder = folder_of(location)
    if not folder.is_dir():
        raise Refused("missing_folder", f"There is no folder {folder}: check the location.")
    if subject_from.startswith("path:"):
        found = _by_pattern(folder, subject_pattern(subject_from))
    else:
        found = _by_index_file(folder, folder / index_file_name(subject_from))
    return counted(found, progress)


def folder_of(location: str) -> Path:
    """The folder that a dataset's location names; raises Refused for any other kind of place."""
    if "://" not in location:
        return Path(location).absolute()
    url = urlsplit(location)
    if url.scheme != "file" or url.netloc not in ("", "localhost"):
        raise bad_field("location", f"{shown(location)} is neither a folder nor a file:// URL.")
    return Path(unquote(url.path))


def counted(
    found: Iterator[IndexedObject], progress: Callable[[int], None] | None
) -> Iterator[IndexedObject]:
    """The same objects; `progress` is told now and then how many there were."""
    count = 0
    for count, item in enumerate(found, 1):
        if progress is not None and count % _REPORT_EVERY == 0:
            progress(count)
        yield item
    if progress is not None:
        progress(count)


def _by_pattern(folder: Path, subject_of: Callable[[str], str | None]) -> Iterator[IndexedObject]:
    for path, size, modified, media_type in _images(str(folder), ""):
        subject = subject_of(path)
        if subject is not None:
            taken = _taken_at(folder / path)
            yield IndexedObject(path, subject, size, modified, media_type, taken)


def _by_index_file(folder: Path, file: Path) -> Iterator[IndexedObject]:
    for row in index_file.rows(file):
        media_type = media_type_of(row.object)
        status = _regular(folder, row.object)
        if media_type is None or status is None:
            what = "is not an image" if media_type is None else "is not a file in the folder"
            raise index_file.bad_index(
                file, row.line, f"the object {shown(row.object)} {what}; correct or drop the line."
            )
        taken = row.taken_at or _taken_at(folder / row.object)
        size, modified = status.st_size, status.st_mtime_ns
        yield IndexedObject(row.object, row.subject, size, modified, media_type, taken)


def _images(folder: str, prefix: str) -> Iterator[tuple[str, int, int, str]]:
    """(path, bytes, modified_ns, media type), in the order of whole paths: hence the slash."""
    with os.scandir(folder) as listing:
        entries = [(entry, entry.is_dir(follow_symlinks=False)) for entry in listing]
    entries.sort(key=lambda item: item[0].name + "/" if item[1] else item[0].name)
    for entry, is_folder in entries:
        path = prefix + entry.name
        if is_folder:
            yield from _images(entry.path, path + "/")
            continue
        media_type = media_type_of(entry.name)
        if media_type is None or not entry.is_file(follow_symlinks=False):
            continue
        _refuse_odd_name(folder, path)
        status = entry.stat(follow_symlinks=False)
        yield path, status.st_size, status.st_mtime_ns, media_type


def _refuse_odd_name(folder: str, path: str) -> None:
    """A name that no database can store as text would otherwise be lost in silence."""
    try:
        path.encode()
        odd = why_unsafe(path)
    except UnicodeEncodeError:
        odd = "is not UTF-8"
    if odd:
        raise Refused(
            "bad_index", f"In {folder} the name {shown(path)} {odd}: rename it, then index again."
        )


def _regular(folder: Path, path: str) -> os.stat_result | None:
    """The status of a plain file inside the folder, reached without any link; else None."""
    root = os.path.realpath(folder)
    whole = os.path.join(root, path)
    try:
        status = os.lstat(whole)
    except OSError:
        return None
    plain = stat.S_ISREG(status.st_mode) and os.path.realpath(whole) == whole
    return status if plain else None


def media_type_of(name: str) -> str | None:
    """The media type that a file's name tells; None where it is no image's."""
    return MEDIA_TYPES.get(PurePosixPath(name).suffix.lower())


def _taken_at(file: Path) -> datetime | None:
    try:
        with file.open("rb", buffering=0) as photo:
            return taken.taken_at(lambda at, size: os.pread(photo.fileno(), size, at))
    except OSError:
        return None


__all__ = ["MEDIA_TYPES", "IndexedObject", "check_subject_from", "folder_of", "scan"]
