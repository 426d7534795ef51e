"""Chapter 2: people of two domains who look alike, whole and in part, as far apart as the network finds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..figures import COLOURS, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pair = tuple[Image.Image, Image.Image]  # a picture of the source, one of the target
LARGEST = 2.0  # squared distance of two features that have nothing in common: the widest gap


def draw_look_alikes(
    pairs: Sequence[Pair], whole: Sequence[float], part: Sequence[float], rows: slice, name: str = "chest patch"
) -> Figure:
    """Draw pairs of look-alikes from source and target: whole images on the left, one patch of them on the right.

    The longer the line between the two pictures of a pair, the further apart they are to the network. The idea is that
    of the paper's figure 1 (Yang et al., CVPR 2019), in a design of our own.

    Args:
        pairs: at most four pairs of pictures, all of one size.
        whole: squared distance of each pair's whole images, 0 to 4.
        part: squared distance of their patches.
        rows: which rows of a picture the patch covers.
        name: what the patch is called.

    >>> picture = Image.new("RGB", (64, 128))
    >>> figure = draw_look_alikes([(picture, picture)] * 3, [1.5, 1.6, 1.7], [0.8, 0.9, 1.0], slice(30, 60))
    >>> len(figure.axes[0].images)      # three pairs, whole and in part
    12
    """
    figure, page = plot(width=6.2, height=5.0)
    figure.set_layout_engine("none")
    page.axis("off")
    halves = (("whole image", whole, slice(None), COLOURS[5]), (name, part, rows, COLOURS[0]))
    for side, (title, distances, shown, colour) in enumerate(halves):
        left = 11 + 45 * side
        page.text(left + 21, 1, f"{title}: $d^2$", ha="center", va="top", fontsize=12)
        for k, (pair, distance) in enumerate(zip(pairs, distances, strict=True)):
            crops = [np.asarray(picture)[shown] for picture in pair]
            _draw_pair(page, crops, distance, left + 42 * (k + 0.5) / len(pairs), colour)
    page.axvline(54, color="#999999", linewidth=1)
    for y, domain in ((16, "source"), (68, "target")):
        page.text(2, y, domain, rotation=90, ha="center", va="center", fontsize=12)
    page.set(xlim=(0, 100), ylim=(82, 0), position=(0, 0, 1, 1))
    return figure


def _draw_pair(page: Axes, crops: Sequence[np.ndarray], distance: float, middle: float, colour: str) -> None:
    """Two pictures one above the other, the line between them as long as they are apart."""
    width, height = 11, 11 * crops[0].shape[0] / crops[0].shape[1]
    gap = 4 + 22 * min(distance, LARGEST) / LARGEST
    for crop, top in zip(crops, (42 - gap / 2 - height, 42 + gap / 2), strict=True):
        page.imshow(crop, extent=(middle - width / 2, middle + width / 2, top + height, top), aspect="auto")
    ends = {"arrowstyle": "|-|,widthA=.3,widthB=.3", "color": colour, "lw": 1.8, "shrinkA": 1, "shrinkB": 1}
    page.annotate("", (middle, 42 + gap / 2), (middle, 42 - gap / 2), arrowprops=ends)
    page.text(middle + 0.8, 42, f"{distance:.2f}", va="center", fontsize=12, color=colour, weight="bold")
