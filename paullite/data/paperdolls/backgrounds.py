"""What stands behind people: six kinds of place, each drawn once per camera as a wide strip."""

from functools import lru_cache

import numpy as np

from .dolls import CLOTH
from .raster import HEIGHT, SUPER, WIDTH, Brush, Canvas, Colour, Dice, Pixels

BOTTOM, RIGHT = HEIGHT * 5 // 4, WIDTH * 4  # of the strip; a box is cut out of it, here or there
WORN = tuple(CLOTH.values())  # colours that people wear too, so that the background can be mistaken for a garment
GREY = 150  # brightness of a place without any strength
SOURCE_PLACES = ("street", "wall")
TARGET_PLACES = ("grass", "floor", "shop", "night")


class Place(Canvas):
    """A strip that is being drawn; ``clutter`` says how strong the contrasts are (per cent). One method for a kind."""

    def __init__(self, pixels: Pixels, dice: Dice, clutter: int) -> None:
        super().__init__(pixels, BOTTOM, RIGHT)
        self.pick, self.choose, self.clutter = dice.pick, dice.choose, clutter

    def shade(self, colour: Colour, spread: int) -> Colour:
        """A colour near the given one; the spread grows with the clutter."""
        change = self.pick(-spread, spread) * self.clutter // 100
        return tuple(max(0, min(255, channel + change)) for channel in colour)

    def street(self) -> None:
        """Houses with windows, a kerb and paving stones."""
        ground = BOTTOM * self.pick(44, 56) // 100
        self.box(0, 0, RIGHT, BOTTOM, self.shade((186, 204, 220), 16))
        x = -self.pick(0, 300)
        while x < RIGHT:
            wide, top = self.pick(500, 900), self.pick(0, 260)
            house = self.choose(((196, 178, 158), (178, 150, 136), (170, 172, 172), (206, 196, 172)))
            self.box(x, top, x + wide, ground, self.shade(house, 18))
            window = self.shade((110, 124, 136), 20)
            for column in range(x + 80, x + wide - 180, 260):
                for row in range(top + 100, ground - 260, 330):
                    self.box(column, row, column + 140, row + 210, window)
            x += wide
        self.box(0, ground, RIGHT, BOTTOM, self.shade((158, 156, 152), 14))
        self.box(0, ground, RIGHT, ground + 70, self.shade((124, 122, 120), 10))
        for k in range(5):
            y = ground + 150 + k * k * 45 + k * 110
            self.box(0, y, RIGHT, y + 18, (136, 134, 132))

    def wall(self) -> None:
        """A tiled wall above a plain pavement."""
        ground = BOTTOM * self.pick(62, 74) // 100
        tile = self.choose(((188, 176, 160), (168, 176, 178), (194, 182, 168), (176, 166, 158)))
        self.box(0, 0, RIGHT, ground, self.shade((150, 144, 138), 14))
        wide, high = self.pick(200, 340), self.pick(130, 220)
        for row, y in enumerate(range(0, ground, high)):
            for x in range(-(row % 2) * wide // 2, RIGHT, wide):
                self.box(x + 14, y + 14, x + wide, min(y + high, ground), self.shade(tile, 12))
        self.box(0, ground, RIGHT, BOTTOM, self.shade((146, 144, 142), 16))
        self.box(0, ground, RIGHT, ground + 40, (118, 114, 112))

    def grass(self) -> None:
        """A park: trees, lawn and a pale path."""
        ground = BOTTOM * self.pick(34, 46) // 100
        self.box(0, 0, RIGHT, ground, self.shade((164, 206, 226), 14))
        for left in range(-100, RIGHT, 420):
            x = left + self.pick(0, 240)
            self.limb((x, ground - 300), (x, ground + 70), 40, 55, Brush((104, 78, 54)))
            crown = Brush(self.shade((56, 112, 52), 26))
            for dx, dy in ((-120, -330), (120, -360), (0, -520)):
                self.ellipse(x + dx, ground + dy, 220, 200, crown)
        self.box(0, ground, RIGHT, BOTTOM, self.shade((96, 150, 66), 12))
        for _ in range(260):
            x, y = self.pick(0, RIGHT), self.pick(ground, BOTTOM)
            self.box(x, y, x + self.pick(40, 160), y + 26, self.shade((86, 140, 58), 26))
        path = BOTTOM * self.pick(74, 84) // 100
        corners = [(0, path), (RIGHT, path - 200), (RIGHT, path + 160), (0, path + 330)]
        self.polygon(corners, Brush(self.shade((206, 190, 150), 10), depth=100))

    def floor(self) -> None:
        """A hall: pale wall with doors and posters above a checked floor."""
        ground = BOTTOM * self.pick(50, 62) // 100
        self.box(0, 0, RIGHT, ground, self.shade((226, 220, 200), 12))
        for left in range(100, RIGHT, 800):
            x = left + self.pick(0, 160)
            self.box(x, ground - 1000, x + 340, ground, self.shade((150, 110, 78), 24))
            self.box(x + 280, ground - 500, x + 310, ground - 440, (226, 206, 130))
            top = ground - self.pick(700, 1000)
            self.box(x + 460, top, x + 700, top + 330, self.choose(WORN))
            self.box(x + 500, top + 60, x + 660, top + 130, self.choose(WORN))
        self.box(0, ground - 60, RIGHT, ground, self.shade((120, 96, 74), 16))
        tiles = [self.shade((206, 176, 130), 14), self.shade((140, 98, 66), 20)]
        y, high = ground, 60
        while y < BOTTOM:
            tiles.reverse()
            for x in range(0, RIGHT, 280):
                self.box(x, y, x + 280, y + high, tiles[x // 280 % 2])
            y, high = y + high, high * 3 // 2

    def shop(self) -> None:
        """Shelves full of boxes in the colours of clothes."""
        ground = BOTTOM * self.pick(64, 76) // 100
        self.box(0, 0, RIGHT, ground, self.shade((92, 88, 92), 12))
        for y in range(290, ground + 190, 330):
            x = 0
            while x < RIGHT:
                wide, high = self.pick(90, 260), self.pick(140, 270)
                self.box(x, y - high, x + wide, y, self.shade(self.choose(WORN), 20))
                x += wide + self.pick(10, 70)
            self.box(0, y, RIGHT, y + 40, (198, 196, 190))
        self.box(0, ground, RIGHT, BOTTOM, self.shade((178, 182, 186), 14))
        self.box(0, ground, RIGHT, ground + 50, (70, 70, 76))

    def night(self) -> None:
        """A dark street with lit windows, lamps and a zebra crossing."""
        ground = BOTTOM * self.pick(40, 52) // 100
        self.box(0, 0, RIGHT, ground, self.shade((40, 44, 66), 10))
        for x in range(60, RIGHT + 60, 250):
            for y in range(80, ground - 200, 280):
                window = (58, 62, 84) if self.pick(0, 2) else (240, 206, 110)  # one in three is lit
                self.box(x, y, x + 130, y + 180, self.shade(window, 14))
        self.box(0, ground, RIGHT, BOTTOM, self.shade((72, 74, 84), 10))
        for x in range(0, RIGHT, 360):
            corners = [(x, ground + 200), (x + 150, ground + 200), (x + 60, BOTTOM), (x - 160, BOTTOM)]
            self.polygon(corners, Brush(self.shade((190, 190, 180), 14), depth=100))


@lru_cache(maxsize=32)
def strip(kind: str, name: str, clutter: int, strength: int, size: tuple[int, int]) -> Pixels:
    """The wide picture of a place, at canvas resolution; ``clutter`` and ``strength`` are those of a `CameraStyle`."""
    pixels = np.zeros((size[0] * SUPER * 5 // 4, size[1] * SUPER * 4, 3), dtype=np.uint8)
    dice = Dice(name, "place")
    getattr(Place(pixels, dice, clutter), kind)()
    strength = strength if kind in TARGET_PLACES else 100  # the source's kinds of place as they were drawn
    faded = ((pixels.astype(np.int32) * strength + GREY * (100 - strength)) // 100).astype(np.uint8)
    grain = dice.randint(-6, 7, size=(*pixels.shape[:2], 1), dtype=np.int16)
    pixels = np.clip(faded + grain, 0, 255).astype(np.uint8)
    pixels.flags.writeable = False  # shared by all pictures of the camera
    return pixels
