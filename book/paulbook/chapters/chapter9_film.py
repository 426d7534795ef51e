"""Chapter 9: ranked lists before and after, and the training as a moving figure, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from paullite.data.items import ReIDDataset
from paullite.evaluation import ranking_columns, score_ranking
from paullite.features import extract
from paullite.models import PatchNet

from ..figures import COLOURS, RIGHT, WRONG, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOP = 6  # images of a ranked list that are shown


class Moment(NamedTuple):
    """How one network of a run ranks the test.

    Attributes:
        name: as "epoch 3".
        score: mAP (step) in percent.
        precisions: average precision (step) of each query, (Q,).
        query, gallery: retrieval features, (Q, P * D) and (G, P * D).
    """

    name: str
    score: float
    precisions: np.ndarray
    query: Tensor
    gallery: Tensor


def moment(name: str, net: PatchNet, target: ReIDDataset) -> Moment:
    """Evaluate a network on the test, and keep the features."""
    q, g = (extract(net, part).flatten(1) for part in (target.query, target.gallery))
    scores = score_ranking(q, g, *ranking_columns(target.query, target.gallery))
    return Moment(name, 100 * scores.map_step, scores.precisions, q, g)


def ranked(at: Moment, target: ReIDDataset, query: int, top: int = TOP) -> list[tuple[int, bool]]:
    """The first ranks of a query: (index in the gallery, right?), without junk and the query's own camera."""
    pid, camid = (column[query] for column in (target.query.pids or (), target.query.camids or ()))
    pids, camids = torch.tensor(target.gallery.pids), torch.tensor(target.gallery.camids)
    out = ((pids == pid) & (camids == camid)) | (pids == -1)
    order = (at.gallery @ at.query[query]).masked_fill(out, -torch.inf).argsort(descending=True, stable=True)[:top]
    return [(index, int(pids[index]) == pid) for index in order.tolist()]


def three_queries(before: Moment, after: Moment) -> list[int]:
    """The queries whose average precision rose most, by the median, and fell most.

    >>> none = torch.empty(0)
    >>> moments = [Moment("", 0, np.array(values), none, none) for values in ([0.1, 0.5, 0.5], [0.9, 0.2, 0.6])]
    >>> three_queries(*moments)
    [0, 2, 1]
    """
    order = (after.precisions - before.precisions).argsort(kind="stable")
    return [int(order[-1]), int(order[len(order) // 2]), int(order[0])]


def draw_lists(moments: Sequence[Moment], target: ReIDDataset, queries: Sequence[int]) -> Figure:
    """For some queries the first ranks by each network, right ones framed solid and wrong ones dashed.

    >>> import paullite as pl
    >>> dolls, net = pl.data.PaperDolls("target", identities=2, test_identities=6), pl.shipped_net("source")
    >>> len(draw_lists([moment("before", net, dolls)] * 2, dolls, [0]).axes)
    2
    """
    rows = [(query, at) for query in queries for at in moments]
    figure, axes = plot(len(rows), 1, width=5.6, height=1.22 * len(rows))
    for panel, (query, at) in zip(axes, rows, strict=True):
        _draw_list(panel, at, target, query)
        panel.set_title(f"{at.name}, AP {100 * at.precisions[query]:.0f} %", loc="left", fontsize=10)
    return figure


def _draw_list(panel: Axes, at: Moment, target: ReIDDataset, query: int) -> None:
    """The query, and beside it its first ranks."""
    from matplotlib.patches import Rectangle

    shown = [(target.query[query].image, "black", "-")]
    for index, right in ranked(at, target, query):
        shown.append((target.gallery[index].image, RIGHT if right else WRONG, "-" if right else "--"))
    for i, (image, colour, line) in enumerate(shown):
        x = 74 * i + (20 if i else 0)
        panel.imshow(image, extent=(x, x + 64, 128, 0))
        panel.add_patch(Rectangle((x, 0), 64, 128, fill=False, edgecolor=colour, linewidth=2.5, linestyle=line))
    panel.set(xlim=(-4, 74 * (TOP + 1) + 14), ylim=(132, -4))
    panel.axis("off")


class Film:
    """The moving figure: mAP, both losses and one ranked list, epoch by epoch.

    Args:
        moments: of one run; the first two are the source network and the one whose memory was filled.
        history: of that run, one row for each epoch.
        target: on whose test it was evaluated.
        query: index of the query whose list is shown.
        control: mAP of the best control without training, in percent.
    """

    def __init__(
        self,
        moments: Sequence[Moment],
        history: Sequence[Mapping[str, float]],
        target: ReIDDataset,
        query: int,
        control: float,
    ) -> None:
        self.moments, self.history, self.target = moments, history, target
        self.query, self.control = query, control

    def draw(self, name: str) -> Figure:
        """The picture of one moment, by its name."""
        n = [at.name for at in self.moments].index(name)
        figure, axes = plot(2, 2, width=5.8, height=4.6)
        for panel in axes[1]:
            panel.remove()
        ranks = figure.add_subplot(axes[1, 0].get_gridspec()[1, :])
        self._scores(axes[0, 0], n)
        self._losses(axes[0, 1], n)
        at = self.moments[n]
        _draw_list(ranks, at, self.target, self.query)
        ranks.set_title(f"one query, AP {100 * at.precisions[self.query]:.0f} %", loc="left", fontsize=11)
        return figure

    def numbers(self) -> dict[str, list[str]]:
        """The numbers of all moments, by column."""
        rows: list[Mapping[str, float]] = [{}] * (len(self.moments) - len(self.history)) + list(self.history)
        return {
            "moment": [at.name for at in self.moments],
            "mAP, %": [f"{at.score:.1f}" for at in self.moments],
            "PEDAL": [f"{row['pedal']:.2f}" if row else "" for row in rows],
            "IPFL": [f"{row['ipfl']:.3f}" if row else "" for row in rows],
        }

    def _scores(self, axes: Axes, n: int) -> None:
        last, scores = len(self.history), [at.score for at in self.moments]
        axes.axhline(self.control, color="grey", linestyle="--")
        axes.text(last + 0.4, self.control - 0.6, "best control", ha="right", va="top", fontsize=9)
        axes.plot(range(-1, n), scores[: n + 1], "o-", color=RIGHT, markersize=4)
        axes.set(xlim=(-1.6, last + 0.6), ylim=(min(scores) - 4, max(*scores, self.control) + 4))
        axes.set_title(f"mAP {scores[n]:.0f} %", loc="left", fontsize=11)
        axes.set_xticks([-1, *range(3, last + 1, 3)], ["source", *map(str, range(3, last + 1, 3))])

    def _losses(self, axes: Axes, n: int) -> None:
        rows = self.history[: max(0, n - 1)]
        for name, style, colour in (("pedal", "o-", COLOURS[0]), ("ipfl", "^--", COLOURS[1])):
            axes.plot([row["epoch"] for row in rows], [row[name] for row in rows], style, color=colour, markersize=4)
            axes.text(len(self.history) + 0.4, self.history[-1][name] + 0.1, name.upper(), ha="right", fontsize=9)
        top = 1.2 * max(row["pedal"] for row in self.history)
        axes.set(
            xlim=(0.4, len(self.history) + 0.6),
            ylim=(0, top),
            xlabel="epoch",
            xticks=range(3, len(self.history) + 1, 3),
        )
        axes.set_title("losses", loc="left", fontsize=11)
