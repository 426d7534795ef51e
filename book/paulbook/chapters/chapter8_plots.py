"""Chapter 8: plots of centers in the plane, of the loss's arrows, and of false negatives by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..figures import COLOURS, RIGHT, WRONG, plot
from ..studies import receipts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREY = "#595959"
PLANE = {"view x": (34, 56), "0": (28, 48), "1": (48, 62), "2": (62, 40), "3": (74, 50), "4": (80, 30), "5": (20, 15)}
UNIT = 25
"""Steps of the plane that make a distance of 1."""
NUMBERS = {"mark": list(PLANE), "across": [x for x, _ in PLANE.values()], "up": [y for _, y in PLANE.values()]}


def plane(margin: float = 2.0, nearest: int = 3) -> dict[str, object]:
    """What the figure of centers in the plane begins with: a view of image 0, and six centers.

    >>> [point["name"] for point in plane()["points"]][:2]
    ['view x', 'center 0']
    """
    points = [{"name": n if n == "view x" else f"center {n}", "at": at} for n, at in PLANE.items()]
    return {"points": points, "margin": margin, "nearest": nearest, "unit": UNIT}


def draw_plane() -> Figure:
    """The still of that figure.

    >>> len(draw_plane().axes[0].texts)
    7
    """
    figure, axes = plot(width=4.2, height=4.0)
    for name, (x, y) in PLANE.items():
        colour, mark = (RIGHT, "D" if name == "view x" else "o") if name in ("view x", "0") else (GREY, "o")
        axes.scatter([x], [y], s=60, color=colour, marker=mark, label=name)
        axes.annotate(name, (x, y), xytext=(7, 5), textcoords="offset points", fontsize=11)
    axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal", xlabel="across", ylabel="up")
    return figure


def push_field(margin: float, apart: float = 2.0) -> tuple[Tensor, Tensor, Tensor]:
    """Places of an anchor in the plane, its loss at each, and the step against the gradient there.

    The own center lies at (-apart / 2, 0), the negative's at (apart / 2, 0).

    >>> places, loss, step = push_field(0.5)
    >>> bool((step[loss == 0] == 0).all()), f"{float(step.norm(dim=1).max()):.2f}"
    (True, '2.00')
    """
    grid = torch.linspace(-1.9, 1.9, 13).double()
    places = torch.cartesian_prod(grid, grid).requires_grad_()
    own, negative = torch.tensor([[-apart / 2, 0.0], [apart / 2, 0.0]]).double()
    loss = (margin + (places - own).norm(dim=1) - (places - negative).norm(dim=1)).clamp(min=0)
    step = -torch.autograd.grad(loss.sum(), places)[0]
    return places.detach(), loss.detach(), step


def draw_push(margin: float, apart: float = 2.0) -> Figure:
    """Where the loss of one anchor would move it, from anywhere in the plane.

    >>> len(draw_push(1.0).axes[0].collections)    # arrows and two centers
    3
    """
    places, loss, step = push_field(margin, apart)
    x, y = places.T
    quiet = loss == 0
    figure, axes = plot(width=4.4, height=4.3)
    long = step.norm(dim=1) > 1e-6
    axes.quiver(x[long], y[long], *step[long].T, color=COLOURS[0], angles="xy", width=0.006, scale=24)
    axes.plot(x[quiet], y[quiet], ".", color=GREY, markersize=5)
    centers = ((-apart / 2, "own center", RIGHT, "o"), (apart / 2, "the negative's center", WRONG, "X"))
    for place, name, colour, mark in centers:
        axes.scatter([place], [0], s=150, color=colour, marker=mark, edgecolor="white", zorder=5, label=name)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    axes.set_title(
        f"margin {margin:g}: loss 0 at {100 * float(quiet.double().mean()):.0f} % of the places", fontsize=11
    )
    axes.set(xlim=(-2.1, 2.1), ylim=(-2.1, 2.1), aspect="equal", xticks=range(-2, 3), yticks=range(-2, 3))
    return figure


def by_epoch(study: str, column: str, arms: Sequence[str]) -> dict[str, list[float]]:
    """A column of a receipt's history for some arms, by epoch from the first on, as means over seeds.

    >>> shares = by_epoch("v1/negatives", "false_negatives", ["paul", "hardest"])
    >>> all(cycle < plain for cycle, plain in zip(*shares.values()))
    True
    """
    rows = [row for row in receipts.history(study) if row["arm"] in arms]
    epochs = range(1, 1 + max(row["epoch"] for row in rows))

    def mean(arm: str, n: int) -> float:
        return fmean(row[column] for row in rows if (row["arm"], row["epoch"]) == (arm, n))

    return {arm: [mean(arm, n) for n in epochs] for arm in arms}


def draw_false(shares: Mapping[str, Sequence[float]]) -> Figure:
    """False negatives by epoch, of plain hard mining and of the cycle; shares by arm.

    >>> len(draw_false({"hardest": [0.2, 0.2], "paul": [0.03, 0.02]}).axes[0].lines)
    2
    """
    looks = {
        "hardest": ("trained with the nearest", WRONG, "X-"),
        "paul": ("trained with cyclic ranking", RIGHT, "o-"),
    }
    figure, axes = plot(width=4.8, height=2.8)
    for name, column in shares.items():
        label, colour, mark = looks[name]
        percent = [round(100 * share, 1) for share in column]
        axes.plot(range(1, 1 + len(column)), percent, mark, color=colour, label=label)
    axes.set(xlabel="epoch", ylabel="false negatives, %", ylim=(0, 25))
    axes.legend(loc="center right")
    return figure
