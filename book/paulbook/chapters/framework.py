"""The framework of the method as one drawing: images in, patches found, losses out. Chapters 5 and 9 show it."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin
from typing import TYPE_CHECKING, NamedTuple

import torch
from PIL import Image
from torch import Tensor

from paullite.app.pictures import COLOURS, RIGHT, WRONG, outlines
from paullite.models import PatchNet

from ..figures import plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1a1a1a"


class Words(NamedTuple):
    """What the drawing says of a phase: its pictures' title, a patch's loss, the loss of all together, the height."""

    pictures: str
    each: str
    together: str
    tall: int  # the drawing is 100 wide


PHASES = {
    "labels": Words("two images of a person", "CE", "own embeddings, side by side: triplet", 161),
    "paul": Words("an image and its surrogate", "PEDAL", "all patches of an image: IPFL", 170),
}


def draw_framework(net: PatchNet, pictures: Sequence[Image.Image], phase: str = "labels") -> Figure:
    """Draw the way from two images to the losses, with the network's own map, patches and attention.

    The trunk is that of the paper's figure 2 (Yang et al., CVPR 2019), in a design of our own. The losses at its end
    are those of the phase. With labels they read the reduced patches z behind a ReLU; what ranks, f, does not. For
    phase 2 the part that is frozen has a dashed frame, and below stands what each loss does, as in the paper's figure.
    There the arrows begin at what moves, a feature or an anchor, because entries and centers get no gradient.

    Args:
        net: a PatchNet with at most eight patches, on any device.
        pictures: two images; the map and the patches are those of the first.
        phase: "labels" (phase 1, learning on the source) or "paul" (phase 2, as in the paper's figure).

    >>> net = PatchNet("test_resnet", patches=4, feature_dim=8, embedding_dim=8, pretrained=False, size=(128, 64))
    >>> len(draw_framework(net, [Image.new("RGB", (64, 128))] * 2).axes[0].images)    # 2 images, map, theta, attention
    8
    """
    feature_map, theta, attention = _look(net, pictures[0])
    words = PHASES[phase]
    figure, page = plot(width=5.4, height=5.4 * words.tall / 100)
    figure.set_layout_engine("none")
    page.axis("off")
    _draw_top(page, pictures, feature_map, theta, words.pictures, frozen=phase == "paul")
    columns = _columns(len(attention))
    _draw_patches(page, attention, columns)
    (_draw_labels if phase == "labels" else _draw_paul)(page, columns, words)
    page.set(xlim=(0, 100), ylim=(words.tall, 0), position=(0, 0, 1, 1))
    return figure


@torch.no_grad()
def _look(net: PatchNet, picture: Image.Image) -> tuple[Tensor, Tensor, Tensor]:
    """Mean of the map's channels (H, W), theta (P, 2, 3) and attention (P, H, W) of one picture."""
    was = net.training
    image = net.eval().transform(picture)[None].to(next(net.parameters()).device)
    out, feature_map = net(image), net.backbone(image)
    net.train(was)
    return feature_map[0].mean(0).cpu(), out.theta[0].cpu(), out.attention[0].cpu()


def _draw_top(
    page: Axes, pictures: Sequence[Image.Image], feature_map: Tensor, theta: Tensor, title: str, frozen: bool
) -> None:
    """Images, backbone and map; below them the generator, theta and the patches as outlines."""
    for picture, x in zip(pictures, (2, 13), strict=False):
        _picture(page, picture, (x, 2, 10, 20))
    page.text(2, 23.5, title, va="top", fontsize=11)
    _box(page, (34, 7, 24, 10), "backbone")
    _picture(page, feature_map, (70, 2, 10, 20))
    page.text(82, 12, "map\nC×H×W", va="center", fontsize=11)
    _arrow(page, (24, 12), (33.5, 12))
    _arrow(page, (58.5, 12), (69, 12))
    _box(page, (34, 34.5, 24, 12), "patch\ngenerator", line="--" if frozen else "-")
    if frozen:
        page.text(46, 48, "frozen", ha="center", va="top", fontsize=11)
    _arrow(page, (72, 23), (72, 40.5), (58.8, 40.5))
    _arrow(page, (33.5, 40.5), (30, 40.5))
    _picture(page, pictures[0], (19, 30, 10, 20))
    _outline(page, theta, (19, 30, 10, 20), feature_map.shape)
    page.text(1.5, 40, "theta\nP×2×3", va="center", fontsize=11)


class Column(NamedTuple):
    """Where a patch has its column, and its colour."""

    left: float
    middle: float
    width: float
    colour: str


def _columns(patches: int) -> list[Column]:
    step = 75 / patches
    return [
        Column(21 + step * p + 0.7, 21 + step * (p + 0.5), step - 1.4, COLOURS[p % len(COLOURS)])
        for p in range(patches)
    ]


def _draw_patches(page: Axes, attention: Tensor, columns: list[Column]) -> None:
    """For each patch its attention, its own reduction and what that gives."""
    for p, (at, weights) in enumerate(zip(columns, attention, strict=True)):
        _picture(page, weights, (at.middle - 3.5, 57.5, 7, 14), at.colour)
        _box(page, (at.left, 89.5, at.width, 11), f"$W_{p}$\nBN", at.colour)
        page.fill_between([at.left + 0.8, at.left + at.width - 0.8], 106, 110, color=at.colour)
    _down(page, columns, (72.2, 75.5), (84.5, 89), (101, 104.7))
    _box(page, (21, 76, 75, 8), "weigh the map's cells, add them up")
    _box(page, (21, 105, 75, 6), "", face="none")
    _rows(page, {64.5: "attention\nP×H×W", 95: "own\nreduction"})
    _arrow(page, (24, 50.7), (24, 56.8))
    page.text(25.5, 53.8, "where", va="center", fontsize=11)
    _arrow(page, (78, 23), (78, 27), (98.4, 27), (98.4, 80), (96.6, 80))
    page.text(97, 53.8, "what", va="center", ha="right", fontsize=11)


def _draw_labels(page: Axes, columns: list[Column], words: Words) -> None:
    """Behind a ReLU the classifiers and the embeddings of phase 1; beside them what ranks."""
    _rows(page, {108: "z\nP×D", 130: "own\nclassifier", 154: "f\nP×D"})
    _box(page, (21, 115.5, 75, 6), "ReLU")
    for at in columns:
        _box(page, (at.left, 126.5, at.width, 7), words.each, at.colour)
    _down(page, columns, (111.3, 115), (122, 126))
    _box(page, (21, 138, 75, 8), words.together)
    _arrow(page, (20.7, 118.5), (18.6, 118.5), (18.6, 142), (20.6, 142))
    _box(page, (21, 150.5, 75, 8), "each z brought to length 1: for ranking")
    _arrow(page, (96.3, 108), (98.4, 108), (98.4, 154.5), (96.6, 154.5))


def _draw_paul(page: Axes, columns: list[Column], words: Words) -> None:
    """A loss for each patch, and one for all."""
    _rows(page, {108: "features\nP×D", 119.5: "losses"})
    for at in columns:
        _box(page, (at.left, 116, at.width, 7), words.each, at.colour, size=min(11, 0.75 * at.width))
    _down(page, columns, (111.3, 115.5))
    _box(page, (21, 127.5, 75, 8), words.together)
    _arrow(page, (96.3, 108), (98.4, 108), (98.4, 131.5), (96.6, 131.5))
    _draw_pedal(page, (2, 140, 46, 28))
    _draw_ipfl(page, (52, 140, 46, 28))


def _draw_pedal(page: Axes, at: Place) -> None:
    """The feature moves towards the entries most like it and away from the others; no entry moves."""
    x, y = _inset(page, at, "PEDAL, for one patch")
    x, y = x - 8, y - 2
    turn = torch.linspace(0, 2 * torch.pi, 60)
    page.plot(x + 15 + 6 * turn.cos(), y + 6 * turn.sin(), "--", color="grey", linewidth=1.2)
    for angle in (-18, 3, 22):
        _mark(page, _around(x, y, angle, 15), "o", RIGHT)
        _force(page, _around(x, y, angle, 1.5), _around(x, y, angle, 8.5), RIGHT)
    for angle in (70, 100, 130):
        _mark(page, _around(x, y, angle, 13), "X", WRONG)
        _force(page, _around(x, y, angle + 180, 1.5), _around(x, y, angle + 180, 6.5), WRONG)
    _mark(page, (x, y), "*", INK)
    page.text(x - 2.5, y - 1, "$x$", ha="right", fontsize=11)


def _draw_ipfl(page: Axes, at: Place) -> None:
    """An image and its surrogate move towards their center, and away from a hard negative; no center moves."""
    x, y = _inset(page, at, "IPFL, whole images")
    image, surrogate, center, other = (x - 14, y + 6.5), (x - 14, y - 4.5), (x - 9, y + 1), (x + 12, y + 1)
    for anchor, towards in ((image, -1), (surrogate, 1)):
        _force(page, anchor, (anchor[0] + 3.4, anchor[1] + 3.7 * towards), RIGHT)
        _force(page, anchor, (anchor[0] - 5.5, anchor[1] - 0.9 * towards), WRONG)
    _mark(page, image, "*", INK)
    _mark(page, surrogate, "o", INK)
    _mark(page, center, "P", RIGHT)
    _mark(page, other, "X", WRONG)
    words = {"image": (x - 11, y + 8), "surrogate": (x - 11, y - 5.5), "its center": (x - 6.5, y + 1)}
    for text, place in words.items():
        page.text(*place, text, va="center", fontsize=10)
    page.text(x + 12, y + 5.5, "hard negative", ha="center", va="center", fontsize=10)


def _inset(page: Axes, at: Place, title: str) -> tuple[float, float]:
    """A frame with a title; returns the middle of what is left."""
    x, y, width, height = at
    _box(page, at, "", face="none", line=":")
    page.text(x + width / 2, y + 3.2, title, ha="center", va="center", fontsize=11)
    return x + width / 2, y + height / 2 + 2.2


def _around(x: float, y: float, angle: float, radius: float) -> tuple[float, float]:
    return x + radius * cos(radians(angle)), y + 0.75 * radius * sin(radians(angle))


def _mark(page: Axes, at: tuple[float, float], marker: str, colour: str) -> None:
    page.plot(*at, marker, color=colour, markersize=13 if marker == "*" else 8, zorder=6)


def _force(page: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    page.annotate("", end, start, arrowprops=arrow)


def _down(page: Axes, columns: list[Column], *gaps: tuple[float, float]) -> None:
    """An arrow for each patch across each gap between two rows."""
    for at in columns:
        for start, end in gaps:
            _arrow(page, (at.middle, start), (at.middle, end))


def _rows(page: Axes, names: dict[float, str]) -> None:
    """What the rows are called, on the left."""
    for y, name in names.items():
        page.text(1.5, y, name, va="center", fontsize=11)


Place = tuple[float, float, float, float]  # x, y, width, height in units of the page


def _picture(page: Axes, picture: Image.Image | Tensor, at: Place, colour: str = INK) -> None:
    from matplotlib.patches import Rectangle

    x, y, width, height = at
    shown = picture if isinstance(picture, Image.Image) else picture.numpy()
    page.imshow(shown, extent=(x, x + width, y + height, y), aspect="auto", cmap="Greys", interpolation="nearest")
    page.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=colour, linewidth=2, zorder=5))


def _box(
    page: Axes, at: Place, text: str, colour: str = INK, face: str = "#f4f4f4", size: float = 11, line: str = "-"
) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y, width, height = at
    shape = "round,pad=0,rounding_size=1.2"
    page.add_patch(
        FancyBboxPatch((x, y), width, height, shape, facecolor=face, edgecolor=colour, linewidth=1.4, ls=line)
    )
    page.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=size)


def _arrow(page: Axes, *corners: tuple[float, float]) -> None:
    """A line from corner to corner that ends in an arrow head."""
    page.plot(*zip(*corners[:-1], strict=True), color=INK, linewidth=1.3)
    page.annotate("", corners[-1], corners[-2], arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.3, "shrinkA": 0})


def _outline(page: Axes, theta: Tensor, at: Place, cells: torch.Size) -> None:
    """Every patch over a picture of the page, whose feature map has so many rows and columns."""
    x, y, width, height = at
    for colour, u, v in outlines(theta, cells):
        page.plot(x + width * u, y + height * v, color=colour, linewidth=2, zorder=9)
