"""The pen that portraits are drawn with: smooth shapes, and colours made from colours."""

from PIL import Image, ImageDraw

SCALE = 2  # drawn twice as large and reduced, which smooths every edge

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]


class Pen:
    """Draws in the coordinates of the finished photo."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        self._draw.ellipse(_scaled((x - rx, y - ry, x + rx, y + ry)), fill=fill)

    def shape(self, points: list[tuple[float, float]], fill: Colour) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in _smooth(points)], fill=fill)

    def plain(self, points: list[tuple[float, float]], fill: Colour) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def arc(self, box: Box, start: float, end: float, fill: Colour, width: float) -> None:
        self._draw.arc(_scaled(box), start, end, fill=fill, width=round(width * SCALE))

    def slab(self, box: Box, radius: float, fill: Colour) -> None:
        self._draw.rounded_rectangle(_scaled(box), radius * SCALE, fill=fill)

    def chord(self, box: Box, start: float, end: float, fill: Colour) -> None:
        self._draw.chord(_scaled(box), start, end, fill=fill)

    def ring(self, box: Box, radius: float, colour: Colour, width: float) -> None:
        self._draw.rounded_rectangle(
            _scaled(box), radius * SCALE, outline=colour, width=round(width * SCALE)
        )


def _scaled(box: Box) -> Box:
    return (box[0] * SCALE, box[1] * SCALE, box[2] * SCALE, box[3] * SCALE)


def _smooth(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Rounds a polygon's corners: Chaikin's corner cutting, three times."""
    for _ in range(3):
        following = [*points[1:], points[0]]
        points = [
            (a + (c - a) * part, b + (d - b) * part)
            for (a, b), (c, d) in zip(points, following, strict=True)
            for part in (0.25, 0.75)
        ]
    return points


def mixed(colour: Colour, other: Colour, part: float) -> Colour:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def darker(colour: Colour, part: float) -> Colour:
    return mixed(colour, (40, 20, 30), part)


def lighter(colour: Colour, part: float) -> Colour:
    return mixed(colour, (255, 250, 240), part)
