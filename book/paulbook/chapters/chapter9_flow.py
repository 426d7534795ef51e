"""Chapter 9: one step of PAUL as a picture of what flows where, which arrows carry a gradient, and what is frozen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from paullite.config import AdaptConfig
from paullite.data.items import Split
from paullite.data.loading import SurrogatePairs
from paullite.models import PatchNet

from ..figures import COLOURS, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1a1a1a"
TALL = 118  # of the page, which is 100 wide
LEARNS, STORES, FROZEN = "#e3edf7", "#fdf1dc", "#eeeeee"


class Box(NamedTuple):
    """A box of the picture: its upper left corner and size, its words, its colour, and whether it is frozen."""

    x: float
    y: float
    width: float
    height: float
    words: str
    face: str = "white"
    frozen: bool = False


BOXES = (
    Box(2, 2, 27, 11, "B originals\nand B surrogates"),
    Box(38, 2, 27, 11, "backbone", LEARNS),
    Box(73, 2, 25, 11, "patch generator", FROZEN, frozen=True),
    Box(38, 21, 27, 12, "six reductions\nwith batch norm", LEARNS),
    Box(73, 21, 25, 12, "embedding rows", FROZEN, frozen=True),
    Box(2, 43, 43, 12, "features $x$ of the originals\nB×P×D"),
    Box(55, 43, 43, 12, "embeddings $e$ of both views\n2B×E"),
    Box(2, 66, 43, 12, "patch memory $w$\nN×P×D", STORES),
    Box(55, 66, 43, 12, "centers $c$\nN×E", STORES),
    Box(2, 88, 43, 11, "PEDAL: each $x$ against all $w$"),
    Box(55, 88, 43, 11, "IPFL: each $e$ against B centers"),
    Box(26, 106, 48, 10, r"$\lambda_1$ PEDAL + $\lambda_2$ IPFL"),
)
"""From top to bottom in the order of a step."""


def draw_flow() -> Figure:
    """The step: views, network, features and embeddings, memory and centers, losses, and the gradient's way back.

    Solid arrows carry a gradient back, dotted ones do not. Dashed frames are frozen.

    >>> len(draw_flow().axes[0].texts) > len(BOXES)
    True
    """
    figure, page = plot(width=5.4, height=5.4 * TALL / 100)
    figure.set_layout_engine("none")
    page.axis("off")
    for box in BOXES:
        _draw(page, box)
    _forward(page)
    _memories(page)
    _back(page)
    page.set(xlim=(0, 100), ylim=(TALL, 0), position=(0, 0, 1, 1))
    return figure


def _draw(page: Axes, box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape, line = "round,pad=0,rounding_size=1.2", "--" if box.frozen else "-"
    corner = (box.x, box.y)
    frame = FancyBboxPatch(corner, box.width, box.height, shape, fc=box.face, ec=INK, lw=1.4, ls=line)
    page.add_patch(frame)
    middle = box.x + box.width / 2, box.y + box.height / 2
    page.text(*middle, box.words, ha="center", va="center", fontsize=10.5)


def _forward(page: Axes) -> None:
    """From the images to features and embeddings, and from these to the losses."""
    _arrow(page, (29, 7.5), (37.5, 7.5))
    _arrow(page, (65, 7.5), (72.5, 7.5))
    _arrow(page, (51.5, 13), (51.5, 20.5))
    _arrow(page, (85.5, 13), (85.5, 17), (58, 17), (58, 20.5))
    page.text(72, 16.2, "where", ha="center", va="bottom", fontsize=9.5)
    _arrow(page, (65, 27), (72.5, 27))
    page.text(68.8, 26, "cos", ha="center", va="bottom", fontsize=9.5)
    _arrow(page, (46, 33), (46, 38), (23.5, 38), (23.5, 42.5))
    _arrow(page, (85.5, 33), (85.5, 42.5))
    _arrow(page, (12, 55), (12, 60.5), (0.6, 60.5), (0.6, 93.5), (1.8, 93.5))
    _arrow(page, (88, 55), (88, 60.5), (99.4, 60.5), (99.4, 93.5), (98.2, 93.5))
    _arrow(page, (23.5, 99), (23.5, 103), (38, 103), (38, 105.7))
    _arrow(page, (76.5, 99), (76.5, 103), (62, 103), (62, 105.7))


def _memories(page: Axes) -> None:
    """What is stored is detached, so no gradient comes back by these arrows."""
    for x in (26, 70):
        _arrow(page, (x, 55), (x, 65.5), dotted=True)
        page.text(x + 1.2, 60.4, "1. update", va="center", fontsize=9.5)
        _arrow(page, (x, 78), (x, 87.5), dotted=True)
        page.text(x + 1.2, 82.8, "2. compare", va="center", fontsize=9.5)
    page.text(2, 111, "dotted arrow:\ndetached", va="center", fontsize=9.5)
    page.text(77, 111, "dashed frame:\nfrozen", va="center", fontsize=9.5)


def _back(page: Axes) -> None:
    """The gradient's way from the loss to the weights that learn."""
    colour = COLOURS[1]
    way = ((50, 105.7), (50, 50), (50, 36), (55, 36), (55, 33.6))
    _arrow(page, *way, colour=colour, width=2.4)
    page.text(50, 101.2, "3. gradient", ha="center", va="center", fontsize=9.5, color=INK, backgroundcolor="white")
    _arrow(page, (61, 20.6), (61, 13.4), colour=colour, width=2.4)


def _arrow(
    page: Axes, *corners: tuple[float, float], dotted: bool = False, colour: str = INK, width: float = 1.4
) -> None:
    """A line from corner to corner that ends in an arrow head."""
    style = ":" if dotted else "-"
    page.plot(*zip(*corners, strict=True), style, color=colour, linewidth=width)
    head = {"arrowstyle": "-|>", "color": colour, "lw": width, "shrinkA": 0, "shrinkB": 0, "ls": "-"}
    (x, y), (before_x, before_y) = corners[-1], corners[-2]
    near = x + 0.02 * (before_x - x), y + 0.02 * (before_y - y)
    page.annotate("", corners[-1], near, arrowprops=head)


def views_of(images: Split, index: int, net: PatchNet, config: AdaptConfig) -> list[Image.Image]:
    """An image as a network sees it in the first epoch, and its surrogate.

    >>> import paullite as pl
    >>> images = pl.data.PaperDolls("target", identities=2, test_identities=2).unlabelled()
    >>> [view.size for view in views_of(images, 3, pl.shipped_net("source"), pl.PRESETS["paperdolls"].adapt)]
    [(64, 128), (64, 128)]
    """
    plain = [0.0] * 3, [1.0] * 3  # no normalisation, so that colours stay in 0..1
    pairs = SurrogatePairs(images.take([index]), net.size, plain, replace(config, batch=1))
    _, *both = next(pairs.epoch(0))
    bytes_of = [(255 * view[0].clamp(0, 1)).byte().permute(1, 2, 0).numpy() for view in both]
    return [Image.fromarray(pixels) for pixels in bytes_of]
