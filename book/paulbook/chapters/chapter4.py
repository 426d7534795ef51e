"""Chapter 4: stripes on images, sample points, a theta beside its attention map, the kink, patches that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from paullite.data.items import Item
from paullite.models import patch_attention

from ..figures import COLOURS, data_uri, plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS, COLUMNS = 8, 4  # of the feature map
STRIDE = 16  # pixels per cell


def sample_points(theta: Tensor) -> Tensor:
    """Where one patch, theta (2, 3), is read, as columns and rows counted in cells: (32, 2).

    >>> sample_points(torch.tensor([[1.0, 0, 0], [0, 1, 0]]))[[0, -1]]
    tensor([[0., 0.],
            [3., 7.]])
    """
    grid = F.affine_grid(theta[None].float(), [1, 1, ROWS, COLUMNS], align_corners=True)
    return (grid.view(-1, 2) + 1) / 2 * torch.tensor([COLUMNS - 1.0, ROWS - 1.0])


def draw_stripes(items: Sequence[Item], patches: int = 6) -> Figure:
    """Images that are cut into equal horizontal stripes, numbered from 0 at the top.

    >>> import paullite as pl
    >>> items = pl.data.PaperDolls("target", identities=2, test_identities=2).train[:4]
    >>> len(draw_stripes(items).axes)
    4
    """
    figure, axes = plot(1, len(items), height=3.3)
    for panel, item in zip(axes, items, strict=True):
        panel.imshow(item.image)
        height, width = item.image.height, item.image.width
        edges = [height * p / patches - 0.5 for p in range(1, patches)]
        panel.hlines(edges, -0.5, width - 0.5, linewidth=2, color="white")
        for p in range(patches):
            words = {"va": "center", "weight": "bold", "color": "white"}
            panel.text(2, height * (p + 0.5) / patches, p, **words)
        panel.set(xticks=[], yticks=[], title=f"camera {item.camid}")
        panel.grid(False)
    return figure


def _draw_points(panel: Any, image: Image.Image, theta: Tensor) -> None:
    """The sample points of a patch on an image whose axes count cells."""
    columns, rows = sample_points(theta).T
    panel.imshow(image, extent=(-0.5, COLUMNS - 0.5, ROWS - 0.5, -0.5))
    panel.plot(columns, rows, "o", color=COLOURS[1], mec="black", ms=4.5)
    panel.set(xlim=(-1, COLUMNS), ylim=(ROWS, -1), xticks=range(COLUMNS), yticks=range(ROWS))
    panel.grid(False)


def draw_examples(image: Image.Image, thetas: Mapping[str, Tensor]) -> Figure:
    """One image several times, each with the sample points of a theta.

    >>> from PIL import Image
    >>> whole = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    >>> len(draw_examples(Image.new("RGB", (64, 128)), {"a": whole, "b": whole}).axes)
    2
    """
    figure, axes = plot(1, len(thetas), height=3.0)
    for panel, (name, theta) in zip(axes, thetas.items(), strict=True):
        _draw_points(panel, image, theta)
        panel.set_title(name, fontsize=10)
    return figure


def draw_map(image: Image.Image, theta: Tensor) -> Figure:
    """Sample points of one theta on an image, and beside them its attention map in percent.

    >>> from PIL import Image
    >>> len(draw_map(Image.new("RGB", (64, 128)), torch.tensor([[1.0, 0, 0], [0, 0.5, 0]])).axes)
    2
    """
    attention = 100 * patch_attention(theta[None, None].float(), ROWS, COLUMNS)[0, 0]
    figure, (left, right) = plot(1, 2, width=5.4, height=4.4)
    _draw_points(left, image, theta)
    left.set_title("sample points")
    right.imshow(attention, cmap="Blues", vmin=0, vmax=18)
    for h, w in np.ndindex(ROWS, COLUMNS):
        value = float(attention[h, w])
        shade = "white" if value > 11 else "black"
        right.text(w, h, f"{value:.1f}", ha="center", va="center", fontsize=10, color=shade)
    title = f"attention in %, sum {float(attention.sum()):.1f}"
    right.set(xticks=range(COLUMNS), yticks=range(ROWS), title=title)
    right.grid(False)
    return figure


def map_data(image: Image.Image, theta: Tensor) -> dict[str, Any]:
    """What the figure of a patch to drag computes with: an image, its mean colours in each cell, and a theta.

    >>> from PIL import Image
    >>> sorted(map_data(Image.new("RGB", (64, 128)), torch.eye(2, 3)))
    ['cell', 'height', 'map', 'picture', 'presets', 'theta', 'width']
    """
    pixels = torch.tensor(np.asarray(image, np.float32)).permute(2, 0, 1) / 255
    colours = F.avg_pool2d(pixels[None], STRIDE)[0]
    presets = {"top fifth": [[1, 0, 0], [0, 0.2, -0.8]], "over the edge": [[1, 0, 0], [0, 0.3, -1]]}
    data = {"picture": data_uri(image), "map": colours.double().tolist(), "height": ROWS, "width": COLUMNS}
    return data | {"cell": [3, 1], "theta": theta.double().tolist(), "presets": presets}


def draw_kink(widths: Sequence[float], masses: Sequence[float], slopes: Mapping[str, float]) -> Figure:
    """The tents of the four columns with points on their centres, and the mass of a patch against its width.

    Args:
        widths, masses: the curve; its corner is at width 1.
        slopes: at width 1, by name of the way to compute it.

    >>> len(draw_kink([0.9, 1, 1.1], [1, 1, 0.9], {"sampler": -0.4, "attention map": 0}).axes)
    2
    """
    figure, (left, right) = plot(1, 2, height=3.0)
    for w in range(COLUMNS):
        left.plot((w - 1, w, w + 1), (0, 1, 0), "--" if w % 2 else "-", color=COLOURS[6], linewidth=1.5)
    left.plot(range(COLUMNS), [1] * COLUMNS, "o", color=COLOURS[1], mec="black", ms=8, label="sample points")
    left.set(xlabel="column, counted in cells", ylabel="weight of the column", xticks=range(COLUMNS), ylim=(0, 1.3))
    left.legend(loc="upper center")
    right.plot(widths, masses, color="black", linewidth=2.5, label="mass")
    for (name, slope), colour, line in zip(slopes.items(), COLOURS, ("--", ":"), strict=False):
        ends = np.array([min(widths), max(widths)])
        right.plot(ends, 1 + slope * (ends - 1), line, color=colour, linewidth=2, label=f"{name}: slope {slope:.3f}")
    right.set(xlabel="width of the patch, $s_x$", ylabel="mass", ylim=(0.91, 1.14))
    right.legend(loc="upper right", fontsize=9)
    return figure


def draw_followed(image: Image.Image, thetas: Tensor, moved: float, curve: Mapping[float, float]) -> Figure:
    """Six patches on an image whose person was moved, and how far the patches of many images moved on average.

    Args:
        image: the person, moved down by ``moved`` pixels.
        thetas: of its patches, (P, 2, 3).
        curve: mean movement of the patches in pixels, by that of the people.

    >>> from PIL import Image
    >>> from paullite.models import stripes
    >>> len(draw_followed(Image.new("RGB", (64, 128)), stripes(6), 8, {0: 0, 8: 1}).axes)
    2
    """
    figure, (left, right) = plot(1, 2, width=6.4, height=4.2)
    left.imshow(image, extent=(-0.5, COLUMNS - 0.5, ROWS - 0.5, -0.5))
    corners = [0, COLUMNS - 1, ROWS * COLUMNS - 1, (ROWS - 1) * COLUMNS, 0]
    for p, theta in enumerate(thetas):
        points = sample_points(theta)[corners] + torch.tensor([0.02 * p, 0])
        left.plot(*points.T, color="white", linewidth=3.5)
        left.plot(*points.T, color=COLOURS[p], linewidth=2)
        left.text(COLUMNS - 0.35, float(points[:, 1].mean()), p, color=COLOURS[p], va="center", weight="bold")
    left.set(xlim=(-0.5, COLUMNS), ylim=(ROWS - 0.5, -0.5), xticks=[], yticks=[])
    left.set_title(f"person moved by {moved:+.0f} px")
    left.grid(False)
    at = sorted(curve)
    right.plot(at, at, "--", color=COLOURS[6], label="patches that follow")
    right.plot(at, [curve[x] for x in at], "-s", color=COLOURS[0], label="measured")
    right.plot(moved, curve[moved], "o", color=COLOURS[5], ms=11, fillstyle="none", mew=2.5)
    right.set(xlabel="people moved down, pixels", ylabel="patches moved down, pixels")
    right.legend(loc="upper left", fontsize=9)
    return figure
