"""Chapter 7: twenty crops with their probabilities, the points computed by hand, scales and gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from paullite.app.pictures import outlines, show_image
from paullite.data.items import Split
from paullite.data.paperdolls.dataset import PaperDolls
from paullite.errors import InputError
from paullite.models import PatchNet
from paullite.modes import mode

from ..figures import COLOURS, RIGHT, WRONG, plot
from ..studies import receipts
from ..studies.families import lines_of
from ..studies.lines import Line
from .chapter5 import CELLS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1a1a1a"
ACROSS = 5  # crops beside each other

ENTRIES = ((0.96, 0.28), (0.8, 0.6), (0.6, -0.8), (0.0, 1.0), (-0.6, 0.6), (-0.8, -0.6))
"""Memory of six images in the plane; the first is the own entry of the feature that is compared."""


def example(angle: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """One feature on the unit circle, the memory, and the feature's own row: (1, 1, 2), (6, 1, 2), (1,).

    Args:
        angle: of the feature, in degrees.

    >>> x, w, own = example()
    >>> (x - w).square().sum(-1)[1:, 0]     # squared distances to the others
    tensor([0.4000, 0.8000, 2.0000, 2.9200, 3.6000])
    """
    turned = torch.deg2rad(torch.tensor(angle, dtype=torch.float64))
    x = torch.stack([turned.cos(), turned.sin()]).float()
    return x.view(1, 1, 2), torch.tensor(ENTRIES).view(-1, 1, 2), torch.tensor([0])


def forces(scale: float, k: int) -> Tensor:
    """Pull (above 0) or push of each other entry of the example on the feature, (5,).

    >>> forces(scale=1, k=2).sum().abs() < 1e-6
    tensor(True)
    """
    x, w, _ = example()
    logits = -scale * (x - w).square().sum(-1)[1:, 0]
    near = logits.topk(k)
    return torch.zeros(len(logits)).scatter(0, near.indices, near.values.softmax(0)) - logits.softmax(0)


def draw_example(scale: float, k: int) -> Figure:
    """The example with what each entry does to the feature: the still of the figure that computes in the page.

    >>> len(draw_example(1.0, 2).axes)
    1
    """
    force = forces(scale, k)
    figure, axes = plot(width=4.4, height=4.8)
    angle = torch.linspace(0, 2 * torch.pi, 181)
    axes.plot(angle.cos(), angle.sin(), color="#a0a0a0", linewidth=1)
    arms = force[:, None] * (torch.tensor(ENTRIES[1:]) - torch.tensor([1.0, 0.0]))
    step, longest = arms.sum(0), float(torch.cat([arms, arms.sum(0)[None]]).norm(dim=1).max())
    for j, ((u, v), pull) in enumerate(zip(ENTRIES[1:], force.tolist(), strict=True)):
        colour, mark = (RIGHT, "o") if pull > 0 else (WRONG, "s")
        axes.plot(u, v, mark, color=colour, markersize=9 + 18 * abs(pull) ** 0.5, alpha=0.75)
        axes.annotate(f"{j + 1}", (u, v), (9, 9), textcoords="offset points")
        _step(axes, 0.9 / longest * arms[j], colour, 1.8)
    _step(axes, 0.9 / longest * step, INK, 3.5)
    axes.plot(*ENTRIES[0], "x", color="#6b6b6b", markersize=9, markeredgewidth=2, label="_")
    axes.plot(1, 0, "D", color=INK, markersize=9)
    near, others = {"K nearest": ("o", RIGHT)}, {"others": ("s", WRONG)}
    marks = {"x and its step": ("D", INK), **near, **others, "own entry": ("x", "#6b6b6b")}
    for name, (mark, colour) in marks.items():
        axes.plot([], [], mark, color=colour, label=name)
    figure.legend(loc="outside lower center", ncols=2, fontsize=10, frameon=False)
    axes.set(aspect="equal", xlim=(-1.2, 2.0), ylim=(-1.25, 1.25), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    return figure


def _step(axes: Axes, by: Tensor, colour: str, width: float) -> None:
    """An arrow from the feature at (1, 0)."""
    if float(by.norm()) > 0.02:
        style = {"arrowstyle": "-|>", "color": colour, "lw": width, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (1 + float(by[0]), float(by[1])), (1, 0), arrowprops=style)


def crop(image: Image.Image, theta: Tensor) -> Image.Image:
    """The part of an image between the outermost points that a patch samples.

    >>> crop(Image.new("RGB", (64, 128)), torch.tensor([[1.0, 0, 0], [0, 0.5, -0.5]])).size
    (48, 56)
    """
    ((_, x, y),) = outlines(theta[None], CELLS)
    sides = x.clamp(0, 1) * image.width, y.clamp(0, 1) * image.height
    (left, right), (top, bottom) = ((round(float(v.min())), round(float(v.max()))) for v in sides)
    return image.crop((left, top, right, bottom))


def draw_neighbours(
    net: PatchNet,
    images: Split,
    query: int,
    indices: Sequence[int],
    patch: int,
    shares: Sequence[float] = (),
    right: Sequence[bool] = (),
) -> Figure:
    """A patch of one image, and the same patch of other images, as `draw_crops`; each is cut where the network looks.

    Args:
        net: places the patches.
        images: all images, by index.
        query, indices, patch: the image, the others, and the patch that is compared.
        shares, right: as in `draw_crops`.

    >>> import paullite as pl
    >>> few = PaperDolls("target", identities=2, test_identities=2).train
    >>> len(draw_neighbours(pl.shipped_net(), few, 0, [1, 2, 3], patch=2).axes)
    4
    """
    shown = [images[index].image for index in (query, *indices)]
    with mode(net, False), torch.no_grad():
        thetas = net(torch.stack([net.transform(picture) for picture in shown])).theta[:, patch]
    crops = [crop(picture, theta) for picture, theta in zip(shown[1:], thetas[1:], strict=True)]
    return draw_crops(shown[0], thetas[0], crops, shares, right)


def draw_crops(
    image: Image.Image,
    theta: Tensor,
    crops: Sequence[Image.Image],
    shares: Sequence[float] = (),
    right: Sequence[bool] = (),
) -> Figure:
    """An image with a patch framed, and beside it crops, nearest first.

    Args:
        image, theta: the image, and the patch of it that is compared, (2, 3).
        crops: the same patch of other images.
        shares: the probability of each in percent, written above it.
        right: whether each shows the same person, for the colour and the form of its frame.

    >>> small = Image.new("RGB", (64, 20))
    >>> len(draw_crops(Image.new("RGB", (64, 128)), torch.eye(2, 3), [small] * 20).axes)
    21
    """
    rows = -(-len(crops) // ACROSS)
    figure, page = plot(width=4.8, height=0.56 * rows + 0.2)
    page.remove()
    grid = figure.add_gridspec(rows, ACROSS + 1, width_ratios=[1.3] + [1] * ACROSS)
    first = figure.add_subplot(grid[:, 0])
    show_image(first, image)
    ((_, x, y),) = outlines(theta[None], CELLS)
    for ink, width in (("white", 5.0), (INK, 2.5)):
        first.plot(x * (image.width - 1), y * (image.height - 1), color=ink, linewidth=width)
    for j, picture in enumerate(crops):
        axes = figure.add_subplot(grid[j // ACROSS, j % ACROSS + 1])
        show_image(axes, picture, colour=_frame(right, j))
        if shares:
            axes.set_title(f"{shares[j]:.1f} %", fontsize=10, pad=3)
        if right and not right[j]:
            for spine in axes.spines.values():
                spine.set(linestyle=(0, (2.5, 1.2)), capstyle="butt")
    return figure


def _frame(right: Sequence[bool], j: int) -> str | None:
    if not right:
        return None
    return RIGHT if right[j] else WRONG


def alike(dolls: PaperDolls, garment: str) -> Tensor:
    """Whether two training images show the same value of a field of `Look`, whoever wears it: (N, N) bool.

    Args:
        dolls: drawn people.
        garment: as "upper" or "shoes".

    >>> few = PaperDolls("target", identities=2, test_identities=2)
    >>> bool(alike(few, "upper").diagonal().all())
    True
    """
    worn = [getattr(dolls.pictures[path].look, garment) for path in dolls.train.paths]
    codes = torch.tensor([sorted(set(worn)).index(value) for value in worn])
    return codes[:, None] == codes


def draw_held(d2: Tensor, scales: Sequence[float], k: int) -> Figure:
    """What the nearest entries hold of the probability together, a curve for each scale; at K it is the mass.

    Args:
        d2: squared distances of features to all others, nearest first, (n, N - 1); the mean over n is drawn.
        scales, k: values of s, and K.

    >>> len(draw_held(torch.arange(30.0)[None], [1, 2], k=20).axes[0].lines)
    5
    """
    figure, axes = plot(width=5.6, height=3.8)
    rank = torch.arange(1, d2.shape[1] + 1)
    styles = zip((COLOURS[1], COLOURS[0], COLOURS[2], COLOURS[3]), ("--", "-", "-.", ":"), strict=True)
    for s, (colour, line) in zip(scales, styles, strict=False):
        held = (-s * d2).softmax(1).cumsum(1).mean(0)
        axes.plot(rank, held, line, color=colour, linewidth=2.5, label=f"s = {s:g}, M = {float(held[k - 1]):.2f}")
        axes.plot(k, held[k - 1], "o", color=colour, label="_")
    axes.axvline(k, color=INK, linestyle=":", linewidth=1, label="_")
    axes.set(xscale="log", xlabel="nearest entries taken together", ylabel="probability that they hold", ylim=(0, 1.03))
    figure.legend(loc="outside lower center", ncols=2, fontsize=10, frameon=False)
    return figure


def gain(study: str, base: str, arm: str) -> dict[str, Line]:
    """What an arm of a record adds to another, by "rank-1" and "mAP", in shares; p corrected over the whole study.

    >>> list(gain("ablation", "batch_norm", "pedal"))
    ['rank-1', 'mAP']
    """
    found = lines_of(receipts.read(study), base, arm).values()
    if any(line.seeds is None for line in found):
        raise InputError(f"found one seed of {arm!r}", "expected two or more", "take another study")
    return {{"rank1": "rank-1", "map_step": "mAP"}[line.score]: line for line in found}


def gain_text(line: Line) -> str:
    """A gain in points with its 95 % confidence interval of the mean and its corrected p-value.

    >>> gain_text(gain("ablation", "batch_norm", "pedal")["mAP"]).count("points")
    1
    """
    if line.seeds is None:
        return f"{100 * (line.b - line.a):+.1f} points"
    low, high = 100 * line.seeds.low, 100 * line.seeds.high
    p = "" if line.p_value is None else f", p {'< 0.001' if line.p_value < 0.001 else f'= {line.p_value:.3f}'}"
    return f"{100 * (line.b - line.a):+5.1f} points [{low:+.1f}, {high:+.1f}]{p}"


def draw_gains(gains: Mapping[str, Line]) -> Figure:
    """Differences in mAP as points with their intervals over seeds, one below the other.

    >>> len(draw_gains({"PEDAL only": gain("ablation", "batch_norm", "pedal")["mAP"]}).axes)
    1
    """
    figure, axes = plot(height=0.62 * len(gains) + 1.0)
    for y, line in enumerate(gains.values()):
        if line.seeds is not None:
            axes.plot([100 * line.seeds.low, 100 * line.seeds.high], [y, y], color=COLOURS[0], linewidth=3, label="_")
        axes.plot(100 * (line.b - line.a), y, "o", color=COLOURS[0], markersize=9, label="_")
    axes.axvline(0, color=INK, linewidth=1, label="_")
    axes.set(yticks=range(len(gains)), yticklabels=list(gains), ylim=(len(gains) - 0.5, -0.5))
    axes.set_xlabel("gain in mAP, points")
    return figure
