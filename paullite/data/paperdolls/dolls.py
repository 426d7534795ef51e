"""What a person wears: the palettes and the sampling of looks, no two alike in one world."""

from bisect import bisect
from dataclasses import dataclass
from functools import lru_cache

from .raster import Colour, Dice


def palette(text: str) -> dict[str, Colour]:
    """Colours by name, from names and hexadecimal codes."""
    return {name: tuple(bytes.fromhex(code)) for name, code in (one.rsplit(" ", 1) for one in text.split(", "))}


SKIN = palette("pale f6d6be, light e8bc9a, tan ce9a70, olive b08058, brown 865a3c, dark 583a2a")
HAIR = palette("black 1c181a, dark brown 422c20, brown 704a2e, blond deb864, ginger be5c28, grey acacb0")
CLOTH = palette(
    "black 26262c, white f0f0ec, grey 8e9296, red ce2c2e, orange ee8224, yellow f6d036, green 36944a, "
    "turquoise 36b8b4, sky 6eace8, blue 284eba, purple 80429c, pink f092b2"
)
LOWER = palette(
    "black 28282e, navy 24305c, denim 5476a8, grey 7c7e84, beige d0ba90, brown 704e34, olive 62683a, maroon 802432"
)
SHOES = palette("black 1e1c1e, white ececea, brown 7a4c2a, red c4282c, blue 2c5cbe, yellow ecc430")
BAGS = palette("black 222226, brown 865630, red bc2630, green 3a7a46, blue 3258aa, yellow e8bc34")

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


def draw_look(dice: Dice) -> Look:
    """One look from a stream of random numbers. Another person may have the same one."""
    upper, pattern, bag = dice.choose(CLOTH), dice.choose(PATTERNS), dice.choose(BAG_KINDS)
    second, bag_colour = dice.choose([name for name in CLOTH if name != upper]), dice.choose(BAGS)
    return Look(
        skin=dice.choose(SKIN), hair=dice.choose(HAIR), hair_length=dice.choose(HAIR_LENGTHS),
        upper=upper, pattern=pattern, second=upper if pattern == "plain" else second, sleeves=dice.choose(SLEEVES),
        lower=dice.choose(LOWER_KINDS), lower_colour=dice.choose(LOWER), shoes=dice.choose(SHOES),
        bag=bag, bag_colour="none" if bag == "none" else bag_colour, height=dice.choose(TALL), width=dice.choose(WIDE),
    )  # fmt: skip


@lru_cache(maxsize=64)
def looks(seed: int, count: int) -> tuple[Look, ...]:
    """The first ``count`` people of a world, all different. More people never change the earlier ones.

    >>> looks(0, 3) == looks(0, 5)[:3], len(set(looks(0, 500)))
    (True, 500)
    """
    dice = Dice(seed, "people")
    found: dict[Look, None] = {}  # a set that keeps its order
    while len(found) < count:
        found[draw_look(dice)] = None
    return tuple(found)


def random_look(seed: int, index: int) -> Look:
    """Person number ``index`` (from 0) of the world that belongs to ``seed``.

    >>> print(random_look(seed=0, index=4))
    blond chin hair, turquoise and yellow rows top with long sleeves, navy shorts, brown shoes, yellow backpack
    """
    return looks(seed, index + 1)[index]


def garment_at(height: float) -> str:
    """What one sees of a drawn person at a share of the picture's height, as the name of a field of `Look`.

    >>> [garment_at(height) for height in (0.1, 0.4, 0.7, 0.95)]
    ['hair', 'upper', 'lower_colour', 'shoes']
    """
    return ("hair", "upper", "lower_colour", "shoes")[bisect((0.23, 0.51, 0.89), height)]  # as `figure` draws them
