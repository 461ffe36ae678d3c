"""What is in a HEIC file: the box `meta` (ISO/IEC 23008-12), read strictly and believed nowhere.

Everything in it is an item: the picture, its tiles, thumbnails, depth maps, EXIF, XMP."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sharing.export.iso_boxes import Box, Fields, boxes
from sharing.export.unreadable import Unreadable

LARGEST = 8 * 1024 * 1024  # bytes of the whole index
_MOST_ITEMS = 65_535


@dataclass(slots=True)
class Item:
    """One item. `extents` are (is it in `idat`, offset, bytes); `properties` (place in the list of
    properties, counted from 0, and whether nobody may show the item without it)."""

    number: int
    kind: bytes
    hidden: bool
    extents: list[tuple[bool, int, int]] = field(default_factory=list)
    properties: list[tuple[int, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Index:
    """A file's items by number, the properties that they share, and which item refers to which."""

    primary: int = -1
    items: dict[int, Item] = field(default_factory=dict)
    properties: list[tuple[bytes, memoryview]] = field(default_factory=list)
    references: list[tuple[bytes, int, list[int]]] = field(default_factory=list)
    inside: memoryview = field(default_factory=lambda: memoryview(b""))

    def item(self, number: int) -> Item:
        """The item by its number; raises Unreadable where there is none."""
        if number not in self.items:
            raise Unreadable(f"This HEIC speaks of an item {number} that it does not have.")
        return self.items[number]

    def referred(self, kind: bytes, number: int) -> list[int]:
        """The items that the item refers to in this way."""
        found = [to for what, source, to in self.references if (what, source) == (kind, number)]
        if len(found) > 1:
            raise Unreadable("This HEIC says twice what an item is made of.")
        return found[0] if found else []


def read(view: memoryview, meta: Box) -> Index:
    """The index in the box `meta`; raises Unreadable where it is not whole."""
    if meta.end - meta.start > LARGEST:
        raise Unreadable(f"The list of what is in this HEIC is longer than {LARGEST:,} bytes.")
    index, found = Index(), dict[bytes, memoryview]()
    for box in boxes(view, meta.start + 4, meta.end):
        if box.kind in found:
            raise Unreadable(f"This HEIC has two boxes {_shown(box.kind)}.")
        found[box.kind] = view[box.start : box.end]
    if bytes(found.get(b"hdlr", b""))[8:12] != b"pict":
        raise Unreadable("This HEIC does not say that it is a picture.")
    index.inside = found.get(b"idat", index.inside)
    for kind, take in _PARTS.items():
        if kind in found:
            take(index, found[kind])
        elif kind != b"iref":
            raise Unreadable(f"This HEIC has no box {_shown(kind)}.")
    return index


def _items(index: Index, body: memoryview) -> None:
    fields = Fields(body)
    version, _ = fields.version()
    count = fields.number(2 if version == 0 else 4)
    start = len(body) - fields.left
    for box in boxes(body, start, len(body)):
        if box.kind != b"infe":
            raise Unreadable("The list of items of this HEIC is malformed.")
        item = _item(Fields(body[box.start : box.end]))
        if item.number in index.items or len(index.items) == _MOST_ITEMS:
            raise Unreadable("This HEIC has an item twice, or too many.")
        index.items[item.number] = item
    if len(index.items) != count:
        raise Unreadable("This HEIC has other items than it says.")


def _item(fields: Fields) -> Item:
    version, flags = fields.version()
    if version not in (2, 3):
        raise Unreadable("This HEIC lists its items in a way that is not used any more.")
    number = fields.number(2 if version == 2 else 4)
    if fields.number(2):
        raise Unreadable("This HEIC is encrypted.")
    return Item(number, bytes(fields.bytes(4)), bool(flags & 1))


def _locations(index: Index, body: memoryview) -> None:
    fields = Fields(body)
    version, _ = fields.version()
    if version > 2:
        raise Unreadable("This HEIC says in an unknown way where its items are.")
    sizes = fields.number(2)
    offset, length, base, place = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    if {offset, length, base, place} - {0, 4, 8}:
        raise Unreadable("This HEIC says in an unknown way where its items are.")
    if version == 0:
        place = 0
    for _ in range(fields.number(4 if version == 2 else 2)):
        item = index.item(fields.number(4 if version == 2 else 2))
        method = fields.number(2) & 15 if version else 0
        if method > 1 or fields.number(2) or item.extents:
            raise Unreadable("An item of this HEIC is in another file, in two places, or in none.")
        start = fields.number(base)
        for _ in range(fields.number(2)):
            fields.bytes(place)
            item.extents.append((method == 1, start + fields.number(offset), fields.number(length)))


def _primary(index: Index, body: memoryview) -> None:
    fields = Fields(body)
    version, _ = fields.version()
    index.primary = fields.number(4 if version else 2)


def _references(index: Index, body: memoryview) -> None:
    version, _ = Fields(body).version()
    size = 4 if version else 2
    for box in boxes(body, 4, len(body)):
        fields = Fields(body[box.start : box.end])
        source = fields.number(size)
        targets = [fields.number(size) for _ in range(fields.number(2))]
        index.references.append((box.kind, source, targets))


def _properties(index: Index, body: memoryview) -> None:
    parts = list(boxes(body, 0, len(body)))
    if [part.kind for part in parts[:1]] != [b"ipco"]:
        raise Unreadable("The list of properties of this HEIC is malformed.")
    for box in boxes(body, parts[0].start, parts[0].end):
        index.properties.append((box.kind, body[box.start : box.end]))
    for part in parts[1:]:
        if part.kind == b"ipma":
            _associations(index, Fields(body[part.start : part.end]))


def _associations(index: Index, fields: Fields) -> None:
    version, flags = fields.version()
    size = 2 if flags & 1 else 1
    bit = 1 << (8 * size - 1)
    for _ in range(fields.number(4)):
        item = index.items.get(fields.number(4 if version else 2))
        for _ in range(fields.number(1)):
            value = fields.number(size)
            place = value & (bit - 1)
            if place > len(index.properties):
                raise Unreadable("An item of this HEIC has a property that is not there.")
            if place and item is not None:  # what is no item is a group of items
                item.properties.append((place - 1, bool(value & bit)))


def _shown(kind: bytes) -> str:
    return repr(kind.decode("latin-1"))


# In the order in which one builds on the other.
_PARTS: dict[bytes, Callable[[Index, memoryview], None]] = {
    b"iinf": _items,
    b"pitm": _primary,
    b"iloc": _locations,
    b"iref": _references,
    b"iprp": _properties,
}
