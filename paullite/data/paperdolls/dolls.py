"""What a person wears: the palettes and the sampling of looks, no two alike in one world."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .randomness import choose, random_numbers
from .raster import Colour

SKIN: dict[str, Colour] = {
    "pale": (246, 214, 190), "light": (232, 188, 154), "tan": (206, 154, 112),
    "olive": (176, 128, 88), "brown": (134, 90, 60), "dark": (88, 58, 42),
}  # fmt: skip
HAIR: dict[str, Colour] = {
    "black": (28, 24, 26), "dark brown": (66, 44, 32), "brown": (112, 74, 46),
    "blond": (222, 184, 100), "ginger": (190, 92, 40), "grey": (172, 172, 176),
}  # fmt: skip
CLOTH: dict[str, Colour] = {
    "black": (38, 38, 44), "white": (240, 240, 236), "grey": (142, 146, 150), "red": (206, 44, 46),
    "orange": (238, 130, 36), "yellow": (246, 208, 54), "green": (54, 148, 74), "turquoise": (54, 184, 180),
    "sky": (110, 172, 232), "blue": (40, 78, 186), "purple": (128, 66, 156), "pink": (240, 146, 178),
}  # fmt: skip
LOWER: dict[str, Colour] = {
    "black": (40, 40, 46), "navy": (36, 48, 92), "denim": (84, 118, 168), "grey": (124, 126, 132),
    "beige": (208, 186, 144), "brown": (112, 78, 52), "olive": (98, 104, 58), "maroon": (128, 36, 50),
}  # fmt: skip
SHOES: dict[str, Colour] = {
    "black": (30, 28, 30), "white": (236, 236, 234), "brown": (122, 76, 42),
    "red": (196, 40, 44), "blue": (44, 92, 190), "yellow": (236, 196, 48),
}  # fmt: skip
BAGS: dict[str, Colour] = {
    "black": (34, 34, 38), "brown": (134, 86, 48), "red": (188, 38, 48),
    "green": (58, 122, 70), "blue": (50, 88, 170), "yellow": (232, 188, 52),
}  # fmt: skip

HAIR_LENGTHS = ("short", "short", "chin", "long", "bun")  # a word written twice is drawn twice as often
PATTERNS = ("plain", "plain", "rows", "columns", "logo", "two-tone", "coat")
SLEEVES = ("long", "long", "short")
LOWER_KINDS = ("trousers", "trousers", "shorts", "skirt")
BAG_KINDS = ("none", "none", "backpack", "backpack", "shoulder")
TALL, WIDE = (92, 96, 100, 104, 108), (86, 94, 102, 110, 120)  # % of the average


@dataclass(frozen=True)
class Look:
    """Everything that makes a person look like that person. Colours are names."""

    skin: str
    hair: str
    hair_length: str  #: short, chin, long or bun
    upper: str  #: colour of the upper garment
    pattern: str  #: plain, rows, columns, logo (front only), two-tone or coat (open in front)
    second: str  #: second colour of the pattern; the same as ``upper`` if plain
    sleeves: str  #: long or short
    lower: str  #: trousers, shorts or skirt
    lower_colour: str
    shoes: str
    bag: str  #: none, backpack or shoulder
    bag_colour: str  #: "none" without a bag
    height: int  #: % of the average
    width: int  #: % of the average

    def __str__(self) -> str:
        second = "" if self.pattern == "plain" else f" and {self.second}"
        kind = "shoulder bag" if self.bag == "shoulder" else self.bag
        bag = "no bag" if self.bag == "none" else f"{self.bag_colour} {kind}"
        top = f"{self.upper}{second} {self.pattern} top with {self.sleeves} sleeves"
        hair, lower = f"{self.hair} {self.hair_length} hair", f"{self.lower_colour} {self.lower}"
        return f"{hair}, {top}, {lower}, {self.shoes} shoes, {bag}"


def draw_look(rng: np.random.RandomState) -> Look:
    """One look from a stream of random numbers. Another person may have the same one."""
    upper, pattern, bag = choose(rng, CLOTH), choose(rng, PATTERNS), choose(rng, BAG_KINDS)
    second, bag_colour = choose(rng, [name for name in CLOTH if name != upper]), choose(rng, BAGS)
    return Look(
        skin=choose(rng, SKIN), hair=choose(rng, HAIR), hair_length=choose(rng, HAIR_LENGTHS),
        upper=upper, pattern=pattern, second=upper if pattern == "plain" else second, sleeves=choose(rng, SLEEVES),
        lower=choose(rng, LOWER_KINDS), lower_colour=choose(rng, LOWER), shoes=choose(rng, SHOES),
        bag=bag, bag_colour="none" if bag == "none" else bag_colour, height=choose(rng, TALL), width=choose(rng, WIDE),
    )  # fmt: skip


def looks(seed: int, count: int) -> tuple[Look, ...]:
    """The first ``count`` people of a world, all different. More people never change the earlier ones.

    >>> looks(0, 3) == looks(0, 5)[:3], len(set(looks(0, 500)))
    (True, 500)
    """
    return _world(seed, 1 << max(count - 1, 1).bit_length())[:count]


def random_look(seed: int, index: int) -> Look:
    """Person number ``index`` (from 0) of the world that belongs to ``seed``.

    >>> print(random_look(seed=0, index=4))
    blond chin hair, turquoise and yellow rows top with long sleeves, navy shorts, brown shoes, yellow backpack
    """
    return looks(seed, index + 1)[index]


@lru_cache(maxsize=16)
def _world(seed: int, count: int) -> tuple[Look, ...]:
    rng = random_numbers(seed, "people")
    found: dict[Look, None] = {}  # a set that keeps its order
    while len(found) < count:
        found[draw_look(rng)] = None
    return tuple(found)


# Drawn people fill their pictures in the same way: down to these shares of the height one sees hair, upper garment,
# lower garment, shoes (see `paullite.data.paperdolls.figure`).
GARMENTS = ((0.23, "hair"), (0.51, "upper"), (0.89, "lower_colour"), (1.01, "shoes"))


def garment_at(height: float) -> str:
    """What one sees of a drawn person at a share of the picture's height, as the name of a field of `Look`.

    >>> [garment_at(height) for height in (0.1, 0.4, 0.7, 0.95)]
    ['hair', 'upper', 'lower_colour', 'shoes']
    """
    return next(name for end, name in GARMENTS if height < end or end > 1)


def garment_numbers(people: Sequence[Look], heights: Sequence[float]) -> list[list[int]]:
    """A number for the colour that each person wears at each height: two rows agree where the colours do."""
    worn = [[getattr(look, garment_at(height)) for height in heights] for look in people]
    number = {colour: i for i, colour in enumerate(sorted({colour for row in worn for colour in row}))}
    return [[number[colour] for colour in row] for row in worn]
