"""The body of a drawn person: how it stands, its measures, and the parts that all views share."""

from dataclasses import dataclass

from .dolls import BAGS, CLOTH, HAIR, LOWER, SHOES, SKIN, Look
from .raster import HEIGHT, WIDTH, Brush, Canvas, Point, Test, ellipse, limb, never, polygon

VIEWS = ("front", "back", "left", "right")


@dataclass(frozen=True)
class Pose:
    """How a person stands in the picture; a scene is 1024 units wide and 2048 high."""

    view: str = "front"  #: what the camera sees: front, back, left or right (the side that the person walks to)
    phase: int = 0  #: point in the walk, 0 to 95; 48 steps later left and right have changed places
    x: int = WIDTH // 2  #: middle of the feet, in units
    y: int = HEIGHT - 110  #: middle of the feet, in units
    height: int = 1740  #: from sole to crown in units, for a person of average height
    stretch: int = 100  #: width in per cent
    tilt: int = 0  #: how far the camera looks down, in thousandths: the head grows, the legs shrink
    lean: int = 0  #: how far the head hangs over to the right, in units
    stride: int = 100  #: length of the step in per cent


class Doll:
    """One person on a canvas. Body measures: 0 at the crown, 1000 at the soles; sideways from the middle line."""

    def __init__(self, canvas: Canvas, look: Look, pose: Pose) -> None:
        self.canvas = canvas
        self.look = look
        self.pose = pose
        self.tall = pose.height * look.height // 100
        self.wide = self.tall * look.width // 100 * pose.stretch // 100
        self.skin = Brush(SKIN[look.skin])
        self.hair = Brush(HAIR[look.hair])
        self.hair_down = look.hair_length in ("chin", "long")
        self.upper = self.cloth()
        self.second = Brush(CLOTH[look.second])
        self.lower = Brush(LOWER[look.lower_colour])
        self.shoe = Brush(SHOES[look.shoes])
        self.bag = Brush(BAGS.get(look.bag_colour, (0, 0, 0)))  # without a bag it is never used

    def at(self, across: int, down: int) -> Point:
        """Where a point of the body lies in the scene; ``across`` goes to the right, in side views to the front."""
        tilt, ahead = self.pose.tilt, -across if self.pose.view == "left" else across
        v = down + tilt * down * (1000 - down) // 1_000_000
        u = ahead * (1_000_000 + tilt * (1000 - 2 * down)) // 1_000_000
        x = self.pose.x + u * self.wide // 1000 + self.pose.lean * (1000 - v) // 1000
        return x, self.pose.y - (1000 - v) * self.tall // 1000

    def limb(self, start: Point, end: Point, first: int, last: int, brush: Brush) -> None:
        """A rounded bar between two points of the body."""
        first, last = (length * (self.wide + self.tall) // 2000 for length in (first, last))
        self.canvas.fill(limb(self.at(*start), self.at(*end), first, last), brush)

    def oval(self, centre: Point, across: int, down: int, brush: Brush) -> None:
        """An ellipse around a point of the body."""
        half, high = across * self.wide // 1000, down * self.tall // 1000
        self.canvas.fill(ellipse(*self.at(*centre), half, high), brush)

    def area(self, brush: Brush, *points: Point) -> None:
        """A convex polygon with the given corners."""
        self.canvas.fill(polygon([self.at(*point) for point in points]), brush)

    def panel(self, brush: Brush, half: int, top: int, last: int, bottom: int) -> None:
        """A piece of cloth around the middle line, whose half width goes from ``half`` to ``last``."""
        self.area(brush, (-half, top), (half, top), (last, bottom), (-last, bottom))

    def cloth(self) -> Brush:
        """The upper garment's colours and pattern; stripes are as wide as they are on the person."""
        middle, top = self.at(0, 160)
        period, half = max(self.tall * 44 // 1000, 1), self.at(0, 335)[1]
        patterns: dict[str, Test] = {
            "rows": lambda x, y: ((y - top) // period) % 2 == 1,
            "columns": lambda x, y: ((x - middle + period // 2) // period) % 2 == 1,
            "two-tone": lambda x, y: y > half,
        }
        return Brush(CLOTH[self.look.upper], CLOTH[self.look.second], patterns.get(self.look.pattern, never))


def shadow(doll: Doll) -> None:
    """Darken the ground under the feet."""
    x, y = doll.at(0, 985)
    canvas = doll.canvas
    dark = ((canvas.xs - x) * 60) ** 2 + ((canvas.ys[:, None] - y) * 330) ** 2 < (330 * 60) ** 2
    canvas.pixels[dark] = canvas.pixels[dark] // 4 * 3


def leg(doll: Doll, hip: Point, knee: Point, foot: Point, light: int) -> None:
    """Thigh and shin, in cloth or bare; ``light`` in per cent dims the further one."""
    cloth, skin = doll.lower.dimmed(light), doll.skin.dimmed(light)
    shin = cloth if doll.look.lower == "trousers" else skin
    thigh = skin if doll.look.lower == "skirt" else cloth
    doll.limb(knee, foot, 38 if shin is cloth else 31, 32 if shin is cloth else 24, shin)
    doll.limb(hip, knee, 54, 42 if thigh is cloth else 34, thigh)


def arm(doll: Doll, shoulder: Point, elbow: Point, hand: Point, light: int) -> None:
    """Upper arm in the garment's colour, forearm in cloth or bare, and the hand."""
    skin, cloth = doll.skin.dimmed(light + 8), Brush(doll.upper.colour).dimmed(light)
    lower = cloth if doll.look.sleeves == "long" else skin
    doll.oval((hand[0], hand[1] + 18), 27, 25, skin)
    doll.limb(elbow, hand, 31 if lower is cloth else 26, 27 if lower is cloth else 21, lower)
    doll.limb(shoulder, elbow, 40, 35, cloth)


def shoulder_bag(doll: Doll, shoulder: Point, hip: int, x: int, strap: int, half: int) -> None:
    """A bag with a flap around ``x``, on a strap from the shoulder to the hip."""
    doll.limb(shoulder, (hip, 460), strap, strap, doll.bag.dimmed(80))
    doll.oval((x, 530), half, 66, doll.bag)
    doll.oval((x, 500), half - 8, 26, doll.bag.dimmed(70))
