"""Chapter 7: the thought of the paper's figure 3, why patches are pulled and not whole images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from paullite.data.paperdolls.dataset import PaperDolls, Picture
from paullite.errors import InputError

from ..figures import COLOURS, RIGHT, WRONG, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BORDERS = {"A": COLOURS[0], "B": COLOURS[5], "C": COLOURS[2], "D": COLOURS[3]}  # identity, besides its letter
STRIPES = {"chest": (1 / 3, 1 / 2), "legs": (2 / 3, 5 / 6)}  # the third and fifth of six, as shares of the height


class Unit(NamedTuple):
    """One picture of the drawing: whose it is, and what it shows."""

    letter: str
    image: Image.Image


def units(dolls: PaperDolls, top: str = "red", lower: str = "olive") -> list[Unit]:
    """Five pictures of four people, chosen by what they wear: A twice, by two cameras, then B, C and D.

    A and B wear the same top with other trousers; B, C and D the same trousers with other tops.

    Args:
        dolls: whose training pictures are looked through, in order.
        top, lower: colours of a plain top and of trousers.

    Raises:
        InputError: these dolls have no four such people.

    >>> "".join(unit.letter for unit in units(PaperDolls("target")))
    'AABCD'
    """
    seen = [picture for picture in dolls.pictures.values() if _is_plain(picture)]
    tops = [p for p in seen if p.look.upper == top]
    twice = [p for p in tops if p.look.lower_colour != lower and _other_camera(p, tops)]
    both = [p for p in tops if p.look.lower_colour == lower]
    legs = _each_person([p for p in seen if p.look.lower_colour == lower and p.look.upper != top])
    if not twice or not both or len(legs) < 2:
        found = f"found no people in {top} tops and {lower} trousers as the drawing needs them"
        raise InputError(found, "expected the target with its default arguments", "or try other colours")
    again = _other_camera(twice[0], tops)[0]
    images = {item.path: item for item in dolls.train}
    chosen = zip("AABCD", (twice[0], again, both[0], *legs[:2]), strict=True)
    return [Unit(letter, images[picture.path].image) for letter, picture in chosen]


def _is_plain(picture: Picture) -> bool:
    """A training picture of somebody in a plain top and trousers, not from behind, with nothing before them."""
    look, pose = picture.look, picture.shot.pose
    fine = picture.split == "train" and pose is not None and pose.view != "back" and not picture.shot.occluder
    return fine and (look.pattern, look.lower) == ("plain", "trousers")


def _other_camera(picture: Picture, among: Sequence[Picture]) -> list[Picture]:
    return [p for p in among if p.pid == picture.pid and p.camid != picture.camid]


def _each_person(pictures: Sequence[Picture]) -> list[Picture]:
    """One picture of each person, and no two in a top of one colour."""
    people = {p.pid: p for p in reversed(pictures)}
    return list({p.look.upper: p for p in reversed(list(people.values()))}.values())


def draw_units(dolls: PaperDolls) -> Figure:
    """Why patches and not whole images: the same five pictures, pulled and pushed as chests, as legs, and whole.

    The thought is that of the paper's figure 3 (Yang et al., CVPR 2019); people, pictures and layout are our own. A
    border's colour and its letter say whose picture it is.

    Args:
        dolls: the drawn target, with its default arguments.
    """
    five = units(dolls)
    figure, page = plot(width=4.8, height=6.6)
    figure.set_layout_engine("none")
    page.axis("off")
    page.set(xlim=(0, 100), ylim=(137.5, 0), position=(0, 0, 1, 1))
    _strips(page, 0, "(a) chests: red tops, whoever wears them", five, "chest", pulled=(0, 1, 2))
    _strips(page, 47, "(b) legs: olive trousers, whoever wears them", five, "legs", pulled=(2, 3, 4))
    _whole(page, 94, "(c) whole images: B is pulled to A for one top", five)
    return figure


def _strips(page: Axes, y: float, title: str, five: Sequence[Unit], stripe: str, pulled: tuple[int, ...]) -> None:
    """Three stripes pulled together in a box on the left, the two others pushed away to the right."""
    _title(page, y, title)
    _box(page, (3, y + 8.5, 42, 37))
    top, bottom = STRIPES[stripe]
    stacks = [(5.5, y + 10.5 + 11.5 * i) for i in range(3)], [(65.5, y + 14 + 17 * i) for i in range(2)]
    pushed = tuple(i for i in range(5) if i not in pulled)
    for group, corners in zip((pulled, pushed), stacks, strict=True):
        for i, corner in zip(group, corners, strict=True):
            width, height = five[i].image.size
            part = five[i].image.crop((0, round(top * height), width, round(bottom * height)))
            _picture(page, Unit(five[i].letter, part), (*corner, 32, 10))
    middles = [low + 5 for _, low in stacks[0]]
    for outer in (middles[0], middles[2]):
        _arrow(page, (41.3, outer), (41.3, middles[1] + (2 if outer > middles[1] else -2)), RIGHT)
    for _, low in stacks[1]:
        _arrow(page, (46, low + 5), (64.5, low + 5), WRONG)
    page.text(55, y + 27, "pushed", ha="center", va="center", fontsize=11)


def _whole(page: Axes, y: float, title: str, five: Sequence[Unit]) -> None:
    """The same with whole pictures: two people end up in one box."""
    _title(page, y, title)
    _box(page, (3, y + 8.5, 57, 33.5))
    for i, x in enumerate((5, 24.5, 44)):
        _picture(page, five[i], (x, y + 10.5, 14.5, 29.5))
    for x in (22, 41.5):
        page.plot(x - 1.2, y + 25, ">", x + 1.2, y + 25, "<", color=RIGHT, markersize=6)
    for i, x in ((3, 68.5), (4, 84)):
        _picture(page, five[i], (x, y + 10.5, 14.5, 29.5))
    _arrow(page, (60.8, y + 25), (67.8, y + 25), WRONG)


def _title(page: Axes, y: float, text: str) -> None:
    page.text(3, y + 4.5, text, va="center", fontsize=11, fontweight="bold")


Place = tuple[float, float, float, float]  # x, y, width, height in units of the page


def _picture(page: Axes, unit: Unit, at: Place) -> None:
    from matplotlib.patches import Rectangle

    x, y, width, height = at
    colour = BORDERS[unit.letter]
    page.imshow(unit.image, extent=(x, x + width, y + height, y), aspect="auto", interpolation="nearest", zorder=3)
    page.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=colour, linewidth=2.5, zorder=5))
    page.add_patch(Rectangle((x, y), 5, 6, facecolor="white", edgecolor=colour, linewidth=2, zorder=6))
    page.text(x + 2.5, y + 3.1, unit.letter, ha="center", va="center", fontsize=11, fontweight="bold", zorder=7)


def _box(page: Axes, at: Place) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y, width, height = at
    shape = "round,pad=0,rounding_size=3"
    page.add_patch(
        FancyBboxPatch((x, y), width, height, shape, facecolor="#eaf2f8", edgecolor=RIGHT, linewidth=1.5, zorder=0)
    )


def _arrow(page: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    page.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2, "shrinkA": 0, "shrinkB": 0}
    )
