"""The demo's photos: drawn ones, or copies of somebody's own with an index of whose they are.

`python -m api.demo.photos FOLDER` draws them into any folder, to try things with.
"""

import csv
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from api.demo.places import before
from api.told import Told
from sharing.export.index import MEDIA_TYPES
from sharing.export.minimise import Unreadable, format_of, minimise
from sharing.export.paths import why_unsafe

DRAWN = 120
CUT_SHORT = 2  # drawn photos that end in the middle, as a broken upload leaves them


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo in the demo's dataset: its path there, its subject, and whether it is whole."""

    path: str
    subject: str
    readable: bool


@dataclass(frozen=True, slots=True)
class Album:
    """The dataset's folder, how its subjects are known, what is in it, and how many photos tell
    where they were taken."""

    folder: Path
    subject_from: str
    photos: tuple[Photo, ...]
    located: int

    @property
    def subjects(self) -> list[str]:
        """Everyone in the photos, in a stable order."""
        return sorted({photo.subject for photo in self.photos})


def drawn(folder: Path) -> Album:
    """Portraits of people who do not exist; two of the files are cut short."""
    from api.demo.portraits import draw

    draw(folder, DRAWN)
    files = sorted(_images(folder))
    step = len(files) // (CUT_SHORT + 1)
    for file in files[step::step][:CUT_SHORT]:
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) * 2 // 3])
    photos = tuple(_photo(folder, file, file.relative_to(folder).parts[0]) for file in files)
    return _album(folder, "path:{subject}/*", photos)


def copied(source: Path, folder: Path) -> Album:
    """Copies of every image below `source`, one subject each; `source` itself is only read."""
    files = sorted(_images(source)) if source.is_dir() else []
    if not files:
        kinds = ", ".join(MEDIA_TYPES)
        raise Told(f"There are no photos under {source}: give a folder with {kinds} files.")
    photos = []
    for number, file in enumerate(files, 1):
        name = file.relative_to(source).as_posix()
        if _odd(name):
            name = f"renamed/{number:06}{file.suffix.lower()}"
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        photos.append(_photo(folder, target, f"person-{number:06}"))
    _write_index(folder / "index.csv", photos)
    return _album(folder, "index.csv", tuple(photos))


def _album(folder: Path, subject_from: str, photos: tuple[Photo, ...]) -> Album:
    return Album(folder, subject_from, photos, before(folder, (photo.path for photo in photos)))


def _photo(folder: Path, file: Path, subject: str) -> Photo:
    data = file.read_bytes()
    try:
        minimise(data, format_of(data))
        readable = True
    except Unreadable:
        readable = False
    return Photo(file.relative_to(folder).as_posix(), subject, readable)


def _images(folder: Path) -> Iterator[Path]:
    """Plain files with an image's ending, at any depth; no link is followed."""
    for entry in folder.iterdir():
        if entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _images(entry)
        elif entry.suffix.lower() in MEDIA_TYPES and entry.is_file():
            yield entry


def _odd(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return why_unsafe(name) is not None


def _write_index(file: Path, photos: list[Photo]) -> None:
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(["object", "subject"])
        writer.writerows([photo.path, photo.subject] for photo in photos)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m api.demo.photos FOLDER")
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    made = drawn(place)
    sys.stdout.write(f"{len(made.photos)} photos of {len(made.subjects)} people in {place}\n")
