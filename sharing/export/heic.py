"""A HEIC file is a list of items in boxes. The picture, the tiles that it is made of and its
transparency are kept; the boxes around them are written anew, so that nothing else (EXIF, XMP,
thumbnails, depth maps, other pictures, names, free space) is there to leak, linked or not."""

from sharing.export import heic_index, hevc
from sharing.export.heic_index import Index, Item
from sharing.export.heic_properties import cleaned, is_alpha
from sharing.export.heic_written import Kept, file_of
from sharing.export.iso_boxes import Box, Fields, box_at
from sharing.export.unreadable import MOST_PIECES, Buffer, Piece, Unreadable
from sharing.export.windows import give_back

BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis"))

_OTHER_BRANDS = frozenset((b"mif1", b"mif2", b"miaf", b"MiHB", b"MiHA", b"MiHE"))
_IMAGE, _GRID = b"hvc1", b"grid"
_LARGEST_IN_EXTENTS = 64 * 1024 * 1024  # bytes of an image that does not lie in one place


def stripped(data: Buffer) -> list[Piece]:
    """The pieces of the stripped HEIC. Kept: the picture, its tiles, its transparency, and of
    what it says about them sizes, colours, rotation and mirroring. Raises Unreadable."""
    return _Walk(data).pieces()


class _Walk:
    """One look at all of one file."""

    def __init__(self, data: Buffer) -> None:
        self.data = data
        self.view = memoryview(data)
        self.brands = b""
        self.stores: list[Box] = []  # the boxes that hold the items' bytes
        self.index = self._boxes()
        self.kept: dict[int, Kept] = {}
        self.cleaned: dict[int, bytes | None] = {}
        self.parts = 0
        self.left = len(self.view)  # what is kept twice, or more, would be more than there is

    def pieces(self) -> list[Piece]:
        index, primary = self.index, self.index.primary
        if index.referred(b"thmb", primary) or index.referred(b"auxl", primary):
            raise Unreadable("The picture in this HEIC says that it belongs to another one.")
        self._keep(index.item(primary))
        alpha = self._alpha()
        references = [(b"dimg", kept.number, kept.tiles) for kept in self.kept.values()]
        if alpha is not None:
            references.append((b"auxl", alpha, [primary]))
            if alpha in index.referred(b"prem", primary):
                references.append((b"prem", primary, [alpha]))
        return file_of(self.brands, list(self.kept.values()), references)

    def _boxes(self) -> Index:
        meta, at = None, 0
        while at < len(self.view):
            try:
                box = box_at(self.view, at, len(self.view))
            except Unreadable:
                if meta is None:
                    raise
                break  # what is behind the photo, and no box, goes with the rest
            if box.kind == b"ftyp" and at == 0:
                self.brands = _brands(self.view[box.start : box.end])
            elif at == 0 or box.kind in (b"moov", b"moof"):
                raise Unreadable("This is a film, or no HEIC at all.")
            elif box.kind == b"meta":
                if meta is not None:
                    raise Unreadable("This HEIC has two lists of what is in it.")
                meta = heic_index.read(self.view, box)
            elif box.kind == b"mdat":
                self.stores.append(box)
            at = box.end
            give_back(self.data)
        if meta is None:
            raise Unreadable("This HEIC has no list of what is in it.")
        return meta

    def _keep(self, item: Item) -> None:
        """An image with all that it is made of."""
        if item.kind == _GRID:
            tiles = self.index.referred(b"dimg", item.number)
            self.kept[item.number] = self._described(item, tiles)
            self.kept[item.number].grid = self._grid(item, len(tiles))
            for number in tiles:
                tile = self.index.item(number)
                if tile.kind != _IMAGE:
                    raise Unreadable("A tile of this HEIC is no image.")
                if number not in self.kept:
                    self._keep(tile)
        elif item.kind == _IMAGE:
            if self.index.referred(b"dimg", item.number):
                raise Unreadable("An image of this HEIC is coded, and made of others too.")
            self.kept[item.number] = self._described(item, [])
            self.kept[item.number].image = self._image(item)
        else:
            name = item.kind.decode("latin-1")
            raise Unreadable(f"The picture in this HEIC is of the kind {name!r}, which is unknown.")

    def _described(self, item: Item, tiles: list[int]) -> Kept:
        """The item with those of its properties that may stay."""
        kept = Kept(item.number, item.kind, item.hidden, tiles)
        for place, essential in item.properties:
            kind, body = self.index.properties[place]
            if place not in self.cleaned:
                self.cleaned[place] = cleaned(kind, body)
            box = self.cleaned[place]
            if box is not None:
                kept.properties.append((box, essential))
            elif essential and kind != b"colr":
                raise Unreadable(
                    f"This HEIC cannot be shown without its property {kind.decode('latin-1')!r}."
                )
        wanted = [b"ispe", b"hvcC"] if item.kind == _IMAGE else [b"ispe"]
        kinds = [box[4:8] for box, _ in kept.properties]
        if [kinds.count(kind) for kind in wanted] != [1] * len(wanted):
            raise Unreadable("An image of this HEIC has no size, or no description.")
        return kept

    def _alpha(self) -> int | None:
        """The image that says how transparent the picture is, kept as well."""
        found = None
        for kind, source, targets in self.index.references:
            if kind != b"auxl" or not self.kept.keys() & set(targets):
                continue
            item = self.index.item(source)
            properties = (self.index.properties[place] for place, _ in item.properties)
            if not any(name == b"auxC" and is_alpha(body) for name, body in properties):
                continue  # depth maps, gain maps, mattes of skin and hair: not the picture
            if found is not None or source in self.kept or self.index.primary not in targets:
                raise Unreadable("This HEIC says twice, or of a part, how transparent it is.")
            found = source
            self._keep(item)
        return found

    def _image(self, item: Item) -> list[Piece]:
        configuration = next(body for kind, body in self._properties(item) if kind == b"hvcC")
        prefix = (configuration[21] & 3) + 1
        start, end, view = self._place(item)
        data = self.data if view is self.view else b""
        image: list[Piece] = []
        for part, stop in hevc.pictures(data, view, start, end, prefix):
            image.append(view[part:stop])
            self.parts += 1
            if self.parts > MOST_PIECES:
                raise Unreadable("This HEIC is in too many pieces.")
        return image

    def _properties(self, item: Item) -> list[tuple[bytes, memoryview]]:
        return [self.index.properties[place] for place, _ in item.properties]

    def _grid(self, item: Item, tiles: int) -> bytes:
        """How the tiles make up the picture."""
        start, end, view = self._place(item)
        fields = Fields(view[start:end])
        version, flags, rows, columns = (fields.number(1) for _ in range(4))
        size = 4 if flags & 1 else 2
        sides = fields.bytes(2 * size)
        if version or flags > 1 or fields.left or (rows + 1) * (columns + 1) != tiles:
            raise Unreadable("The grid of tiles of this HEIC is malformed.")
        return bytes((0, flags, rows, columns)) + bytes(sides)

    def _place(self, item: Item) -> tuple[int, int, memoryview]:
        """(start, end, of what) of an item's bytes."""
        self.left -= sum(length for _, _, length in item.extents)
        if not item.extents or self.left < 0:
            raise Unreadable("An item of this HEIC has no bytes, or more than there are.")
        parts = [self._part(*extent) for extent in item.extents]
        if len(parts) == 1:
            return parts[0]
        if sum(end - start for start, end, _ in parts) > _LARGEST_IN_EXTENTS:
            raise Unreadable("A large image of this HEIC is in several places.")
        whole = memoryview(b"".join(view[start:end] for start, end, view in parts))
        return 0, len(whole), whole

    def _part(self, inside: bool, start: int, length: int) -> tuple[int, int, memoryview]:
        end = start + length
        if inside:
            if not length or end > len(self.index.inside):
                raise Unreadable("An item of this HEIC is not where it should be.")
            return start, end, self.index.inside
        if not length or not any(box.start <= start and end <= box.end for box in self.stores):
            raise Unreadable("An item of this HEIC is not where it should be, or cut off.")
        return start, end, self.view


def _brands(body: memoryview) -> bytes:
    """The brands that this file still is: the first one, a version that means nothing, the rest."""
    if len(body) < 8 or len(body) % 4:
        raise Unreadable("This HEIC does not say what it is.")
    names = [bytes(body[at : at + 4]) for at in range(0, len(body), 4)]
    known = [name for name in names[2:] if name in BRANDS | _OTHER_BRANDS]
    main = names[0] if names[0] in BRANDS | _OTHER_BRANDS else b"heic"
    return main + bytes(4) + b"".join(dict.fromkeys(known))
