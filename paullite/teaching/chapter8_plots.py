"""Chapter 8: plots of centers in the plane, of the loss's arrows, and of false negatives by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..experiments import receipts
from .figures import COLOURS, RIGHT, WRONG, plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREY = "#595959"
PLANE = {"view x": (34, 56), "A": (28, 48), "B": (48, 62), "C": (62, 40), "D": (74, 50), "E": (80, 30), "F": (20, 15)}
UNIT = 25
"""Steps of the plane that make a distance of 1."""


def plane(margin: float = 2.0, nearest: int = 3) -> dict[str, object]:
    """What the figure of centers in the plane begins with: a view of image A, and six centers.

    >>> [point["name"] for point in plane()["points"]][:2]
    ['view x', 'center A']
    """
    points = [{"name": n if n == "view x" else f"center {n}", "at": at} for n, at in PLANE.items()]
    return {"points": points, "margin": margin, "nearest": nearest}


def draw_plane() -> Figure:
    """The still of that figure.

    >>> len(draw_plane().axes[0].texts)
    7
    """
    figure, axes = plot(width=4.2, height=4.0)
    for name, (x, y) in PLANE.items():
        colour, mark = (RIGHT, "D" if name == "view x" else "o") if name in ("view x", "A") else (GREY, "o")
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
    for place, name, colour, mark in ((-apart / 2, "own center", RIGHT, "o"), (apart / 2, "negative", WRONG, "X")):
        axes.scatter([place], [0], s=150, color=colour, marker=mark, edgecolor="white", zorder=5)
        box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
        below = {"textcoords": "offset points", "ha": "center", "va": "top", "bbox": box, "zorder": 6}
        axes.annotate(name, (place, 0), (0, -10), fontsize=11, **below)
    axes.set_title(
        f"margin {margin:g}: loss 0 at {100 * float(quiet.double().mean()):.0f} % of the places", fontsize=11
    )
    axes.set(xlim=(-2.1, 2.1), ylim=(-2.1, 2.1), aspect="equal", xticks=range(-2, 3), yticks=range(-2, 3))
    return figure


def by_epoch(study: str, arm: str, columns: Sequence[str]) -> dict[str, list[float]]:
    """Some columns of a receipt's history, by epoch from the first on, as means over seeds.

    >>> shares = by_epoch("negatives", "paul", ["false_negatives", "false_hardest"])
    >>> all(cycle < plain for cycle, plain in zip(*shares.values()))
    True
    """
    rows = [row for row in receipts.history(study) if row["arm"] == arm]
    epochs = range(1, 1 + max(row["epoch"] for row in rows))
    return {name: [fmean(row[name] for row in rows if row["epoch"] == n) for n in epochs] for name in columns}


def draw_false(shares: Mapping[str, Sequence[float]]) -> Figure:
    """False negatives by epoch, of plain hard mining and of the cycle; shares by column of the history.

    >>> len(draw_false({"false_hardest": [0.2, 0.2], "false_negatives": [0.03, 0.02]}).axes[0].lines)
    2
    """
    looks = {
        "false_hardest": ("the nearest, as it is", WRONG, "X-"),
        "false_negatives": ("cyclic ranking", RIGHT, "o-"),
    }
    figure, axes = plot(width=4.8, height=2.8)
    for name, column in shares.items():
        label, colour, mark = looks[name]
        percent = [round(100 * share, 1) for share in column]
        axes.plot(range(1, 1 + len(column)), percent, mark, color=colour, label=label)
    axes.set(xlabel="epoch", ylabel="false negatives, %", ylim=(0, 25))
    axes.legend(loc="center right")
    return figure
