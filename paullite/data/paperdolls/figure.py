"""A drawn person: how they stand, their measures, and their parts, upright (from the front or back) and sideways."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from .dolls import BAGS, CLOTH, HAIR, LOWER, SHOES, SKIN, Look
from .raster import HEIGHT, SUPER, TURN, WIDTH, Brush, Canvas, Colour, Point, Test, wave

PAPER = (232, 230, 222)
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

    def tall(self, look: Look) -> int:
        """From sole to crown in units, for this person."""
        return self.height * look.height // 100


class Doll:
    """One person on a canvas. Body measures: 0 at the crown, 1000 at the soles; sideways from the middle line."""

    def __init__(self, canvas: Canvas, look: Look, pose: Pose) -> None:
        self.canvas, self.look, self.pose = canvas, look, pose
        self.tall = pose.tall(look)
        self.wide = self.tall * look.width // 100 * pose.stretch // 100
        self.hair_down = look.hair_length in ("chin", "long")
        self.skin, self.hair = Brush(SKIN[look.skin]), Brush(HAIR[look.hair])
        self.upper, self.second = self.cloth(), Brush(CLOTH[look.second])
        self.lower, self.shoe = Brush(LOWER[look.lower_colour]), Brush(SHOES[look.shoes])
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
        self.canvas.limb(self.at(*start), self.at(*end), first, last, brush)

    def oval(self, centre: Point, across: int, down: int, brush: Brush) -> None:
        """An ellipse around a point of the body."""
        self.canvas.ellipse(*self.at(*centre), across * self.wide // 1000, down * self.tall // 1000, brush)

    def area(self, brush: Brush, *points: Point) -> None:
        """A convex polygon with the given corners."""
        self.canvas.polygon([self.at(*point) for point in points], brush)

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
        return Brush(CLOTH[self.look.upper], CLOTH[self.look.second], patterns.get(self.look.pattern, Brush.pattern))

    def shadow(self) -> None:
        """Darken the ground under the feet."""
        (x, y), canvas = self.at(0, 985), self.canvas
        dark = ((canvas.xs - x) * 60) ** 2 + ((canvas.ys[:, None] - y) * 330) ** 2 < (330 * 60) ** 2
        canvas.pixels[dark] = canvas.pixels[dark] // 4 * 3

    def leg(self, hip: Point, knee: Point, foot: Point, light: int) -> None:
        """Thigh and shin, in cloth or bare; ``light`` in per cent dims the further one."""
        cloth, skin = self.lower.dimmed(light), self.skin.dimmed(light)
        shin = cloth if self.look.lower == "trousers" else skin
        thigh = skin if self.look.lower == "skirt" else cloth
        self.limb(knee, foot, 38 if shin is cloth else 31, 32 if shin is cloth else 24, shin)
        self.limb(hip, knee, 54, 42 if thigh is cloth else 34, thigh)

    def arm(self, shoulder: Point, elbow: Point, hand: Point, light: int) -> None:
        """Upper arm in the garment's colour, forearm in cloth or bare, and the hand."""
        skin, cloth = self.skin.dimmed(light + 8), Brush(self.upper.colour).dimmed(light)
        lower = cloth if self.look.sleeves == "long" else skin
        self.oval((hand[0], hand[1] + 18), 27, 25, skin)
        self.limb(elbow, hand, 31 if lower is cloth else 26, 27 if lower is cloth else 21, lower)
        self.limb(shoulder, elbow, 40, 35, cloth)

    def shoulder_bag(self, shoulder: Point, hip: int, x: int, strap: int, half: int) -> None:
        """A bag with a flap around ``x``, on a strap from the shoulder to the hip."""
        self.limb(shoulder, (hip, 460), strap, strap, self.bag.dimmed(80))
        self.oval((x, 530), half, 66, self.bag)
        self.oval((x, 500), half - 8, 26, self.bag.dimmed(70))

    def draw(self) -> None:
        """Draw the person and their shadow; a view that is none of the four is a ``ValueError``."""
        if self.pose.view not in VIEWS:
            raise ValueError(f"view {self.pose.view!r}; expected one of {', '.join(VIEWS)}")
        self.shadow()
        step = wave(self.pose.phase) * self.pose.stride // 100
        if self.pose.view in ("front", "back"):
            self._upright(step, self.pose.view == "front")
        else:
            self._sideways(step, self.pose.view == "right")

    def _upright(self, step: int, front: bool) -> None:
        look = self.look  # from behind, hair and backpack lie over the body
        if front and self.hair_down:
            self.limb((0, 80), (0, 200 if look.hair_length == "long" else 90), 74, 84, self.hair.dimmed(85))
        for side, ahead in ((-1, -step), (1, step)):
            lift = max(0, ahead) * 55 // 256  # the leg that swings forward looks shorter
            knee, foot = (50 * side, 735 - lift // 2), (48 * side, 950 - lift)
            self.leg((48 * side, 520), knee, foot, 100 if ahead <= 0 else 90)
            self.oval((56 * side, 968 - lift), 40, 26, self.shoe)
        self.panel(self.lower, *((90, 440, 150, 715) if look.lower == "skirt" else (95, 430, 100, 560)))
        for side in (-1, 1):
            swing = -step * side * 40 // 256
            self.arm((108 * side, 212), (142 * side, 335), ((150 - abs(swing) // 4) * side, 478 - swing), 88)
        self._torso_upright(front)
        self.limb((0, 130), (0, 165), 32, 36, self.skin.dimmed(90))
        self.oval((0, 84), 60, 72, self.skin)
        (self._face if front else self._hair_from_behind)()
        if look.bag == "shoulder":
            hip = 98 if front else -98  # the person's own left hand is on our right only in front
            self.shoulder_bag((-hip * 7 // 10, 172), hip, hip * 115 // 100, 11, 74)

    def _torso_upright(self, front: bool) -> None:
        pattern, top = self.look.pattern, ((-112, 190), (-66, 160), (66, 160), (112, 190))
        half, hem = (112, 610) if pattern == "coat" else (100, 485)
        self.area(self.upper, *top, (104, 340), (half, hem), (-half, hem), (-104, 340))
        if pattern == "coat" and front:
            self.panel(self.second, 40, 160, 34, 480)
            self.panel(self.lower, 34, 480, 30, hem)
        if pattern == "logo" and front:
            self.oval((0, 275), 52, 50, replace(self.second, depth=100))
        if self.look.bag == "backpack" and front:  # one sees the straps
            for side in (-1, 1):
                self.limb((72 * side, 168), (80 * side, 370), 17, 15, replace(self.bag, depth=90))
        elif self.look.bag == "backpack":
            self.limb((0, 255), (0, 390), 88, 92, self.bag)
            self.panel(self.bag.dimmed(120 if sum(self.bag.colour) > 150 else 170), 58, 335, 58, 430)
            self.limb((-30, 178), (30, 178), 10, 10, self.bag.dimmed(75))

    def _face(self) -> None:
        self.area(self.hair, (-61, 62), (-52, 26), (-26, 5), (26, 5), (52, 26), (61, 50))
        for side in (-1, 1):
            self.limb((56 * side, 50), (57 * side, 155 if self.hair_down else 84), 11, 13, self.hair)
            self.oval((23 * side, 88), 9, 10, Brush((34, 26, 28), depth=100))
        self.oval((0, 123), 17, 6, Brush((170, 70, 70), depth=100))
        if self.look.hair_length == "bun":
            self.oval((0, 2), 34, 28, self.hair)

    def _hair_from_behind(self) -> None:
        if self.hair_down:
            end, half = (238, 66) if self.look.hair_length == "long" else (103, 72)
            self.limb((0, 74), (0, end), 66, half, self.hair)
        else:
            self.oval((0, 70), 63, 70, self.hair)
        if self.look.hair_length == "bun":
            self.oval((0, 22), 36, 32, self.hair.dimmed(75))

    def _sideways(self, step: int, right: bool) -> None:
        look = self.look  # the shoulder bag hangs on the left hip, so the right-hand view hides most of it
        bend = max(0, wave(self.pose.phase + TURN // 4))
        if self.hair_down:
            self.limb((-26, 90), (-46, 245 if look.hair_length == "long" else 115), 50, 42, self.hair)
        if look.bag == "shoulder" and right:
            self.shoulder_bag((0, 175), -70, -70, 10, 76)
        self._arm_sideways(-step, 74)
        self._leg_sideways(-step, bend, 78)
        self._leg_sideways(step, 256 - bend, 100)
        self.panel(self.lower, *((64, 440, 122, 715) if look.lower == "skirt" else (64, 430, 62, 555)))
        self._torso_sideways()
        self._head_sideways()
        if look.bag == "shoulder" and right:
            self.limb((0, 168), (-52, 440), 11, 11, self.bag.dimmed(80))  # its strap
        self._arm_sideways(step, 90)
        if look.bag == "shoulder" and not right:
            self.shoulder_bag((0, 175), -10, -10, 10, 76)

    def _leg_sideways(self, step: int, bend: int, light: int) -> None:
        swing, lift = -step * 120 // 256, bend * 25 // 256
        foot = (swing - lift, 950 - lift - abs(swing) // 8)
        self.leg((0, 520), (swing * 45 // 100 + 24, 738 - lift // 2), foot, light)
        self.oval((foot[0] + 26, foot[1] + 16), 54, 25, self.shoe.dimmed(light))

    def _arm_sideways(self, step: int, light: int) -> None:
        swing = step * 115 // 256
        self.arm((0, 218), (swing * 45 // 100, 340), (swing + 26, 465 - abs(swing) // 6), light)

    def _torso_sideways(self) -> None:
        coat = self.look.pattern == "coat"
        hem = 610 if coat else 485
        front = (34, 160), (62, 200), (72, 330), (68, hem)
        self.area(self.upper, (-44, 160), *front, (-68, hem), (-66, 330), (-68, 200))
        if coat:  # the open front shows a narrow edge of what is under it
            self.area(self.second, (50, 185), (64, 205), (76, 330), (70, 470), (52, 470))
        if self.look.bag == "backpack":
            self.limb((-98, 240), (-100, 395), 54, 62, self.bag)
            self.limb((-40, 175), (-4, 300), 13, 13, self.bag.dimmed(85))
            self.limb((-4, 300), (-50, 385), 13, 13, self.bag.dimmed(85))

    def _head_sideways(self) -> None:
        self.limb((-4, 130), (-8, 165), 30, 34, self.skin.dimmed(90))
        self.oval((4, 84), 62, 72, self.skin)
        self.oval((62, 92), 12, 12, self.skin)
        self.oval((-8, 48), 62, 46, self.hair)
        self.oval((-32, 78), 38, 60 if self.look.hair_length != "short" else 48, self.hair)
        self.oval((38, 86), 9, 11, Brush((34, 26, 28), depth=100))
        if self.look.hair_length == "bun":
            self.oval((-58, 24), 32, 30, self.hair)
        if self.hair_down:
            self.limb((-30, 80), (-38, 140), 34, 34, self.hair)


def draw_person(
    look: Look, view: str = "front", phase: int = 0, size: tuple[int, int] = (128, 64), background: Colour = PAPER
) -> Image.Image:
    """A person on plain paper, as no camera would see them; ``view`` and ``phase`` as in `Pose`, ``size`` in pixels.

    >>> from paullite.data.paperdolls import draw_person, random_look
    >>> draw_person(random_look(seed=0, index=3), view="back").size
    (64, 128)
    """
    pixels = np.full((size[0] * SUPER, size[1] * SUPER, 3), background, dtype=np.uint8)
    Doll(Canvas(pixels), look, Pose(view=view, phase=phase)).draw()
    return Image.fromarray(pixels).reduce(SUPER)
