"""What stands behind people: six kinds of place, each drawn once per camera as a wide strip."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .dolls import CLOTH
from .randomness import choose, pick, random_numbers
from .raster import HEIGHT, SUPER, WIDTH, Brush, Canvas, Colour, Pixels, ellipse, limb, polygon, rectangle

STRIP_HEIGHT, STRIP_WIDTH = HEIGHT * 5 // 4, WIDTH * 4  # a box is cut out of this strip, here or there
WORN = tuple(CLOTH.values())  # colours that people wear too, so that the background can be mistaken for a garment
GREY = 150  # brightness of a place without any strength
SOURCE_PLACES = ("street", "wall")
TARGET_PLACES = ("grass", "floor", "shop", "night")


@dataclass(frozen=True)
class Place:
    """A strip that is being drawn: canvas, random numbers and how strong the contrasts are (per cent)."""

    canvas: Canvas
    rng: np.random.RandomState
    clutter: int

    def between(self, low: int, high: int) -> int:
        return pick(self.rng, low, high)

    def shade(self, colour: Colour, spread: int) -> Colour:
        """A colour near the given one; the spread grows with the clutter."""
        change = pick(self.rng, -spread, spread) * self.clutter // 100
        return tuple(max(0, min(255, channel + change)) for channel in colour)

    def box(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        self.canvas.fill(rectangle(left, top, right, bottom), Brush(colour))


def street(place: Place) -> None:
    """Houses with windows, a kerb and paving stones."""
    ground = STRIP_HEIGHT * place.between(44, 56) // 100
    place.box(0, 0, STRIP_WIDTH, STRIP_HEIGHT, place.shade((186, 204, 220), 16))
    x = -place.between(0, 300)
    while x < STRIP_WIDTH:
        wide = place.between(500, 900)
        _house(place, x, place.between(0, 260), wide, ground)
        x += wide
    place.box(0, ground, STRIP_WIDTH, STRIP_HEIGHT, place.shade((158, 156, 152), 14))
    place.box(0, ground, STRIP_WIDTH, ground + 70, place.shade((124, 122, 120), 10))
    for k in range(5):
        y = ground + 150 + k * k * 45 + k * 110
        place.box(0, y, STRIP_WIDTH, y + 18, (136, 134, 132))


def _house(place: Place, x: int, top: int, wide: int, ground: int) -> None:
    colour = choose(place.rng, ((196, 178, 158), (178, 150, 136), (170, 172, 172), (206, 196, 172)))
    place.box(x, top, x + wide, ground, place.shade(colour, 18))
    window = place.shade((110, 124, 136), 20)
    for column in range(x + 80, x + wide - 180, 260):
        for row in range(top + 100, ground - 260, 330):
            place.box(column, row, column + 140, row + 210, window)


def wall(place: Place) -> None:
    """A tiled wall above a plain pavement."""
    ground = STRIP_HEIGHT * place.between(62, 74) // 100
    tile = choose(place.rng, ((188, 176, 160), (168, 176, 178), (194, 182, 168), (176, 166, 158)))
    joint = place.shade((150, 144, 138), 14)
    place.box(0, 0, STRIP_WIDTH, ground, joint)
    wide, high = place.between(200, 340), place.between(130, 220)
    for row, y in enumerate(range(0, ground, high)):
        for x in range(-(row % 2) * wide // 2, STRIP_WIDTH, wide):
            place.box(x + 14, y + 14, x + wide, min(y + high, ground), place.shade(tile, 12))
    place.box(0, ground, STRIP_WIDTH, STRIP_HEIGHT, place.shade((146, 144, 142), 16))
    place.box(0, ground, STRIP_WIDTH, ground + 40, (118, 114, 112))


def grass(place: Place) -> None:
    """A park: trees, lawn and a pale path."""
    ground = STRIP_HEIGHT * place.between(34, 46) // 100
    place.box(0, 0, STRIP_WIDTH, ground, place.shade((164, 206, 226), 14))
    for x in range(-100, STRIP_WIDTH, 420):
        _tree(place, x + place.between(0, 240), ground)
    place.box(0, ground, STRIP_WIDTH, STRIP_HEIGHT, place.shade((96, 150, 66), 12))
    for _ in range(260):
        x, y = place.between(0, STRIP_WIDTH), place.between(ground, STRIP_HEIGHT)
        place.box(x, y, x + place.between(40, 160), y + 26, place.shade((86, 140, 58), 26))
    path = STRIP_HEIGHT * place.between(74, 84) // 100
    corners = [(0, path), (STRIP_WIDTH, path - 200), (STRIP_WIDTH, path + 160), (0, path + 330)]
    place.canvas.fill(polygon(corners), Brush(place.shade((206, 190, 150), 10), depth=100))


def _tree(place: Place, x: int, ground: int) -> None:
    place.canvas.fill(limb((x, ground - 300), (x, ground + 70), 40, 55), Brush((104, 78, 54)))
    crown = place.shade((56, 112, 52), 26)
    for dx, dy in ((-120, -330), (120, -360), (0, -520)):
        place.canvas.fill(ellipse(x + dx, ground + dy, 220, 200), Brush(crown))


def floor(place: Place) -> None:
    """A hall: pale wall with doors and posters above a checked floor."""
    ground = STRIP_HEIGHT * place.between(50, 62) // 100
    place.box(0, 0, STRIP_WIDTH, ground, place.shade((226, 220, 200), 12))
    for x in range(100, STRIP_WIDTH, 800):
        _door_and_poster(place, x + place.between(0, 160), ground)
    place.box(0, ground - 60, STRIP_WIDTH, ground, place.shade((120, 96, 74), 16))
    right, left = place.shade((206, 176, 130), 14), place.shade((140, 98, 66), 20)
    y, high = ground, 60
    while y < STRIP_HEIGHT:
        for x in range(0, STRIP_WIDTH, 560):
            place.box(x, y, x + 280, y + high, left)
            place.box(x + 280, y, x + 560, y + high, right)
        y, high, left, right = y + high, high * 3 // 2, right, left


def _door_and_poster(place: Place, x: int, ground: int) -> None:
    place.box(x, ground - 1000, x + 340, ground, place.shade((150, 110, 78), 24))
    place.box(x + 280, ground - 500, x + 310, ground - 440, (226, 206, 130))
    top = ground - place.between(700, 1000)
    place.box(x + 460, top, x + 700, top + 330, choose(place.rng, WORN))
    place.box(x + 500, top + 60, x + 660, top + 130, choose(place.rng, WORN))


def shop(place: Place) -> None:
    """Shelves full of boxes in the colours of clothes."""
    ground = STRIP_HEIGHT * place.between(64, 76) // 100
    place.box(0, 0, STRIP_WIDTH, ground, place.shade((92, 88, 92), 12))
    for y in range(0, ground - 100, 330):
        x = 0
        while x < STRIP_WIDTH:
            wide, high = place.between(90, 260), place.between(140, 270)
            place.box(x, y + 290 - high, x + wide, y + 290, place.shade(choose(place.rng, WORN), 20))
            x += wide + place.between(10, 70)
        place.box(0, y + 290, STRIP_WIDTH, y + 330, (198, 196, 190))
    place.box(0, ground, STRIP_WIDTH, STRIP_HEIGHT, place.shade((178, 182, 186), 14))
    place.box(0, ground, STRIP_WIDTH, ground + 50, (70, 70, 76))


def night(place: Place) -> None:
    """A dark street with lit windows, lamps and a zebra crossing."""
    ground = STRIP_HEIGHT * place.between(40, 52) // 100
    place.box(0, 0, STRIP_WIDTH, ground, place.shade((40, 44, 66), 10))
    for x in range(0, STRIP_WIDTH, 250):
        for y in range(80, ground - 200, 280):
            lit = place.between(0, 2) == 0
            place.box(x + 60, y, x + 190, y + 180, place.shade((240, 206, 110) if lit else (58, 62, 84), 14))
    place.box(0, ground, STRIP_WIDTH, STRIP_HEIGHT, place.shade((72, 74, 84), 10))
    for x in range(0, STRIP_WIDTH, 360):
        corners = [(x, ground + 200), (x + 150, ground + 200), (x + 60, STRIP_HEIGHT), (x - 160, STRIP_HEIGHT)]
        place.canvas.fill(polygon(corners), Brush(place.shade((190, 190, 180), 14), depth=100))


PLACES = {draw.__name__: draw for draw in (street, wall, grass, floor, shop, night)}


@lru_cache(maxsize=32)
def strip(kind: str, name: str, clutter: int, strength: int, size: tuple[int, int]) -> Pixels:
    """The wide picture of a place, at canvas resolution; ``clutter`` and ``strength`` are those of a `CameraStyle`."""
    rows, columns = size[0] * SUPER * 5 // 4, size[1] * SUPER * 4
    pixels = np.zeros((rows, columns, 3), dtype=np.uint8)
    rng = random_numbers(name, "place")
    PLACES[kind](Place(Canvas(pixels, STRIP_HEIGHT, STRIP_WIDTH), rng, clutter))
    strength = strength if kind in TARGET_PLACES else 100  # the source's kinds of place as they were drawn
    pixels = ((pixels.astype(np.int32) * strength + GREY * (100 - strength)) // 100).astype(np.uint8)
    grain = rng.randint(-6, 7, size=(rows, columns, 1), dtype=np.int16)
    pixels = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    pixels.flags.writeable = False  # shared by all pictures of the camera
    return pixels
