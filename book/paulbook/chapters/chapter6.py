"""Chapter 6: nearest patches, the memory as a picture, weights by age, running means on a circle, fresh entries."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import Tensor

from paullite.app.pictures import show_image
from paullite.data.items import Item
from paullite.memory import FeatureMemory

from ..figures import COLOURS, RIGHT, WRONG, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROWS, COLUMNS, STRIDE = 8, 4, 16  # of the feature map, and pixels per cell
SIDE = 8  # a patch feature of 64 numbers is drawn as 8 x 8 squares
Nearest = Sequence[tuple[int, bool]]  # indices of images, and whether they show the same person


def frame_of(theta: Tensor) -> tuple[float, float, float, float]:
    """The region that a patch without shear is read from, as left, top, right and bottom in pixels.

    The outermost sample points and half a spacing beyond them, within the image.

    >>> frame_of(torch.tensor([[1.0, 0, 0], [0, 1, 0]]))
    (0.0, 0.0, 64.0, 128.0)
    """
    found = []
    for axis, cells in enumerate((COLUMNS, ROWS)):
        half = float(theta[axis, axis].abs()) * cells / (cells - 1)  # the last point, and half a spacing more
        for end in (-half, half):
            cell = (float(theta[axis, 2]) + end + 1) / 2 * (cells - 1) + 0.5
            found.append(round(STRIDE * min(max(cell, 0), cells), 3))
    left, right, top, bottom = found
    return left, top, right, bottom


def draw_nearest(images: Sequence[Item], thetas: Tensor, asked: int, rows: Mapping[str, Nearest]) -> Figure:
    """An image and those with the most similar patch, one row for each set to choose from; the patch is framed.

    Args:
        images: of the training set.
        thetas: of the patch in each of them, (N, 2, 3).
        asked: index of the image.
        rows: by name, what was found.

    >>> import paullite as pl
    >>> images = pl.data.PaperDolls("target", identities=2, test_identities=2).train
    >>> thetas = torch.eye(2, 3).expand(len(images), 2, 3)
    >>> len(draw_nearest(images, thetas, 0, {"batch": [(1, True)], "all": [(2, False)]}).axes)
    4
    """
    figure, axes = plot(len(rows), 1 + len(next(iter(rows.values()))), height=2.5 * len(rows))
    for line, (name, found) in zip(axes, rows.items(), strict=True):
        shown = [(asked, name, None), *((i, "✓ same" if same else "✗ other", same) for i, same in found)]
        for panel, (index, words, same) in zip(line, shown, strict=True):
            colour = {None: None, True: RIGHT, False: WRONG}[same]
            show_image(panel, images[index].image, words, colour)
            left, top, right, bottom = frame_of(thetas[index])
            for ink, width in (("black", 3.5), ("white", 1.8)):
                at = (left + 0.5, top - 0.5), right - left - 2, bottom - top
                panel.add_patch(Rectangle(*at, fill=False, edgecolor=ink, linewidth=width))
            panel.grid(False)
    return figure


def draw_memory(images: Sequence[Item], memory: Tensor, batch: Mapping[int, Tensor], momentum: float = 0.1) -> Figure:
    """Some rows of a memory; those of the batch are lit, with an arrow from the new features to the row.

    Args:
        images: of the training set.
        memory: (N, P, D) with D = 64.
        batch: rows of the batch, and the new features (P, D) of each.
        momentum: share of the new.

    >>> import paullite as pl
    >>> images = pl.data.PaperDolls("target", identities=2, test_identities=2).train
    >>> memory = torch.rand(len(images), 6, 64)
    >>> len(draw_memory(images, memory, {1: memory[0]}).axes)
    1
    """
    shown = sorted({0, *(row + step for row in batch for step in (0, 1)), len(memory) - 1} & set(range(len(memory))))
    patches = memory.shape[1]
    figure, panel = plot(width=6.4, height=0.72 * len(shown) + 1.2)
    right = patches + 3.6  # where new features begin
    for y, row in enumerate(shown):
        lit = row in batch
        panel.imshow(images[row].image, extent=(-1.6, -0.75, y + 0.42, y - 0.42), alpha=1 if lit else 0.45)
        panel.text(-1.75, y, f"image {row}", ha="right", va="center", fontsize=10, weight="bold" if lit else "normal")
        _draw_features(panel, memory[row], 0, y, 1 if lit else 0.45)
        if lit:
            panel.add_patch(Rectangle((-0.5, y - 0.5), patches, 1, fill=False, edgecolor=WRONG, linewidth=2.5))
            _draw_features(panel, batch[row], right, y, 1)
            arrow: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 18, "color": WRONG, "linewidth": 2}
            panel.add_patch(FancyArrowPatch((right - 0.6, y), (patches - 0.4, y), **arrow))
            panel.text((right + patches - 1) / 2, y - 0.12, f"· {momentum:g}", ha="center", va="bottom", fontsize=11)
        if y and row > shown[y - 1] + 1:
            panel.text(-1.75, y - 0.5, "...", ha="right", va="center", fontsize=11)
    for p in range(patches):
        for x in (p, right + p):
            panel.text(x, -0.62, p, ha="center", va="bottom", fontsize=10)
    panel.text((patches - 1) / 2, -1.0, f"memory, {len(memory)} rows", ha="center", va="bottom", weight="bold")
    panel.text(right + (patches - 1) / 2, -1.0, "new features", ha="center", va="bottom", weight="bold")
    panel.set(xlim=(-4.2, right + patches - 0.4), ylim=(len(shown) - 0.4, -1.6))
    panel.set_aspect("auto")
    panel.axis("off")
    return figure


def _draw_features(panel: Axes, features: Tensor, x: float, y: float, alpha: float) -> None:
    """The features (P, 64) of an image side by side, the larger a number the darker its square."""
    for p, feature in enumerate(features):
        values, extent = feature.view(SIDE, SIDE), (x + p - 0.42, x + p + 0.42, y + 0.4, y - 0.4)
        panel.imshow(values, extent=extent, cmap="Blues", vmin=-0.15, vmax=0.3, alpha=alpha)


def draw_weights(weights: Sequence[float], most: int) -> Figure:
    """What an entry consists of: the weight of each visit, the newest first, and that of the first pass.

    >>> len(draw_weights([0.1, 0.09, 0.81], 13).axes[0].patches)
    3
    """
    figure, axes = plot(height=2.8)
    *later, first = weights
    if later:
        axes.bar(range(len(later)), later, color=RIGHT, label="later visits")
    axes.bar([len(later)], [first], color=WRONG, hatch="//", label="first pass, stored whole")
    axes.set(xlabel="visits ago", ylabel="weight in the entry", ylim=(0, 1.05), xlim=(-0.7, most - 0.3))
    axes.set_title(f"first pass: {100 * first:.0f} % of the entry", loc="left", fontsize=11)
    axes.legend(loc="upper center")
    return figure


def circle(momentum: float, drift: float, noise: Sequence[Sequence[float]], amount: float) -> tuple[Tensor, Tensor]:
    """Features of several images that move along the unit circle, and what a memory holds after each visit.

    Args:
        momentum: of the memory.
        drift: degrees that each image moves from visit to visit.
        noise: standard normal numbers, (visits, images).
        amount: degrees of noise for each of them.

    Returns:
        Features and entries, (visits, images, 2) each.

    >>> features, entries = circle(1.0, 3, [[0.0], [0.0]], 0)
    >>> torch.equal(features, entries), features.shape
    (True, torch.Size([2, 1, 2]))
    """
    features = on_circle(drift * torch.arange(len(noise))[:, None] + amount * torch.tensor(noise, dtype=torch.float64))
    images = features.shape[1]
    memory, entries = FeatureMemory(images, 1, 2, momentum=momentum).double(), []
    for visit in features:
        memory.update(torch.arange(images), visit[:, None])
        entries.append(memory.features[:, 0].clone())
    return features, torch.stack(entries)


def on_circle(degrees: Any) -> Tensor:
    """Points of the unit circle in some directions.

    >>> on_circle(0.0).tolist()
    [1.0, 0.0]
    """
    angle = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float64))
    return torch.stack([angle.cos(), angle.sin()], -1)


def draw_circle(features: Tensor, entries: Tensor, truth: Tensor) -> Figure:
    """The visits of one image on the circle, its entry at the end and those of the other images, and the lag.

    >>> len(draw_circle(*circle(0.1, 3, [[0.0, 1.0]] * 5, 20), on_circle(12)).axes)
    1
    """
    figure, axes = plot(width=6.4, height=4.2)
    axes.plot(*on_circle(np.linspace(0, 360, 181)).T, color=COLOURS[6], linewidth=1)
    axes.plot(*features[:, 0].T, "o", color=RIGHT, alpha=0.6, label="features of one image")
    axes.plot(*entries[-1, 1:].T, "s", color=WRONG, alpha=0.3, ms=4, label="entries of the other images")
    own = entries[-1, 0]
    axes.plot(*torch.stack([own, truth]).T, "k--", linewidth=1.5, label="lag of its entry")
    axes.plot(*own, "s", color=WRONG, mec="white", ms=10, label="entry of this image")
    axes.plot(*truth, "ko", fillstyle="none", ms=12, mew=2, label="its newest feature without noise")
    axes.set(aspect="equal", xlim=(-1.1, 1.1), ylim=(-0.7, 1.1))
    axes.axis("off")
    axes.legend(loc="lower center", fontsize=9, ncols=2, bbox_to_anchor=(0.5, -0.02))
    return figure


def draw_fresh(curve: Mapping[float, float], levels: Mapping[str, float], shares: Mapping[str, float]) -> Figure:
    """Distance of entries from features computed now, by momentum; and whom their nearest entries show.

    Args:
        curve: mean distance by momentum.
        levels: mean distance of other entries by name, drawn as level lines.
        shares: of the same person among the nearest entries, in percent, by name.

    >>> len(draw_fresh({0.1: 0.4, 1: 0.5}, {"now": 0.3}, {"now": 30, "0.1": 29}).axes)
    2
    """
    figure, (left, right) = plot(1, 2, height=3.4)
    left.plot(list(curve), list(curve.values()), "-o", color=RIGHT, label="memory")
    for (name, level), colour, line in zip(levels.items(), (WRONG, "black"), ("--", ":"), strict=False):
        left.axhline(level, color=colour, linestyle=line, linewidth=2, label=name)
    left.set(xscale="log", xlabel="momentum", ylabel="distance from now", ylim=(0, None))
    left.set_xticks(list(curve), [f"{m:g}" for m in curve])
    left.minorticks_off()
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", fontsize=9, ncols=3)
    bars = right.barh(list(shares), list(shares.values()), color=RIGHT, label="same person")
    right.bar_label(bars, [f"{value:.0f}" for value in shares.values()], padding=3)
    right.set(xlabel="same person, %", xlim=(0, 1.25 * max(shares.values())))
    right.invert_yaxis()
    right.grid(False)
    return figure


class _Kept:
    """A tensor that a computation graph keeps."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class GraphBytes:
    """Counts what computation graphs keep beside the weights, while it is entered, and for as long as they live.

    >>> layer = torch.nn.Linear(3, 2)
    >>> with GraphBytes() as kept:
    ...     y = layer(torch.ones(5, 3)).square()
    >>> kept.bytes()
    100
    >>> del y
    >>> kept.bytes()
    0
    """

    def __init__(self) -> None:
        self._alive: weakref.WeakSet[_Kept] = weakref.WeakSet()
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda kept: kept.tensor)

    def __enter__(self) -> GraphBytes:
        self._hooks.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._hooks.__exit__(*raised)

    def _pack(self, tensor: Tensor) -> _Kept:
        kept = _Kept(tensor.detach())
        if not isinstance(tensor, torch.nn.Parameter):
            self._alive.add(kept)
        return kept

    def bytes(self) -> int:
        """How many bytes they keep now."""
        storages = [kept.tensor.untyped_storage() for kept in self._alive]
        return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())
