"""Chapter 1: a question in images, the way from a query to its scores, ranked lists, and precision over recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from paullite.data.items import Item
from paullite.evaluation import Scores, average_precision

from ..figures import COLOURS, RIGHT, WRONG, plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREY = COLOURS[6]
LEFT_OUT = ("junk", "own camera")
BOX = {"boxstyle": "round,pad=0.35", "facecolor": "#f0f4f8", "edgecolor": "#7a8a99"}
ARROW = {"arrowstyle": "-|>", "color": "#444444", "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
Images = Sequence[Item]


def colour_of(kind: str) -> str:
    """The frame of an image in a ranked list: blue for a match, grey for what is left out, orange for all else."""
    return GREY if kind in LEFT_OUT else RIGHT if kind == "match" else WRONG


def draw_question(query: Item, candidates: Images) -> Figure:
    """A query and lettered candidates, two rows, without any hint at the answer.

    >>> import paullite as pl
    >>> split = pl.data.PaperDolls("target", identities=2, test_identities=3).query
    >>> len(draw_question(split[0], [split[1], split[2], split[3]]).axes)
    4
    """
    columns = (len(candidates) + 2) // 2
    figure, axes = plot(2, columns, width=1.25 * columns, height=5.2)
    titles = ["query", *"ABCDEFGHIJ"[: len(candidates)]]
    for panel in axes.flat:
        panel.axis("off")
    for panel, item, title in zip(axes.flat, [query, *candidates], titles, strict=False):
        panel.imshow(item.image)
        panel.set_title(title, weight="bold" if title == "query" else "normal")
    return figure


def draw_list(query: Item, first: Images, kinds: Sequence[str]) -> Figure:
    """A query and the first images of its list in two rows, matches framed in blue and wrong images in orange.

    What is left out is framed in grey and takes up no rank.

    >>> import paullite as pl
    >>> split = pl.data.PaperDolls("target", identities=2, test_identities=3).query
    >>> draw_list(split[0], [split[1], split[2], split[3]], ["match", "other", "other"]).axes[1].get_title()
    '1 ✓\\ncamera 11'
    """
    columns = (len(first) + 2) // 2
    figure, axes = plot(2, columns, width=1.5 * columns, height=6.2)
    _framed(axes.flat[0], query, f"query\ncamera {query.camid}", "black", 1)
    rank = 0
    for panel, item, kind in zip(axes.flat[1:], first, kinds, strict=False):
        rank += kind not in LEFT_OUT
        mark = f"{rank} {'✓' if kind == 'match' else '✗'}"
        words = f"{kind}\nno rank" if kind in LEFT_OUT else f"{mark}\ncamera {item.camid}"
        _framed(panel, item, words, colour_of(kind), 4)
    for panel in axes.flat[1 + len(first) :]:
        panel.axis("off")
    return figure


def _framed(panel: Any, item: Item, title: str, colour: str, width: float) -> None:
    panel.imshow(item.image)
    panel.set_title(title, color=colour, fontsize=10)
    panel.set(xticks=[], yticks=[])
    panel.grid(False)
    for side in panel.spines.values():
        side.set(visible=True, color=colour, linewidth=width)


def draw_way(query: Item, items: Images, kinds: Sequence[str], *, gallery: int) -> Figure:
    """From a query to its scores: features, similarity, what is left out, ranks of the matches, scores.

    Args:
        query: the image that is looked for.
        items: at most eight gallery images, the most similar first.
        kinds: what each of them is for the query.
        gallery: how many images the whole gallery has.

    >>> import paullite as pl
    >>> split = pl.data.PaperDolls("target", identities=2, test_identities=3).query
    >>> figure = draw_way(split[0], [split[1], split[2]], ["other", "match"], gallery=9)
    >>> [text.get_text() for text in figure.axes[0].texts][-1]
    'AP (trapezoid)\\n0.25'
    """
    figure, axes = plot(height=8.6)
    _inputs(axes, query, gallery)
    _step(axes, 10.55, 9.85, "sort by cosine similarity to the query")
    for place, (item, kind) in enumerate(zip(items, kinds, strict=True)):
        _placed(axes, item, place, 6.9, kind, kind.replace(" ", "\n"))
    _step(axes, 6.5, 5.8, "leave out junk and the query's own camera")
    kept = [(item, kind) for item, kind in zip(items, kinds, strict=True) if kind not in LEFT_OUT]
    for rank, (item, kind) in enumerate(kept, start=1):
        _placed(axes, item, rank - 1, 3.0, kind, f"{rank} {'✓' if kind == 'match' else '✗'}")
    ranks = np.array([rank for rank, (_, kind) in enumerate(kept, start=1) if kind == "match"])
    _step(axes, 2.6, 1.9, f"ranks of the matches: {', '.join(map(str, ranks))}")
    _results(axes, ranks)
    axes.set(xlim=(-0.1, 9.5), ylim=(0.2, 13.1), aspect="equal")
    axes.axis("off")
    return figure


def _inputs(axes: Any, query: Item, gallery: int) -> None:
    """The upper row: the query and the gallery go through one network."""
    axes.imshow(query.image, extent=(0, 1, 10.9, 12.9))
    axes.text(1.2, 11.9, f"query\nand {gallery}\ngallery images", va="center", fontsize=11)
    axes.annotate("", (4.2, 11.9), (3.4, 11.9), arrowprops=ARROW)
    axes.text(5.0, 11.9, "network", ha="center", va="center", bbox=BOX, fontsize=11)
    axes.annotate("", (6.6, 11.9), (5.8, 11.9), arrowprops=ARROW)
    axes.text(6.8, 11.9, "one feature\nper image", va="center", fontsize=11)


def _step(axes: Any, start: float, end: float, words: str) -> None:
    axes.annotate("", (0.5, end), (0.5, start), arrowprops=ARROW)
    axes.text(0.8, (start + end) / 2, words, va="center", fontsize=11)


def _placed(axes: Any, item: Item, place: int, bottom: float, kind: str, words: str) -> None:
    """One gallery image in a row of the chart, with its frame and what is written above it."""
    left, colour = 1.18 * place, colour_of(kind)
    pale = kind in LEFT_OUT
    axes.imshow(item.image, extent=(left, left + 1, bottom, bottom + 2.0), alpha=0.65 if pale else 1, aspect="auto")
    line = {"color": colour, "linewidth": 2 if pale else 3, "linestyle": "--" if pale else "-"}
    axes.plot([left, left + 1, left + 1, left, left], [bottom, bottom, bottom + 2.0, bottom + 2.0, bottom], **line)
    axes.text(left + 0.5, bottom + 2.1, words, ha="center", va="bottom", color=colour, fontsize=9.5, linespacing=0.95)


def _results(axes: Any, ranks: np.ndarray) -> None:
    scores = {
        "rank-1": float(ranks[0] == 1),
        "AP (step)": average_precision(ranks),
        "AP (trapezoid)": average_precision(ranks, "trapezoid"),
    }
    for place, (name, value) in enumerate(scores.items()):
        axes.text(1.2 + 3.2 * place, 0.95, f"{name}\n{value:.2f}", ha="center", va="center", bbox=BOX, fontsize=11)


def saw_tooth(right: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision after each rank of one list, from rank 1 on.

    >>> recall, precision = saw_tooth([True, False, True])
    >>> recall.tolist(), precision.round(2).tolist()
    ([0.5, 0.5, 1.0], [1.0, 0.5, 0.67])
    """
    found = np.cumsum(right)
    return found / found[-1], found / np.arange(1, len(found) + 1)


def draw_saw_tooth(right: Sequence[bool], until: int) -> Figure:
    """A list as squares, and below it precision over recall for its first ranks.

    Args:
        right: for each rank whether its image is a match.
        until: the last rank that is drawn.

    >>> draw_saw_tooth([True, False, True], 2).axes[1].lines[0].get_xydata().tolist()
    [[0.5, 1.0], [0.5, 0.5]]
    """
    figure, axes = plot(2, 1, height=4.6)
    _squares(axes[0], right, until)
    recall, precision = saw_tooth(right)
    axes[1].plot(recall[:until], precision[:until], "-", color="#444444", linewidth=2, label="precision over recall")
    for rank in range(until):
        axes[1].plot(recall[rank], precision[rank], "o", color=RIGHT if right[rank] else WRONG, markersize=9)
        axes[1].annotate(str(rank + 1), (recall[rank], precision[rank]), (9, 3), textcoords="offset points")
    axes[1].set(xlabel="recall", ylabel="precision", xlim=(0, 1.08), ylim=(0, 1.08))
    layout: Any = figure.get_layout_engine()  # its type does not know the spaces of a constrained layout
    layout.set(hspace=0.06)
    axes[0].set_box_aspect(1 / len(right))
    return figure


def _squares(panel: Any, right: Sequence[bool], until: int) -> None:
    for rank, match in enumerate(right):
        colour = (RIGHT if match else WRONG) if rank < until else "#e3e3e3"
        panel.bar(rank + 1, 1, 0.9, color=colour)
        if rank < until:
            panel.text(rank + 1, 0.5, "✓" if match else "✗", ha="center", va="center", color="white", fontsize=15)
    panel.set(xticks=range(1, len(right) + 1), yticks=[], xlabel="rank", ylim=(0, 1))
    panel.grid(False)
    panel.spines["left"].set_visible(False)


def draw_areas(right: Sequence[bool]) -> Figure:
    """Under the saw-tooth of one list, the area of AP (step) on the left and of AP (trapezoid) on the right.

    >>> [panel.get_title() for panel in draw_areas([True, False, False, True, True, False]).axes]
    ['step: 0.70', 'trapezoid: 0.66']
    """
    recall, precision = saw_tooth(right)
    ranks = np.flatnonzero(right) + 1
    before = np.array([1.0 if rank == 1 else precision[rank - 2] for rank in ranks])
    figure, axes = plot(1, 2, height=3.4)
    for panel, rule in zip(axes, ("step", "trapezoid"), strict=True):
        for i, rank in enumerate(ranks):
            height = precision[rank - 1]
            left = height if rule == "step" else before[i]
            x = [i / len(ranks), i / len(ranks), (i + 1) / len(ranks), (i + 1) / len(ranks)]
            panel.fill(x, [0, left, height, 0], color=COLOURS[4], edgecolor="black")
        start = np.concatenate([[0], recall]), np.concatenate([[1.0], precision])
        panel.plot(*start, color="#444444", linewidth=1.5, linestyle="--", label="saw-tooth")
        panel.plot(recall[ranks - 1], precision[ranks - 1], "o", color=RIGHT, markersize=8, label="at a match")
        panel.set(
            xlabel="recall", title=f"{rule}: {average_precision(ranks, rule):.2f}", xlim=(0, 1.05), ylim=(0, 1.08)
        )
    axes[0].set_ylabel("precision")
    axes[0].legend(loc="lower left")
    return figure


def draw_cmc(results: Mapping[str, Scores], until: int = 50) -> Figure:
    """CMC curves, one line style each.

    >>> import torch
    >>> from paullite.evaluation import score_ranking
    >>> scores = score_ranking(torch.eye(2), torch.eye(2), [1, 2], [1, 2])
    >>> len(draw_cmc({"network": scores}).axes[0].lines)
    1
    """
    figure, axes = plot(height=3.4)
    for (name, scores), style in zip(results.items(), ("-", "--", ":"), strict=False):
        shares = 100 * scores.cmc[:until]
        axes.plot(np.arange(1, len(shares) + 1), shares, style, linewidth=2.5, label=name)
    axes.set(xlabel="rank k", ylabel="CMC(k) in %", xlim=(0.5, until + 0.5), ylim=(0, 100))
    axes.legend(loc="center")
    return figure
