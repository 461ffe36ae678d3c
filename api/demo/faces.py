"""Draws people who do not exist: a face, hair, shoulders and a soft background."""

from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from api.demo.pen import SCALE, Colour, Pen, darker, lighter, mixed

WIDTH, HEIGHT = 640, 800

_SOFT = 8  # soft light is painted this much smaller, then stretched

SKINS: tuple[Colour, ...] = (
    (255, 224, 196),
    (244, 205, 172),
    (231, 184, 143),
    (208, 154, 112),
    (172, 118, 80),
    (133, 88, 60),
    (98, 64, 46),
)
HAIRS: tuple[Colour, ...] = (
    (38, 28, 26),
    (62, 40, 30),
    (98, 62, 38),
    (146, 92, 48),
    (206, 164, 100),
    (158, 66, 36),
    (150, 150, 154),
)
CLOTHES: tuple[Colour, ...] = (
    (52, 78, 112),
    (150, 62, 66),
    (66, 110, 94),
    (226, 222, 212),
    (46, 48, 58),
    (204, 148, 72),
    (112, 92, 146),
    (92, 134, 170),
)
SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((188, 214, 232), (240, 226, 208)),
    ((250, 216, 190), (204, 152, 156)),
    ((196, 222, 200), (110, 150, 136)),
    ((226, 220, 240), (150, 148, 196)),
    ((242, 234, 214), (204, 182, 150)),
    ((120, 150, 180), (52, 72, 104)),
    ((250, 240, 222), (226, 166, 120)),
)
IRISES: tuple[Colour, ...] = ((82, 54, 36), (60, 40, 30), (84, 120, 150), (92, 124, 84))
STYLES = ("short", "parted", "long", "bob", "curls", "bun", "shaved")


@dataclass(frozen=True, slots=True)
class Looks:
    """What stays the same from photo to photo of one person."""

    skin: Colour
    hair: Colour
    iris: Colour
    style: str
    face_width: float
    glasses: bool
    beard: bool


def looks(random: Random) -> Looks:
    """Somebody new."""
    style, skin = random.choice(STYLES), random.choice(SKINS)
    return Looks(
        skin=skin,
        hair=random.choice(HAIRS[:3] if SKINS.index(skin) > 3 else HAIRS),
        iris=random.choice(IRISES[:2] if SKINS.index(skin) > 3 else IRISES),
        style=style,
        face_width=random.uniform(112, 128),
        glasses=random.random() < 0.3,
        beard=style in ("short", "parted", "shaved") and random.random() < 0.4,
    )


def portrait(person: Looks, random: Random) -> Image.Image:
    """One photo of this person, upright, 640 x 800 pixels; clothes and place are new each time."""
    image = _background(random)
    pen = Pen(image)
    centre, top = 320 + random.uniform(-22, 22), 372 + random.uniform(-16, 20)
    cloth = random.choice(CLOTHES)
    _hair_behind(pen, person, centre, top)
    _shoulders(pen, person, centre, top, cloth, random)
    _head(pen, person, centre, top)
    _features(pen, person, centre, top, random)
    _hair_in_front(pen, person, centre, top)
    if person.glasses:
        _glasses(pen, centre, top)
    return _lit(image.reduce(SCALE), random)


def _background(random: Random) -> Image.Image:
    """A gradient with lights far out of focus."""
    above, below = random.choice(SKIES)
    size = (WIDTH // _SOFT, HEIGHT // _SOFT)
    # The middle of a turned gradient: its corners are empty.
    fade = Image.linear_gradient("L").rotate(random.uniform(-25, 25), Image.Resampling.BILINEAR)
    fade = fade.crop((48, 48, 208, 208)).resize(size)
    soft = Image.composite(Image.new("RGB", size, below), Image.new("RGB", size, above), fade)
    lights = Image.new("L", size)
    pen = ImageDraw.Draw(lights)
    for _ in range(random.randint(4, 11)):
        x, y, r = random.uniform(0, 80), random.uniform(0, 70), random.uniform(3, 11)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=random.randint(30, 90))
    lights = lights.filter(ImageFilter.GaussianBlur(1.6))
    soft.paste(Image.new("RGB", size, lighter(above, 0.75)), mask=lights)
    return soft.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.BICUBIC)


def _hair_behind(pen: Pen, person: Looks, x: float, y: float) -> None:
    dark = darker(person.hair, 0.25)
    w = person.face_width
    if person.style == "long":
        pen.shape(
            [(x - w - 34, y - 60), (x - w + 10, y - 190), (x + w - 10, y - 190),
             (x + w + 34, y - 60), (x + w + 52, y + 250), (x + w - 20, y + 290),
             (x - w + 20, y + 290), (x - w - 52, y + 250)],
            dark,
        )  # fmt: skip
    elif person.style == "bob":
        pen.shape(
            [(x - w - 36, y - 60), (x - w + 10, y - 190), (x + w - 10, y - 190),
             (x + w + 36, y - 60), (x + w + 34, y + 120), (x + w - 20, y + 150),
             (x - w + 20, y + 150), (x - w - 34, y + 120)],
            dark,
        )  # fmt: skip
    elif person.style == "bun":
        pen.oval(x, y - 196, 58, 54, dark)
        pen.oval(x - 8, y - 204, 40, 34, person.hair)
    elif person.style == "curls":
        for step in range(13):
            turn = step / 12
            side = (turn - 0.5) * 2
            pen.oval(x + side * (w + 16), y - 150 + abs(side) ** 2.2 * 190, 50, 50, dark)


def _shoulders(pen: Pen, person: Looks, x: float, y: float, cloth: Colour, random: Random) -> None:
    shade = darker(person.skin, 0.22)
    base = y + 250
    pen.shape(
        [(x - 310, 900), (x - 292, base + 64), (x - 170, base + 4), (x - 70, base - 26),
         (x + 70, base - 26), (x + 170, base + 4), (x + 292, base + 64), (x + 310, 900)],
        cloth,
    )  # fmt: skip
    pen.slab((x - 56, y + 70, x + 56, base + 20), 44, shade)
    collar = random.choice(("round", "vee", "shirt"))
    if collar == "round":
        pen.oval(x, base - 12, 84, 52, darker(cloth, 0.25))
        pen.oval(x, base - 20, 74, 46, shade)
    elif collar == "vee":
        pen.shape([(x - 82, base - 40), (x + 82, base - 40), (x, base + 128)], shade)
    else:
        pen.shape([(x - 60, base - 40), (x + 60, base - 40), (x, base + 70)], shade)
        for side in (-1, 1):
            pen.plain(
                [(x + side * 50, base - 48), (x + side * 104, base - 16),
                 (x + side * 70, base + 58), (x, base + 66)],
                lighter(cloth, 0.35),
            )  # fmt: skip
    pen.slab((x - 54, y + 70, x + 54, base - 14), 40, shade)


def _head(pen: Pen, person: Looks, x: float, y: float) -> None:
    skin, w = person.skin, person.face_width
    for side in (-1, 1):
        pen.oval(x + side * (w + 2), y + 8, 22, 36, darker(skin, 0.08))
        pen.oval(x + side * (w + 4), y + 8, 12, 22, darker(skin, 0.22))
    pen.shape(
        [(x - w - 6, y - 110), (x - w + 16, y - 176), (x, y - 196), (x + w - 16, y - 176),
         (x + w + 6, y - 110), (x + w + 6, y + 30), (x + w - 22, y + 122), (x + 46, y + 182),
         (x - 46, y + 182), (x - w + 22, y + 122), (x - w - 6, y + 30)],
        skin,
    )  # fmt: skip
    if person.beard:
        hair = mixed(person.hair, skin, 0.12)
        pen.shape(
            [(x - w - 2, y + 26), (x - w + 30, y + 66), (x - 44, y + 62), (x, y + 58),
             (x + 44, y + 62), (x + w - 30, y + 66), (x + w + 2, y + 26), (x + w - 16, y + 128),
             (x + 44, y + 196), (x - 44, y + 196), (x - w + 16, y + 128)],
            hair,
        )  # fmt: skip


def _features(pen: Pen, person: Looks, x: float, y: float, random: Random) -> None:
    skin = person.skin
    blush = mixed(skin, (226, 110, 96), 0.09)
    if not person.beard:
        for side in (-1, 1):
            pen.oval(x + side * 72, y + 58, 30, 20, blush)
    glance = random.uniform(-3.5, 3.5)
    for side in (-1, 1):
        eye = x + side * 52
        pen.oval(eye, y + 1, 27, 17, darker(skin, 0.14))
        pen.oval(eye, y + 2, 25, 14.5, (250, 248, 244))
        pen.oval(eye + glance, y + 2, 12.5, 13, person.iris)
        pen.oval(eye + glance, y + 2, 6, 6.5, (22, 16, 16))
        pen.oval(eye + glance + 4, y - 3, 3.2, 3.2, (255, 255, 255))
        pen.arc((eye - 28, y - 17, eye + 28, y + 21), 195, 345, darker(person.hair, 0.4), 4)
        brow = y - 40 + random.uniform(-3, 3)
        pen.arc((eye - 34, brow - 8, eye + 34, brow + 34), 205, 335, person.hair, 8)
    nose = darker(skin, 0.2)
    pen.arc((x - 20, y + 34, x + 20, y + 66), 20, 160, nose, 5)
    pen.arc((x - 3, y - 10, x + 24, y + 62), 120, 190, darker(skin, 0.1), 4)
    _mouth(pen, skin, x, y + 104, random)


def _mouth(pen: Pen, skin: Colour, x: float, y: float, random: Random) -> None:
    lips = mixed(skin, (176, 62, 70), 0.55)
    if random.random() < 0.45:
        pen.chord((x - 46, y - 40, x + 46, y + 34), 8, 172, darker(lips, 0.35))
        pen.chord((x - 38, y - 32, x + 38, y + 20), 14, 166, (250, 246, 240))
        pen.arc((x - 48, y - 42, x + 48, y + 36), 8, 172, lips, 6)
    else:
        pen.arc((x - 50, y - 44, x + 50, y + 22), 32, 148, lips, 9)
        pen.arc((x - 50, y - 48, x + 50, y + 18), 30, 150, darker(lips, 0.3), 3)


def _hair_in_front(pen: Pen, person: Looks, x: float, y: float) -> None:
    hair, w = person.hair, person.face_width
    shine = lighter(hair, 0.14)
    if person.style == "shaved":
        pen.shape(
            [(x - w - 8, y - 84), (x - w + 14, y - 180), (x, y - 200), (x + w - 14, y - 180),
             (x + w + 8, y - 84), (x + w - 14, y - 122), (x + w - 40, y - 140), (x, y - 148),
             (x - w + 40, y - 140), (x - w + 14, y - 122)],
            mixed(hair, person.skin, 0.45),
        )  # fmt: skip
        return
    if person.style == "curls":
        for step in range(11):
            side = (step - 5) / 5
            pen.oval(x + side * w, y - 168 + abs(side) ** 2.4 * 88, 38, 36, hair)
            pen.oval(x + side * w - 6, y - 178 + abs(side) ** 2.4 * 88, 16, 12, shine)
        return
    part = {"short": 0.0, "bun": 0.0, "bob": -0.5, "long": 0.35, "parted": -0.6}[person.style]
    side_end = {"short": -34, "parted": -30, "bun": -20, "bob": 60, "long": 110}[person.style]
    fringe = y - 96
    pen.shape(
        [(x - w - 16, y + side_end), (x - w - 22, y - 120), (x - w + 14, y - 200), (x, y - 232),
         (x + w - 14, y - 200), (x + w + 22, y - 120), (x + w + 16, y + side_end),
         (x + w - 8, y - 40), (x + w - 18, fringe + 14), (x + part * w + 30, fringe - 8),
         (x + part * w, fringe - 34), (x + part * w - 30, fringe - 8), (x - w + 18, fringe + 14),
         (x - w + 8, y - 40)],
        hair,
    )  # fmt: skip
    pen.arc((x - w + 8, y - 206, x + w - 30, y + 10), 212, 290, shine, 10)


def _glasses(pen: Pen, x: float, y: float) -> None:
    frame = (44, 40, 46)
    for side in (-1, 1):
        eye = x + side * 54
        pen.ring((eye - 42, y - 30, eye + 42, y + 36), 26, frame, 5)
    pen.arc((x - 14, y - 12, x + 14, y + 14), 200, 340, frame, 5)


def _lit(image: Image.Image, random: Random) -> Image.Image:
    """Light from one side above, shade at the other: what makes flat shapes round."""
    size = (WIDTH // _SOFT, HEIGHT // _SOFT)
    side = random.choice((-1, 1))
    for colour, x, strength in (
        ((255, 244, 224), 40 - side * 34, 58),
        ((30, 24, 52), 40 + side * 44, 84),
    ):
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).ellipse((x - 30, -6, x + 30, 106), fill=strength)
        mask = mask.filter(ImageFilter.GaussianBlur(11))
        mask = mask.resize(image.size, Image.Resampling.BILINEAR)
        image.paste(Image.new("RGB", image.size, colour), mask=mask)
    return image
