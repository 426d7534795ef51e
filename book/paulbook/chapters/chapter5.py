"""Chapter 5: the settings of its training, in the one place that chapter and band share, and its drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from paullite.app.pictures import outlines
from paullite.config import PretrainConfig
from paullite.models import stripes
from paullite.pretraining import rates

from ..figures import COLOURS, RIGHT, WRONG, plot
from ..first import PRESET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PEOPLE = 36
"""People to learn from, and as many others to be judged on: the first of the drawn source."""

ANGLES = (90, 45, 200, 150, 10, 230, 300)  # places of the example's embeddings on the circle, in degrees
PEOPLE_OF_ANGLES = (0, 0, 0, 1, 2, 1, 2)


def settings(seed: int = 0) -> PretrainConfig:
    """Six epochs on few people, short enough for a chapter; otherwise as the preset ``paperdolls``.

    The chapter spells these settings out and asserts that they are these; ``tests/benchmarks/bands.py`` trains with
    them for the band that the chapter compares with.

    Args:
        seed: of the network's start and of the order of the images. The people stay the same.

    >>> settings().epochs, settings(3).seed
    (6, 3)
    """
    schedule = replace(PRESET.pretrain, epochs=6, generator_epochs=(2, 4), decay_epoch=4)
    return replace(schedule, evaluate_every=1, progress=False, seed=seed)


def example_points() -> tuple[Tensor, Tensor]:
    """Seven embeddings on the unit circle, the anchor first, (7, 2), and whose they are, (7,)."""
    angles = torch.tensor(ANGLES).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], 1), torch.tensor(PEOPLE_OF_ANGLES)


def triplet_term(margin: float) -> float:
    """What the first of the example's points adds to the triplet loss.

    >>> round(triplet_term(1.0), 2)
    0.77
    """
    points, _ = example_points()
    distance = (points - points[0]).norm(dim=1)
    return max(0.0, margin + float(distance[1] - distance[3]))  # 1 is its nearest positive, 3 its hardest negative


def draw_triplet(margin: float) -> Figure:
    """The example's anchor, its nearest positive, its hardest negative, and how far the margin reaches.

    >>> draw_triplet(1.0).axes[0].get_title()
    'margin 1.0: loss 0.77'
    """
    points, who = example_points()
    turn, reach = torch.linspace(0, 2 * torch.pi, 200), (points[1] - points[0]).norm() + margin
    figure, axes = plot(width=4.2, height=4.7)
    axes.plot(turn.cos(), turn.sin(), color="grey", linewidth=0.8)
    axes.plot(reach * turn.cos(), 1 + reach * turn.sin(), "k--", linewidth=1.3)
    axes.plot(*points[[0, 1]].T, "-", color=RIGHT, linewidth=3)
    axes.plot(*points[[0, 3]].T, ":", color=WRONG, linewidth=3)
    axes.plot(*points[who == 0].T, "o", color=RIGHT, ms=11, label="same person")
    axes.plot(*points[who > 0].T, "X", color=WRONG, ms=11, label="others")
    axes.plot(*points[0], "*", color="black", ms=17, label="anchor")
    axes.set(xlim=(-2, 2), ylim=(-1.5, 3), aspect="equal")
    axes.axis("off")
    axes.set_title(f"margin {margin}: loss {triplet_term(margin):.2f}")
    axes.legend(loc="lower center", ncols=3, handletextpad=0.1, columnspacing=0.8)
    return figure


def draw_rates(configs: dict[str, PretrainConfig]) -> Figure:
    """The learning rates of the three groups over the epochs, for two settings or more by name.

    >>> [axes.get_title() for axes in draw_rates({"six": settings(), "ten": PRESET.pretrain}).axes]
    ['six', 'ten']
    """
    figure, axes = plot(1, len(configs), width=5.6, height=3.3)
    for panel, (title, config) in zip(axes, configs.items(), strict=True):
        table = [rates(config, epoch) for epoch in range(config.epochs)]
        for name, style in {"heads": "-", "backbone": "--", "generator": ":"}.items():
            values = [row[name] or torch.nan for row in table]  # a scale of powers has no place for 0
            panel.stairs(values, linestyle=style, linewidth=3, baseline=None, label=name)
        panel.set(yscale="log", xlabel="epoch, from 0", ylim=(3e-6, 0.3), title=title)
    axes[0].set_ylabel("learning rate")
    axes[-1].legend(loc="lower center")
    return figure


def draw_epoch(
    pictures: Sequence[Image.Image], theta: Tensor, history: Sequence[dict[str, float]], window: tuple[int, int]
) -> Figure:
    """Where the patches lie after an epoch, and the curves up to there.

    Args:
        pictures: a few images.
        theta: (images, P, 2, 3) the patches on each.
        history: a row for each epoch up to this one, from 0 on; before training there is no accuracy.
        window: epochs in which the generator learns.

    >>> from paullite.models import stripes
    >>> rows = [{"epoch": 0, "map_step": 0.2}, {"epoch": 1, "map_step": 0.8, "accuracy": 0.2}]
    >>> draw_epoch([Image.new("RGB", (64, 128))], stripes(6)[None], rows, (2, 4)).axes[0].get_title()
    'epochs done: 1; patches moved up to 0 pixels'
    """
    figure, (top, low) = plot(2, 1, width=5, height=5.6)
    for i, (picture, patches) in enumerate(zip(pictures, theta, strict=True)):
        _outlined(top, picture, patches, 80 * i)
    moved = 56 * (theta - stripes(theta.shape[1]))[..., 1, 2].abs().max()  # vertical; -1 to 1 is 7 rows of 16 pixels
    title = f"epochs done: {len(history) - 1}; patches moved up to {moved:.0f} pixels"
    top.set(xlim=(-8, 80 * len(pictures) - 8), ylim=(136, -8), title=title)
    top.axis("off")
    for name, label, style in (
        ("accuracy", "accuracy on training people", "o-"),
        ("map_step", "mAP on new people", "^--"),
    ):
        points = [(row["epoch"], 100 * row[name]) for row in history if name in row]
        low.plot([epoch for epoch, _ in points], [value for _, value in points], style, label=label)
    low.axvspan(*window, color="grey", alpha=0.2, label="generator learns")
    low.set(xlim=(-0.2, 6.3), ylim=(0, 103), xlabel="epochs done", ylabel="%")
    low.legend(loc="lower right")
    return figure


def draw_alone(alone: Sequence[float], together: float) -> Figure:
    """Bars: the mAP of each patch alone, and of all side by side, in percent.

    >>> len(draw_alone([60.0, 70.0], 90.0).axes[0].patches)
    3
    """
    figure, axes = plot(width=5.2, height=2.8)
    bars = axes.bar(range(len(alone) + 1), [*alone, together], color=[*COLOURS[: len(alone)], "black"])
    axes.bar_label(bars, fmt="%.0f")
    axes.set_xticks(range(len(alone) + 1), [*map(str, range(len(alone))), "all"])
    axes.set(xlabel="patch", ylabel="mAP (step), %", ylim=(0, 109))
    axes.grid(False, axis="x")
    return figure


def _outlined(axes: Any, picture: Image.Image, theta: Tensor, left: float) -> None:
    """A picture at a place of the axes, with the outlines of its patches (P, 2, 3)."""
    axes.imshow(picture, extent=(left, left + picture.width, picture.height, 0))
    for colour, x, y in outlines(theta):
        axes.plot(left + picture.width * x, picture.height * y, color=colour, linewidth=2)
