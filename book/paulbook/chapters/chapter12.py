"""Chapter 12: published scores over the years, lists that are too sure, groups of one person, thresholds, a car."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from paullite.app.pictures import COLOURS, RIGHT, WRONG, outlines, show_image
from paullite.data.items import Item, Split

from ..figures import plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Similarities = NDArray[Any]
Row = tuple[Item, Sequence[tuple[Item, float]], str]  # a query, its first images with similarities, what is said

LINES = ("groups", "cameras", "person pretraining", "CLIP", "synthetic people")
EVERYTHING = "all lines"
PALE = "#c9c9c9"
HUES = {"neighbours": "black"} | dict(zip(LINES, (*COLOURS[:4], COLOURS[5]), strict=True))
SHAPES = {"no labels": "o", "labels of another data set": "^", "labels of Market-1501": "s"}


@dataclass(frozen=True)
class Published:
    """What somebody else measured on Market-1501; a score that was found nowhere is None.

    Attributes:
        year: of the conference, or of the preprint where that came earlier.
        method: its name.
        line: the line of research, in our reading.
        trained_on: whose labels were used in training.
        backbone: as its source names it.
        rank1, map: on Market-1501, in percent.
        msmt17: mAP on MSMT17, in percent.
        source: where these numbers were read.
        checked: what exactly was read there.
    """

    year: int
    method: str
    line: str
    trained_on: str
    backbone: str
    rank1: float | None
    map: float | None
    msmt17: float | None
    source: str
    checked: str

    @property
    def labels(self) -> str:
        """The kind of labels that training used, as the timeline tells them apart."""
        if self.trained_on == "no labels":
            return "no labels"
        own = self.trained_on in ("labels of Market-1501", "labels within each camera")
        return "labels of Market-1501" if own else "labels of another data set"


def timeline() -> list[Published]:
    """The published scores of ``timeline.csv``, line by line and year by year.

    >>> paul = next(one for one in timeline() if one.method == "PAUL")
    >>> paul.map, paul.trained_on, paul.labels
    (40.1, 'labels of MSMT17', 'labels of another data set')
    """
    text = (files("paulbook") / "chapters" / "timeline.csv").read_text(encoding="utf-8")
    return [Published(**{f.name: _cell(f.name, row[f.name]) for f in fields(Published)}) for row in _rows(text)]


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def _cell(name: str, text: str) -> Any:
    if name == "year":
        return int(text)
    if name in ("rank1", "map", "msmt17"):
        return float(text) if text else None
    return text


def timeline_columns() -> dict[str, list[Any]]:
    """The timeline as columns by name, for the table of numbers below the figure.

    >>> [len(column) == len(timeline()) for column in timeline_columns().values()]
    [True, True, True, True, True, True]
    """
    names = {"year": "year", "method": "method", "line": "line", "trained on": "trained_on", "mAP": "map"}
    columns = {title: [getattr(one, name) for one in timeline()] for title, name in names.items()}
    columns["mAP"] = ["not found" if value is None else value for value in columns["mAP"]]
    return columns | {"source": [one.source for one in timeline()]}


# Where the name of a method stands, in points from its marker, if not to the right of it.
BESIDE = {
    "PUL": (0, 10, "center"), "BUC": (-8, -5, "right"), "PAUL": (9, 2, "left"), "SSG": (9, -4, "left"),
    "SpCL": (-9, -4, "right"), "Cluster Contrast": (-9, -4, "right"), "PPLR": (0, -18, "center"),
    "ISE": (9, -2, "left"), "BMW": (0, -18, "center"), "IICS": (9, -4, "left"), "ICE with cameras": (-9, -4, "right"),
    "PPLR with cameras": (0, 10, "center"), "CA-Jaccard": (9, 3, "left"), "O2CAP with FuseDSI": (6, -19, "center"),
    "TransReID-SSL": (-9, -6, "right"), "LUPerson": (0, 10, "center"), "PASS": (9, -4, "left"),
    "SOLIDER": (0, 9, "center"), "CLIP-ReID": (-9, -6, "right"), "PCL-CLIP": (0, 10, "center"),
    "CCAFL": (9, -4, "left"), "Reinforced synthesis": (8, 10, "right"),
}  # fmt: skip


def draw_timeline(line: str) -> Figure:
    """Year and mAP on Market-1501 of each method; one line of research in colour with its names, or all of them.

    >>> [len(draw_timeline(line).axes[0].texts) > 1 for line in (EVERYTHING, *LINES)]
    [True, True, True, True, True, True]
    """
    figure, axes = plot(height=4.8)
    for one in timeline():
        if one.map is None:
            continue
        chosen = line in (EVERYTHING, one.line) or one.line == "neighbours"
        colour = HUES[one.line] if chosen else PALE
        filled = colour if one.labels != "labels of Market-1501" else "white"
        style = {"markersize": 9, "markerfacecolor": filled, "markeredgecolor": colour, "markeredgewidth": 2}
        axes.plot(one.year, one.map, SHAPES[one.labels], zorder=3 if chosen else 2, **style)
        if chosen and (line != EVERYTHING or one.method in SHOWN):
            x, y, side = BESIDE[one.method]
            place = {"xytext": (x, y), "textcoords": "offset points", "ha": side}
            axes.annotate(one.method, (one.year, one.map), fontsize=10, **place)
    for name, shape in SHAPES.items():
        inside = "white" if name == "labels of Market-1501" else "black"
        axes.plot([], [], shape, color="black", markerfacecolor=inside, label=f"_{name}", linestyle="none")
    handles = axes.lines[-len(SHAPES) :]
    axes.legend(handles, list(SHAPES), title="trained with", loc="lower right")
    title = "every line of research" if line == EVERYTHING else f"{line}, and PAUL"
    axes.set(xlabel="year", ylabel="mAP on Market-1501, %", xlim=(2016.4, 2026.9), ylim=(15, 100), title=title)
    axes.set_xticks(range(2017, 2027))
    return figure


SHOWN = ("PUL", "PAUL", "SSG", "SpCL", "Cluster Contrast", "BMW", "TransReID-SSL", "SOLIDER", "Reinforced synthesis")


def draw_lists(rows: Sequence[Row]) -> Figure:
    """Queries with the first images of their lists, each with its camera and similarity, right ones framed in blue.

    Args:
        rows: the query, the images that were ranked first with their similarities, and what is written at the left.

    >>> import paullite as pl
    >>> items = pl.data.PaperDolls("target", identities=2, test_identities=2).gallery
    >>> len(draw_lists([(items[0], [(items[1], 0.9), (items[2], 0.8)], "in the gallery")]).axes)
    3
    """
    most = max(len(found) for _, found, _ in rows)
    figure, axes = plot(len(rows), 1 + most, height=2.35 * len(rows))
    for panels, (query, found, words) in zip(np.atleast_2d(axes), rows, strict=True):
        show_image(panels[0], query.image, f"query\ncamera {query.camid}")
        panels[0].set_ylabel(words, fontsize=11)
        for panel, (item, similarity) in zip(panels[1:], found, strict=True):
            right = item.pid == query.pid
            title = f"{similarity:.2f}\ncamera {item.camid}"
            show_image(panel, item.image, title, RIGHT if right else WRONG)
    return figure


def draw_person_groups(images: Split, groups: Sequence[int]) -> Figure:
    """The images of one person, a row for each group that they were put into, and one for those in none.

    Args:
        images: of one person.
        groups: the group of each, -1 for none.

    >>> import paullite as pl
    >>> items = pl.data.PaperDolls("target", identities=2, test_identities=2).train
    >>> len(draw_person_groups(items.take([0, 1, 2]), [4, 4, -1]).axes)
    4
    """
    names = sorted(set(groups), key=lambda group: (group < 0, group))
    rows = {name: [i for i, group in enumerate(groups) if group == name] for name in names}
    most = max(map(len, rows.values()))
    figure, axes = plot(len(rows), most, height=2.0 * len(rows))
    for panels, (place, (name, members)) in zip(axes.reshape(len(rows), most), enumerate(rows.items()), strict=True):
        for panel, i in zip(panels, members, strict=False):
            colour = COLOURS[place % len(COLOURS)] if name >= 0 else PALE
            show_image(panel, images[i].image, f"camera {images[i].camid}", colour)
        panels[0].set_ylabel("in no group" if name < 0 else f"group {place + 1}", fontsize=11)
        for panel in panels[len(members) :]:
            panel.axis("off")
    return figure


def draw_threshold(known: Similarities, right: Similarities, unknown: Similarities, threshold: float) -> Figure:
    """First similarities of known and of unknown people, and what a threshold makes of both.

    Args:
        known: for queries whose person is in the gallery.
        right: whether their first image shows the person.
        unknown: for queries whose person is not in the gallery.
        threshold: similarity above which the search gives a name.

    >>> known, right = np.array([0.7, 0.8]), np.array([True, False])
    >>> [panel.get_title()[-4:] for panel in draw_threshold(known, right, np.array([0.6, 0.75]), 0.7).axes]
    ['50 %', '50 %']
    """
    figure, (upper, lower) = plot(2, 1, height=4.4)
    edges = np.arange(0.30, 1.001, 0.025)
    parts = [known[right], known[~right]]
    upper.hist(parts, edges, stacked=True, color=[RIGHT, WRONG], label=["first image right", "first image wrong"])
    lower.hist(unknown, edges, color=PALE, edgecolor="#555555", label="person not in the gallery")
    named, wrong = (known > threshold) & right, (known > threshold) & ~right
    said = f"right name {named.mean():.0%}".replace("%", " %"), f"wrong name {wrong.mean():.0%}".replace("%", " %")
    upper.set_title(f"person in the gallery: {said[0]}, {said[1]}", fontsize=11)
    alarms = f"{(unknown > threshold).mean():.0%}".replace("%", " %")
    lower.set_title(f"person not in the gallery: false alarms {alarms}", fontsize=11)
    for panel in (upper, lower):
        panel.axvline(threshold, color="black", linewidth=2)
        panel.set(xlim=(0.30, 1.0), ylabel="queries")
        panel.legend(loc="upper left")
    lower.set_xlabel("similarity of the first image")
    return figure


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


def draw_cars(rows: Tensor, columns: Tensor) -> Figure:
    """A car in rows and in columns, and the same car mirrored in both.

    >>> len(draw_cars(grid(6, 1), grid(1, 6)).axes)
    4
    """
    side = car()
    mirrored = side.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    figure, axes = plot(2, 2, width=6.2, height=3.9)
    _draw_boxes(axes[0, 0], side, rows, "rows")
    _draw_boxes(axes[0, 1], mirrored, rows, "rows, the other side")
    _draw_boxes(axes[1, 0], side, columns, "columns")
    _draw_boxes(axes[1, 1], mirrored, columns, "columns, the other side")
    return figure


def _draw_boxes(panel: Any, picture: Image.Image, theta: Tensor, title: str) -> None:
    """Numbered boxes on one picture."""
    panel.imshow(picture)
    cells = picture.height // 16, picture.width // 16  # of a feature map with a stride of 16
    for number, (colour, x, y) in enumerate(outlines(theta, cells)):
        across, down = x * picture.width - 0.5, y * picture.height - 0.5
        panel.plot(across, down, color="white", linewidth=4)
        panel.plot(across, down, color=colour, linewidth=2)
        middle = float(across[:4].mean()), float(down[:4].mean())
        box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1}
        panel.text(*middle, str(number), weight="bold", ha="center", va="center", fontsize=11, bbox=box)
    panel.set(xticks=[], yticks=[], title=title)
    panel.grid(False)
