"""Drawing with whole numbers only, so that every machine makes the same pixels.

Scenes are measured in units: 2048 from top to bottom and 1024 from left to right, whatever the picture's size in
pixels. A canvas is drawn `SUPER` times larger than the picture and then shrunk by taking means, which smooths edges.
Pillow's own polygons are not used: they are filled with floating-point arithmetic, which may differ between machines.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isqrt

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 2048, 1024  # a scene in units
SUPER = 2  # canvas pixels per picture pixel, each way
TURN = 96  # steps of a full turn: divisible by 3 (colours) and by 4 (quarter turns)

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Colour = tuple[int, ...]  # red, green, blue: 0 to 255
Point = tuple[int, int]
Test = Callable[[Numbers, Numbers], Mask]
Shape = tuple[tuple[int, int, int, int], Test, Test]  # the box around it; is a point inside? and in the shade?


def wave(step: int) -> int:
    """256 times the sine of step / 96 of a turn, by Bhaskara's fraction (error below 1 in 256).

    >>> [wave(step) for step in (0, 8, 24, 48, 72)]
    [0, 128, 256, 0, -256]
    """
    half = TURN // 2
    product = step % half * (half - step % half)
    value = 256 * 16 * product // (5 * half * half - 4 * product)
    return -value if step // half % 2 else value


def darker(colour: Colour, percent: int) -> Colour:
    """The colour at so many per cent of its brightness (above 100: lighter)."""
    return tuple(min(255, channel * percent // 100) for channel in colour)


def never(x: Numbers, y: Numbers) -> Mask:
    """The test that no point passes."""
    return np.zeros((1, 1), dtype=np.bool_)


@dataclass(frozen=True)
class Brush:
    """What a shape is filled with: one colour, or two where ``pattern`` is True; ``depth`` is the shaded side in %."""

    colour: Colour
    second: Colour | None = None
    pattern: Test = never
    depth: int = 80

    def dimmed(self, percent: int) -> "Brush":
        """The same brush, darker: for the arm and leg further away."""
        return replace(self, colour=darker(self.colour, percent), second=self.second and darker(self.second, percent))

    def table(self) -> Pixels:
        """Four colours: first, second, first in shade, second in shade."""
        second = self.second or self.colour
        return np.array([self.colour, second, darker(self.colour, self.depth), darker(second, self.depth)], np.uint8)


def rectangle(left: int, top: int, right: int, bottom: int) -> Shape:
    """An upright box without shading."""
    return (left, top, right, bottom), lambda x, y: (x >= left) & (x < right) & (y >= top) & (y < bottom), never


def ellipse(x0: int, y0: int, across: int, down: int) -> Shape:
    """An ellipse around (x0, y0) with the given half axes."""
    a, b = max(across, 1), max(down, 1)
    return (
        (x0 - a, y0 - b, x0 + a + 1, y0 + b + 1),
        lambda x, y: ((x - x0) * b) ** 2 + ((y - y0) * a) ** 2 <= (a * b) ** 2,
        lambda x, y: (x - x0) * 5 + (y - y0) > a * 2,
    )


def polygon(points: Sequence[Point]) -> Shape:
    """A convex polygon, corners given in order. The right-hand part of its box is in shade."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    sides = list(zip(points, [*points[1:], points[0]], strict=True))
    turn = 1 if sum(a * d - c * b for (a, b), (c, d) in sides) >= 0 else -1  # sign of the area: which way round
    shade = (min(xs) * 22 + max(xs) * 78) // 100
    return (
        (min(xs), min(ys), max(xs) + 1, max(ys) + 1),
        lambda x, y: np.all([turn * ((c - a) * (y - b) - (d - b) * (x - a)) >= 0 for (a, b), (c, d) in sides], axis=0),
        lambda x, y: x > shade,
    )


def limb(start: Point, end: Point, first: int, last: int) -> Shape:
    """A rounded bar from start to end whose half width goes from first to last: an arm, a leg, a strap."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    square = max(dx * dx + dy * dy, 1)
    length = isqrt(square)

    def inside(x: Numbers, y: Numbers) -> Mask:
        u, v = x - x0, y - y0
        along = u * dx + v * dy
        near = np.abs(u * dy - v * dx) * length <= first * square + (last - first) * along
        bar = near & (along >= 0) & (along <= square)
        return bar | (u * u + v * v <= first * first) | ((x - x1) ** 2 + (y - y1) ** 2 <= last * last)

    sign = 1 if dy >= 0 else -1  # light comes from the left, so the right-hand side is the dark one
    wide = max(first, last)
    box = (min(x0, x1) - wide, min(y0, y1) - wide, max(x0, x1) + wide + 1, max(y0, y1) + wide + 1)
    return box, inside, lambda x, y: sign * ((x - x0) * dy - (y - y0) * dx) * 5 > 2 * wide * length


class Canvas:
    """Pixels to draw on, with the middle of every row and column in units."""

    def __init__(self, pixels: Pixels, height: int = HEIGHT, width: int = WIDTH) -> None:
        self.pixels = pixels
        lengths = zip(pixels.shape[:2], (height, width), strict=True)
        self.ys, self.xs = ((2 * np.arange(n, dtype=np.int64) + 1) * units // (2 * n) for n, units in lengths)

    def fill(self, shape: Shape, brush: Brush) -> None:
        """Paint a shape; parts outside the canvas are dropped."""
        (left, top, right, bottom), inside, shaded = shape
        rows = slice(*np.searchsorted(self.ys, (top, bottom)))
        columns = slice(*np.searchsorted(self.xs, (left, right)))
        x, y = self.xs[None, columns], self.ys[rows, None]
        if x.size and y.size:
            which = brush.pattern(x, y) + np.uint8(2) * shaded(x, y)  # row of the brush's table
            np.copyto(self.pixels[rows, columns], brush.table()[which], where=inside(x, y)[..., None])


def shrink(pixels: Pixels) -> Pixels:
    """Make a canvas `SUPER` times smaller by taking rounded means of square blocks."""
    parts = np.stack([pixels[i::SUPER, j::SUPER] for i in range(SUPER) for j in range(SUPER)])
    return ((parts.sum(0, dtype=np.int32) + SUPER * SUPER // 2) // (SUPER * SUPER)).astype(np.uint8)
