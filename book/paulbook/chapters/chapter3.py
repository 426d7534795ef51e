"""Chapter 3: ranked lists, cells that are alike, shares of variance, controls as bars, and features on two axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from paullite.data.items import Item, ReIDDataset
from paullite.evaluation import Scores

from ..figures import COLOURS, RIGHT, WRONG, data_uri, plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Ranked = Sequence[Sequence[tuple[int, bool]]]  # for each query the indices of the first images, and right or wrong


def draw_lists(rows: Sequence[tuple[ReIDDataset, Ranked, int]]) -> Figure:
    """Queries with the first images of their ranked lists, right ones framed in blue and wrong ones in orange.

    Args:
        rows: for each row the data set, its ranked lists, and the index of the query.

    >>> import paullite as pl
    >>> data = pl.data.PaperDolls("target", identities=2, test_identities=3)
    >>> len(draw_lists([(data, [[(0, True), (1, False)]], 0)] * 2).axes)
    6
    """
    figure, axes = plot(len(rows), 1 + len(rows[0][1][0]), height=2.3 * len(rows))
    for row, (data, lists, index) in zip(axes, rows, strict=True):
        query, title = data.query[index], data.name.rpartition("-")[2]
        shown = [(query, f"{title} query\ncamera {query.camid}", "black")]
        for place, right in lists[index]:
            item, mark = data.gallery[place], "✓" if right else "✗"
            shown.append((item, f"{mark}\ncamera {item.camid}", RIGHT if right else WRONG))
        for panel, (item, words, colour) in zip(row, shown, strict=True):
            panel.imshow(item.image)
            panel.set_title(words, color=colour, fontsize=10)
            panel.set(xticks=[], yticks=[])
            panel.grid(False)
            for side in panel.spines.values():
                side.set(visible=True, color=colour, linewidth=1 if item is query else 4)
    return figure


def draw_cells(one: Item, other: Item, cosines: Tensor, cell: tuple[int, int]) -> Figure:
    """Two images under their cells: one cell of the first is framed, and so is the most similar one of the second.

    Args:
        cosines: of that cell with every cell of both images, (2, H, W). Cells that are unlike fade.
        cell: row and column of the chosen cell.

    >>> import paullite as pl
    >>> item = pl.data.PaperDolls("source", identities=2, test_identities=2).query[0]
    >>> len(draw_cells(item, item, torch.rand(2, 8, 4), (2, 1)).axes)
    2
    """
    rows, columns = cosines.shape[1:]
    best = divmod(int(cosines[1].argmax()), columns)
    figure, axes = plot(1, 2, width=4.6, height=4.4)
    for panel, item, values, (row, column) in zip(axes, (one, other), cosines, (cell, best), strict=True):
        panel.imshow(item.image, extent=(-0.5, columns - 0.5, rows - 0.5, -0.5))
        panel.imshow(np.ones((rows, columns, 3)), alpha=0.94 * (1 - values.numpy().clip(0, 1)))
        panel.plot(column, row, "s", markersize=37, fillstyle="none", color="black")
        panel.set(xticks=range(columns), yticks=range(rows), aspect=1)
        panel.grid(False)
    return figure


def cell_data(one: Item, other: Item, table: Tensor, cell: tuple[int, int]) -> dict[str, Any]:
    """What the figure of similar cells computes with: both images, and cosines (H, W, 2, H, W) to three decimals.

    >>> import paullite as pl
    >>> item = pl.data.PaperDolls("source", identities=2, test_identities=2).query[0]
    >>> sorted(cell_data(item, item, torch.rand(8, 4, 2, 8, 4), (2, 1)))
    ['a', 'b', 'columns', 'cosines', 'rows', 'start']
    """
    rows, columns = table.shape[:2]
    values = table.reshape(rows * columns, -1).numpy().astype(float).round(3).tolist()
    images = {"a": data_uri(one.image), "b": data_uri(other.image)}
    return images | {"rows": rows, "columns": columns, "start": cell, "cosines": values}


def draw_shares(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Bars of full length, cut into shares of the variance in percent.

    Args:
        shares: for each bar its parts by name, 0 to 1; they sum to 1.

    >>> len(draw_shares({"source": {"people": 0.8, "rest": 0.2}}).axes[0].patches)
    2
    """
    figure, axes = plot(height=2.4)
    starts = np.zeros(len(shares))
    for colour, part in zip((0, 1, 6), next(iter(shares.values())), strict=False):
        widths = np.array([100 * bar[part] for bar in shares.values()])
        bars = axes.barh(list(shares), widths, left=starts, label=part, color=COLOURS[colour])
        inside = [f"{width:.0f}" if width >= 4 else "" for width in widths]
        axes.bar_label(bars, inside, label_type="center", color="black" if colour == 1 else "white")
        starts += widths
    axes.set(xlabel="share of the features' variance in %", xlim=(0, 100))
    axes.invert_yaxis()
    axes.grid(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_controls(results: Mapping[str, Scores]) -> Figure:
    """Rank-1 and mAP of each control as bars with their numbers.

    Args:
        results: scores by name, from top to bottom; the first is what nothing was done to, and is drawn in grey.

    >>> from paullite.evaluation import score_ranking
    >>> scores = score_ranking(torch.eye(2), torch.eye(2), [1, 2], [1, 2])
    >>> len(draw_controls({"direct transfer": scores, "control": scores}).axes)
    2
    """
    figure, axes = plot(1, 2, height=0.9 + 0.42 * len(results))
    for panel, name in zip(axes, ("rank1", "map_step"), strict=True):
        values = [100 * getattr(scores, name) for scores in results.values()]
        colours = [COLOURS[6]] + [COLOURS[0]] * (len(values) - 1)
        bars = panel.barh(list(results), values, color=colours)
        panel.bar_label(bars, [f"{value:.1f}" for value in values], padding=3)
        panel.axvline(values[0], color=COLOURS[6], linestyle="--", linewidth=1)
        panel.set(title="rank-1 in %" if name == "rank1" else "mAP in %", xlim=(0, 1.2 * max(values)))
        panel.invert_yaxis()
        panel.grid(visible=False)
    axes[1].set_yticklabels([])
    return figure


def two_axes(features: Tensor) -> Tensor:
    """Features (N, D) on the two axes along which they vary most: (N, 2). The method is principal components.

    The sign of an axis is arbitrary; here the first image lies to the left and below.

    >>> two_axes(torch.tensor([[0.0, 0, 0], [4, 0, 0], [2, 1, 0], [2, -1, 0]]))[:, 0]
    tensor([-2.,  2.,  0.,  0.])
    """
    centred = features - features.mean(0)
    on_axes = centred @ torch.linalg.svd(centred, full_matrices=False)[2][:2].T
    return on_axes * -torch.sign(on_axes[0] + 1e-12)


def draw_projection(features: Tensor, people: Sequence[int], cameras: Sequence[int]) -> Figure:
    """The same images twice: coloured by camera on the left, by person on the right.

    Args:
        features: (N, D); shown are their two main axes.
        people, cameras: of each image.

    >>> len(draw_projection(torch.rand(6, 4), [1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 0, 1]).axes)
    2
    """
    points = two_axes(features).numpy()
    figure, axes = plot(1, 2, height=3.9)
    for panel, groups, name in ((axes[0], cameras, "camera"), (axes[1], people, "person")):
        for k, group in enumerate(dict.fromkeys(sorted(groups))):
            x, y = points[np.array(groups) == group].T
            mark = "osD^vPX*"[k % 8]
            panel.plot(x, y, mark, color=COLOURS[k % 8], label=f"{name} {group}", markersize=6, alpha=0.85)
        panel.set(title=f"coloured by {name}", xticks=[], yticks=[])
        panel.set_xlabel("first axis")
    axes[0].set_ylabel("second axis")
    return figure
