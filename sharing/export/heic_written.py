"""Writes a HEIC file that has nothing but the items that were kept, numbered from 1."""

from dataclasses import dataclass, field

from sharing.export.iso_boxes import versioned, written
from sharing.export.unreadable import Piece, Unreadable

_LARGEST_MEDIA = 2**32 - 9  # bytes of a box `mdat` with a short size
_MOST_SMALL = 127  # properties that a number of seven bits can name


@dataclass(slots=True)
class Kept:
    """An item that stays: a coded `image`, or a `grid` of `tiles`; `properties` are whole boxes,
    each with whether nobody may show the item without it."""

    number: int
    kind: bytes
    hidden: bool
    tiles: list[int]
    properties: list[tuple[bytes, bool]] = field(default_factory=list)
    image: list[Piece] = field(default_factory=list)
    grid: bytes = b""


def file_of(
    brands: bytes, items: list[Kept], references: list[tuple[bytes, int, list[int]]]
) -> list[Piece]:
    """The pieces of the file; the first item is its picture."""
    numbers = {item.number: number for number, item in enumerate(items, 1)}
    images = [piece for item in items for piece in item.image]
    size = sum(map(len, images))
    head = written(b"ftyp", brands)
    media = _media(size)
    begin = len(head) + len(_meta(items, numbers, references, 0)) + len(media)
    return [head + _meta(items, numbers, references, begin) + media, *images]


def _media(size: int) -> bytes:
    if size <= _LARGEST_MEDIA:
        return (8 + size).to_bytes(4, "big") + b"mdat"
    return (1).to_bytes(4, "big") + b"mdat" + (16 + size).to_bytes(8, "big")


def _meta(
    items: list[Kept],
    numbers: dict[int, int],
    references: list[tuple[bytes, int, list[int]]],
    begin: int,
) -> bytes:
    """The index of the file; the images' bytes begin at `begin`."""
    grids = b"".join(item.grid for item in items)
    return versioned(
        b"meta", 0, 0,
        versioned(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
        versioned(b"pitm", 0, 0, b"\x00\x01"),
        _locations(items, begin),
        _items(items),
        _references(numbers, references),
        _properties(items),
        written(b"idat", grids) if grids else b"",
    )  # fmt: skip


def _locations(items: list[Kept], begin: int) -> bytes:
    rows, inside = [], 0
    for number, item in enumerate(items, 1):
        size = len(item.grid) or sum(map(len, item.image))
        place = inside if item.grid else begin
        rows.append(
            _two(number) + _two(1 if item.grid else 0) + bytes(2) + b"\x00\x01"
            + place.to_bytes(8, "big") + size.to_bytes(8, "big")
        )  # fmt: skip
        if item.grid:
            inside += size
        else:
            begin += size
    return versioned(b"iloc", 1, 0, b"\x88\x00", _two(len(items)), *rows)


def _items(items: list[Kept]) -> bytes:
    rows = [
        versioned(b"infe", 2, int(item.hidden), _two(number), bytes(2), item.kind, b"\x00")
        for number, item in enumerate(items, 1)
    ]
    return versioned(b"iinf", 0, 0, _two(len(items)), *rows)


def _references(numbers: dict[int, int], references: list[tuple[bytes, int, list[int]]]) -> bytes:
    rows = [
        written(kind, _two(numbers[source]), _two(len(to)), *(_two(numbers[item]) for item in to))
        for kind, source, to in references
        if to
    ]
    return versioned(b"iref", 0, 0, *rows) if rows else b""


def _properties(items: list[Kept]) -> bytes:
    """Each property once, and which item has which."""
    different = list(dict.fromkeys(box for item in items for box, _ in item.properties))
    if len(different) >= 2**15:
        raise Unreadable("This HEIC has too many properties.")
    places = {box: place for place, box in enumerate(different, 1)}
    size = 1 if len(different) <= _MOST_SMALL else 2
    essential = 1 << (8 * size - 1)
    rows = [
        _two(number)
        + bytes((len(item.properties),))
        + b"".join(
            (places[box] | essential * must).to_bytes(size, "big") for box, must in item.properties
        )
        for number, item in enumerate(items, 1)
    ]
    count = len(items).to_bytes(4, "big")
    return written(
        b"iprp",
        written(b"ipco", *different),
        versioned(b"ipma", 0, size - 1, count, *rows),
    )


def _two(number: int) -> bytes:
    return number.to_bytes(2, "big")
