"""The body of a drawn person: how it stands, its measures, and the parts that all views share."""

from __future__ import annotations

from dataclasses import dataclass

from .dolls import CLOTH, LOWER, SKIN, Look
from .raster import HEIGHT, WIDTH, Brush, Canvas, Point, ellipse, limb, polygon

VIEWS = ("front", "back", "left", "right")


@dataclass(frozen=True)
class Pose:
    """How a person stands in the picture.

    Attributes:
        view: what the camera sees: front, back, left or right (the side that the person walks to).
        phase: point in the walk, 0 to 95; 48 steps later left and right have changed places.
        x, y: middle of the feet, in units of the scene (1024 wide, 2048 high).
        height: from sole to crown in units, for a person of average height.
        stretch: width in per cent.
        tilt: how far the camera looks down, in thousandths: the head grows, the legs shrink.
        lean: how far the head hangs over to the right, in units.
        stride: length of the step in per cent.
    """

    view: str = "front"
    phase: int = 0
    x: int = WIDTH // 2
    y: int = HEIGHT - 110
    height: int = 1740
    stretch: int = 100
    tilt: int = 0
    lean: int = 0
    stride: int = 100


class Doll:
    """One person on a canvas. Body measures: 0 at the crown, 1000 at the soles; sideways from the middle line."""

    def __init__(self, canvas: Canvas, look: Look, pose: Pose) -> None:
        self.canvas = canvas
        self.look = look
        self.pose = pose
        self.tall = pose.height * look.height // 100
        self.wide = self.tall * look.width // 100 * pose.stretch // 100
        self.facing = {"left": -1, "right": 1}.get(pose.view, 1)
        self.mirror = -1 if pose.view == "back" else 1  # the person's own left hand is on our right only in front

    def at(self, across: int, down: int) -> Point:
        """Where a point of the body lies in the scene."""
        tilt = self.pose.tilt
        v = down + tilt * down * (1000 - down) // 1_000_000
        u = across * (1_000_000 + tilt * (1000 - 2 * down)) // 1_000_000
        x = self.pose.x + u * self.wide // 1000 + self.pose.lean * (1000 - v) // 1000
        return x, self.pose.y - (1000 - v) * self.tall // 1000

    def long(self, length: int) -> int:
        """A body length in units of the scene."""
        return length * (self.wide + self.tall) // 2000

    def limb(self, start: Point, end: Point, first: int, last: int, brush: Brush) -> None:
        """A rounded bar between two points of the body."""
        self.canvas.fill(limb(self.at(*start), self.at(*end), self.long(first), self.long(last)), brush)

    def oval(self, centre: Point, across: int, down: int, brush: Brush) -> None:
        """An ellipse around a point of the body."""
        half, high = across * self.wide // 1000, down * self.tall // 1000
        self.canvas.fill(ellipse(*self.at(*centre), half, high), brush)

    def area(self, brush: Brush, *points: Point) -> None:
        """A convex polygon with the given corners."""
        self.canvas.fill(polygon([self.at(*point) for point in points]), brush)

    def cloth(self) -> Brush:
        """The upper garment's colours and pattern; stripes are as wide as they are on the person."""
        first, second = CLOTH[self.look.upper], CLOTH[self.look.second]
        middle, top = self.at(0, 160)
        period, half = max(self.tall * 44 // 1000, 1), self.at(0, 335)[1]
        if self.look.pattern == "rows":
            return Brush(first, second, lambda x, y: ((y - top) // period) % 2 == 1)
        if self.look.pattern == "columns":
            return Brush(first, second, lambda x, y: ((x - middle + period // 2) // period) % 2 == 1)
        if self.look.pattern == "two-tone":
            return Brush(first, second, lambda x, y: y > half)
        return Brush(first)


def shadow(doll: Doll) -> None:
    """Darken the ground under the feet."""
    x, y = doll.at(0, 985)
    pixels = doll.canvas.pixels
    rows = (doll.canvas.ys > y - 60) & (doll.canvas.ys < y + 60)
    dark = ((doll.canvas.xs[None, :] - x) * 60) ** 2 + ((doll.canvas.ys[rows, None] - y) * 330) ** 2 < (330 * 60) ** 2
    block = pixels[rows]
    block[dark] = block[dark] // 4 * 3
    pixels[rows] = block


def leg(doll: Doll, hip: Point, knee: Point, foot: Point, light: int) -> None:
    """Thigh and shin, in cloth or bare; ``light`` in per cent dims the further one."""
    cloth = Brush(LOWER[doll.look.lower_colour]).dimmed(light)
    shin = cloth if doll.look.lower == "trousers" else Brush(SKIN[doll.look.skin]).dimmed(light)
    thigh = cloth if doll.look.lower != "skirt" else shin
    doll.limb(knee, foot, 38 if shin is cloth else 31, 32 if shin is cloth else 24, shin)
    doll.limb(hip, knee, 54, 42 if thigh is cloth else 34, thigh)


def arm(doll: Doll, shoulder: Point, elbow: Point, hand: Point, light: int) -> None:
    """Upper arm in the garment's colour, forearm in cloth or bare, and the hand."""
    skin, cloth = Brush(SKIN[doll.look.skin]).dimmed(light + 8), Brush(CLOTH[doll.look.upper]).dimmed(light)
    lower = cloth if doll.look.sleeves == "long" else skin
    doll.oval((hand[0], hand[1] + 18), 27, 25, skin)
    doll.limb(elbow, hand, 31 if lower is cloth else 26, 27 if lower is cloth else 21, lower)
    doll.limb(shoulder, elbow, 40, 35, cloth)
