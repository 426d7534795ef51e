"""Chapter 12: published numbers with where each was read, the map of methods, boxes on a drawn car."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from paullite.app.pictures import COLOURS, outlines
from paullite.errors import InputError

from ..figures import RIGHT, plot
from ..studies import clusters
from ..studies.compare import compare
from ..studies.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Published:
    """What somebody else measured on Market-1501.

    Attributes:
        method: its name.
        year: of the conference, or of the preprint where that came much earlier.
        labels: whose labels were used in training.
        backbone: as its authors name it.
        rank1, map: in percent.
        read: where these numbers were read.
    """

    method: str
    year: int
    labels: str
    backbone: str
    rank1: float
    map: float
    read: str


_LIST = "list of FDU-VTS"
PUBLISHED = (
    Published("PAUL", 2019, "MSMT17", "ResNet-50", 68.5, 40.1, _LIST),
    Published("PAUL, a user's run", 2019, "MSMT17", "ResNet-50", 67.96, 39.78, "QizeYang/PAUL, issue 18"),
    Published("MAR", 2019, "MSMT17", "ResNet-50", 67.7, 40.0, _LIST),
    Published("SSG", 2019, "DukeMTMC-reID", "ResNet-50", 80.0, 58.3, "its README"),
    Published("SpCL", 2020, "none", "ResNet-50", 88.1, 73.1, "OpenUnReID leaderboard"),
    Published("Cluster Contrast", 2021, "none", "ResNet-50", 92.3, 82.1, "its README"),
    Published("PPLR", 2022, "none", "ResNet-50", 94.3, 84.4, "Papers with Code"),
    Published("TransReID-SSL", 2021, "none", "ViT-S", 95.3, 89.6, "its README"),
    Published("SOLIDER", 2023, "Market-1501", "Swin-B", 96.9, 93.9, "its README"),
)

IDEAS = ("memory", "parts", "clusters", "transformer")
METHODS = (  # year, name, the ideas that it rests on in our reading, what was added
    (2017, "PUL", ("clusters",), "group the images, take the groups for people, repeat"),
    (2018, "Instance discrimination", ("memory",), "every image is a class, with an entry in a memory"),
    (2018, "PCB", ("parts",), "stripes with a classifier each, learned with labels"),
    (2019, "PAUL", ("memory", "parts"), "a memory for each moving patch, no groups, no labels"),
    (2019, "SSG", ("parts", "clusters"), "groups for the whole image, the upper and the lower half"),
    (2020, "SpCL", ("memory", "clusters"), "a memory of groups and of images without one"),
    (2021, "Cluster Contrast", ("memory", "clusters"), "one entry for each group, and nothing else"),
    (2021, "TransReID-SSL", ("memory", "clusters", "transformer"), "a ViT that saw millions of people before"),
    (2022, "PPLR", ("parts", "clusters"), "parts say how far a group's label may be trusted"),
    (2023, "TMGF", ("parts", "clusters", "transformer"), "stripes of a ViT's tokens, and groups"),
)


def stations() -> list[str]:
    """Years with what is new in them: the values of the slider.

    >>> stations()[2]
    '2019: PAUL, SSG'
    """
    years = sorted({year for year, *_ in METHODS})
    return [f"{year}: {', '.join(name for y, name, *_ in METHODS if y == year)}" for year in years]


def table() -> dict[str, list[Any]]:
    """The map of methods in words, by column."""
    years, names, ideas, added = zip(*METHODS, strict=True)
    methods = [f"{year} {name}" for year, name in zip(years, names, strict=True)]
    return {"method": methods, "ideas": [", ".join(each) for each in ideas], "what was added": list(added)}


def draw_map(station: str) -> Figure:
    """The map of methods at a year: ideas are lines, methods are stops where lines meet; what comes later is pale."""
    until = int(station[:4])
    figure, axes = plot(width=5.0, height=5.2)
    for column, idea in enumerate(IDEAS):
        used = [row for row, (_, _, ideas, _) in enumerate(METHODS) if idea in ideas]
        reached = [row for row in used if METHODS[row][0] <= until]
        for rows, colour in ((used, PALE), (reached, COLOURS[column])):
            if rows:
                axes.plot([column] * 2, [-0.6, rows[-1]], color=colour, linewidth=5, solid_capstyle="round")
        axes.text(column - 0.1, -0.9, idea, ha="left", rotation=40, rotation_mode="anchor", weight="bold", fontsize=12,
                  color="black" if reached else GREY)  # fmt: skip
    for row, (year, name, ideas, _) in enumerate(METHODS):
        _stop(axes, row, year, name, [IDEAS.index(idea) for idea in ideas], until)
    axes.set(xlim=(-0.5, 7.6), ylim=(len(METHODS) - 0.5, -3.4))
    axes.axis("off")
    return figure


PALE, GREY = "#d5d5d5", "#737373"  # lines and words of later years


def _stop(axes: Any, row: int, year: int, name: str, columns: Sequence[int], until: int) -> None:
    """One method: a bar from line to line with a ring on each, and its name; new ones bold, later ones pale."""
    line, words = ("black", "black") if year <= until else (PALE, GREY)
    axes.plot([min(columns), max(columns)], [row, row], color=line, linewidth=4, zorder=2 + (year <= until))
    axes.plot(columns, [row] * len(columns), "o", markersize=13, markerfacecolor="white", markeredgecolor=line,
              markeredgewidth=3, zorder=4)  # fmt: skip
    new = year == until
    said = f"{'▸ ' if new else ''}{year} {name}"
    axes.text(3.55, row, said, va="center", fontsize=12.5, weight="bold" if new else "normal", color=words)


def same_cores(distance: Tensor, eps: float, groups: Tensor, least: int = 4) -> str:
    """Whether scikit-learn's DBSCAN joins the same core images; images at the edge may go either way.

    Args:
        distance: (N, N).
        eps: reach of a group.
        groups: (N,) to be compared.
        least: images within reach, itself counted, that make a core.

    Returns:
        "True" or "False", or one line that says that scikit-learn is missing.

    >>> two = torch.tensor([[0.0, 0.1, 1.0, 1.0], [0.1, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.1], [1.0, 1.0, 0.1, 0.0]])
    >>> same_cores(two, 0.5, torch.tensor([7, 7, 3, 3]), least=2)
    'True'
    """
    try:
        found = clusters.dbscan(distance, eps=eps, min_samples=least)
    except InputError as missing:
        return f"not compared, {missing}"
    core = (distance <= eps).sum(1) >= least
    mine, theirs = groups[core], found[core]
    return str(torch.equal(mine[:, None] == mine, theirs[:, None] == theirs))


def draw_quarters(shares: Sequence[float]) -> Figure:
    """Bars of the share of right neighbours, from the lowest agreement to the highest."""
    figure, axes = plot(height=2.8)
    names = ["lowest", "low", "high", "highest"]
    bars = axes.bar(names, [100 * share for share in shares], color=RIGHT, label="right neighbours, %")
    axes.bar_label(bars, fmt="%.0f %%", padding=2)
    axes.set(xlabel="agreement of a patch with its whole image", ylabel="right neighbours, %")
    axes.margins(y=0.12)
    return figure


def points(interval: Interval | None) -> str:
    """A mean and its interval in points.

    >>> points(Interval(0.1, -0.02, 0.22))
    '+10.0 [-2.0, +22.0]'
    """
    if interval is None:
        return "one training each"
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"


def outcome(control: str | Path, own: str | Path) -> str:
    """The lower part of ``paulbook compare``: which seeds, and the table, narrowed to the page's width."""
    lines = compare(str(control), str(own)).splitlines()
    table = next(i for i, line in enumerate(lines) if "B - A" in line)
    return "\n".join([lines[table - 1], *narrowed(lines[table : table + 3]), *lines[table + 3 :]])


def narrowed(lines: Sequence[str]) -> list[str]:
    """A table whose columns stand two blanks apart.

    >>> narrowed(["       A      B", "mAP  1.0   22.0"])
    ['       A     B', 'mAP  1.0  22.0']
    """
    width = max(map(len, lines))
    columns = list(zip(*(line.ljust(width) for line in lines), strict=True))
    blank = [set(column) == {" "} for column in columns]
    kept = [c for i, c in enumerate(columns) if not (i > 1 and blank[i] and blank[i - 1] and blank[i - 2])]
    return ["".join(row).rstrip() for row in zip(*kept, strict=True)]


def slopes(weights: Sequence[Tensor], *losses: Tensor) -> list[Tensor]:
    """The gradient of each loss at some weights, as one long vector; the graph stays.

    >>> w = torch.tensor([2.0], requires_grad=True)
    >>> slopes([w], w.square().sum(), 3 * w.sum())
    [tensor([4.]), tensor([3.])]
    """
    found = [torch.autograd.grad(loss, weights, retain_graph=True) for loss in losses]
    return [torch.cat([slope.flatten() for slope in each]) for each in found]


def car(width: int = 192, height: int = 96) -> Image.Image:
    """A car from the side, bonnet to the left: drawn, belongs to nobody.

    >>> car().size
    (192, 96)
    """
    sky, road, body, glass = "#dfe7ec", "#a9adb0", "#0a5c8c", "#cfe3ef"
    picture = Image.new("RGB", (192, 96), sky)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 74, 192, 96), fill=road)
    draw.polygon([(10, 52), (52, 46), (76, 24), (138, 24), (170, 47), (184, 52), (184, 74), (10, 74)], fill=body)
    draw.polygon([(62, 46), (80, 29), (104, 29), (104, 46)], fill=glass)
    draw.polygon([(110, 46), (110, 29), (134, 29), (154, 46)], fill=glass)
    draw.rectangle((10, 56, 20, 62), fill="#fff2a8")  # head light
    draw.rectangle((176, 54, 184, 62), fill="#b3261e")  # tail light
    for x in (50, 148):
        draw.ellipse((x - 16, 60, x + 16, 92), fill="#222222")
        draw.ellipse((x - 7, 69, x + 7, 83), fill="#d9d9d9")
    return picture.resize((width, height))


def grid(rows: int, columns: int) -> Tensor:
    """Theta of rows x columns equal boxes, row by row: (rows * columns, 2, 3).

    >>> grid(1, 2)[:, 0]
    tensor([[ 0.5000,  0.0000, -0.5000],
            [ 0.5000,  0.0000,  0.5000]])
    """
    boxes = [
        [[1 / columns, 0, (2 * c + 1 - columns) / columns], [0, 1 / rows, (2 * r + 1 - rows) / rows]]
        for r in range(rows)
        for c in range(columns)
    ]
    return torch.tensor(boxes)


def draw_cars(rows: Tensor, columns: Tensor, boxes: Tensor) -> Figure:
    """A car in rows, columns and boxes; and mirrored, in columns."""
    side = car()
    mirrored = side.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return draw_boxes(
        {
            "rows": (side, rows),
            "columns": (side, columns),
            "two by three": (side, boxes),
            "columns, its other side": (mirrored, columns),
        }
    )


def draw_boxes(panels: dict[str, tuple[Image.Image, Tensor]]) -> Figure:
    """Boxes on pictures, numbered, two pictures in a row."""
    lines = -(-len(panels) // 2)
    figure, axes = plot(lines, 2, width=6.2, height=1.9 * lines)
    for panel, (title, (picture, theta)) in zip(axes.flat, panels.items(), strict=True):
        panel.imshow(picture)
        for number, (colour, x, y) in enumerate(outlines(theta)):
            across, down = x * (picture.width - 1), y * (picture.height - 1)
            panel.plot(across, down, color="white", linewidth=4)
            panel.plot(across, down, color=colour, linewidth=2)
            panel.text(across[:4].mean(), down[:4].mean(), str(number), weight="bold", ha="center", va="center",
                       fontsize=13, bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1})  # fmt: skip
        panel.set(xticks=[], yticks=[], title=title)
        panel.grid(False)
    return figure
