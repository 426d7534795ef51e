"""Drawing and dice with whole numbers only, so that every machine makes the same pixels.

Scenes are measured in units: 2048 from top to bottom and 1024 from left to right, whatever the picture's size in
pixels. A canvas is drawn `SUPER` times larger than the picture and then reduced by taking means, which smooths edges.
Pillow's own polygons are not used: they are filled with floating-point arithmetic, which may differ between machines.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import isqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 2048, 1024  # a scene in units
SUPER = 2  # canvas pixels per picture pixel, each way
TURN = 96  # steps of a full turn: divisible by 3 (colours) and by 4 (quarter turns)

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Colour = tuple[int, ...]  # red, green, blue: 0 to 255
Point = tuple[int, int]
Thing = TypeVar("Thing")
Test = Callable[[Numbers, Numbers], NDArray[np.bool_]]  # of the points of a box: rows and columns of coordinates


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


class Dice(np.random.RandomState):
    """A stream of random whole numbers for a name, such as ("0", "target", "person", 3): the same for ever."""

    def __init__(self, *words: object) -> None:
        super().__init__(zlib.crc32("/".join(map(str, words)).encode()))

    def pick(self, low: int, high: int) -> int:
        """A whole number from low to high, both included. The type is fixed: its default depends on the system."""
        return int(self.randint(low, max(low, high) + 1, dtype=np.int32))

    def choose(self, things: Iterable[Thing]) -> Thing:
        """One of the things, all equally likely. What is written twice is drawn twice as often."""
        found = tuple(things)
        return found[self.pick(0, len(found) - 1)]

    def chance(self, percent: int) -> bool:
        """True in so many cases out of a hundred. Draws one number whatever the percentage."""
        return self.pick(0, 99) < percent

    def shuffled(self, count: int) -> list[int]:
        """The numbers below ``count`` in random order, by swapping from the end."""
        order = list(range(count))
        for i in range(count - 1, 0, -1):
            j = self.pick(0, i)
            order[i], order[j] = order[j], order[i]
        return order


@dataclass(frozen=True)
class Brush:
    """What a shape is filled with: one colour, or two where ``pattern`` is True; ``depth`` is the shaded side in %."""

    colour: Colour
    second: Colour | None = None
    pattern: Test = lambda x, y: np.zeros((1, 1), dtype=np.bool_)
    depth: int = 80

    def dimmed(self, percent: int) -> "Brush":
        """The same brush, darker: for the arm and leg further away."""
        return replace(self, colour=darker(self.colour, percent), second=self.second and darker(self.second, percent))


class Canvas:
    """Pixels to draw on, with the middle of every row and column in units. Parts outside of it are dropped."""

    def __init__(self, pixels: Pixels, height: int = HEIGHT, width: int = WIDTH) -> None:
        self.pixels = pixels
        lengths = zip(pixels.shape[:2], (height, width), strict=True)
        self.ys, self.xs = ((2 * np.arange(n, dtype=np.int64) + 1) * units // (2 * n) for n, units in lengths)

    def part(self, left: int, top: int, right: int, bottom: int) -> tuple[slice, slice]:
        """The rows and the columns of pixels whose middle lies in a box."""
        return slice(*np.searchsorted(self.ys, (top, bottom))), slice(*np.searchsorted(self.xs, (left, right)))

    def box(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        """An upright box without shading."""
        self.pixels[self.part(left, top, right, bottom)] = colour

    def ellipse(self, x0: int, y0: int, across: int, down: int, brush: Brush) -> None:
        """An ellipse around (x0, y0) with the given half axes."""
        a, b = max(across, 1), max(down, 1)
        inside = lambda x, y: ((x - x0) * b) ** 2 + ((y - y0) * a) ** 2 <= (a * b) ** 2  # noqa: E731
        box = (x0 - a, y0 - b, x0 + a + 1, y0 + b + 1)
        self._fill(box, inside, lambda x, y: (x - x0) * 5 + (y - y0) > a * 2, brush)

    def polygon(self, points: Sequence[Point], brush: Brush) -> None:
        """A convex polygon, corners given in order. The right-hand part of its box is in shade."""
        xs, ys = zip(*points, strict=True)
        sides = list(zip(points, [*points[1:], points[0]], strict=True))
        turn = 1 if sum(a * d - c * b for (a, b), (c, d) in sides) >= 0 else -1  # sign of the area: which way round
        shade = (min(xs) * 22 + max(xs) * 78) // 100

        def inside(x: Numbers, y: Numbers) -> NDArray[np.bool_]:
            return np.all([turn * ((c - a) * (y - b) - (d - b) * (x - a)) >= 0 for (a, b), (c, d) in sides], axis=0)

        self._fill((min(xs), min(ys), max(xs) + 1, max(ys) + 1), inside, lambda x, y: x > shade, brush)

    def limb(self, start: Point, end: Point, first: int, last: int, brush: Brush) -> None:
        """A rounded bar from start to end whose half width goes from first to last: an arm, a leg, a strap."""
        (x0, y0), (x1, y1) = start, end
        dx, dy, wide = x1 - x0, y1 - y0, max(first, last)
        square = max(dx * dx + dy * dy, 1)
        length = isqrt(square)

        def inside(x: Numbers, y: Numbers) -> NDArray[np.bool_]:
            u, v = x - x0, y - y0
            along = u * dx + v * dy
            near = np.abs(u * dy - v * dx) * length <= first * square + (last - first) * along
            bar = near & (along >= 0) & (along <= square)
            return bar | (u * u + v * v <= first * first) | ((x - x1) ** 2 + (y - y1) ** 2 <= last * last)

        sign = 1 if dy >= 0 else -1  # light comes from the left, so the right-hand side is the dark one
        shaded = lambda x, y: sign * ((x - x0) * dy - (y - y0) * dx) * 5 > 2 * wide * length  # noqa: E731
        box = (min(x0, x1) - wide, min(y0, y1) - wide, max(x0, x1) + wide + 1, max(y0, y1) + wide + 1)
        self._fill(box, inside, shaded, brush)

    def _fill(self, box: tuple[int, int, int, int], inside: Test, shaded: Test, brush: Brush) -> None:
        rows, columns = self.part(*box)
        x, y = self.xs[None, columns], self.ys[rows, None]
        if x.size and y.size:
            light = brush.colour, brush.second or brush.colour
            table = np.array([*light, *(darker(colour, brush.depth) for colour in light)], np.uint8)
            which = brush.pattern(x, y) + np.uint8(2) * shaded(x, y)  # row of the table
            np.copyto(self.pixels[rows, columns], table[which], where=inside(x, y)[..., None])
