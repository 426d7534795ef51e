"""Chapter 9: its moving figure, a run of phase 2 moment by moment."""

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

from ..bands import Band
from ..figures import COLOURS, RIGHT, WRONG, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = "osXDv"


class Moment(NamedTuple):
    """What one network of a run makes of the test.

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
    """Look at the test with a network, as the judge does."""
    q, g = (extract(net, part).flatten(1) for part in (target.query, target.gallery))
    scores = score_ranking(q, g, *ranking_columns(target.query, target.gallery))
    return Moment(name, 100 * scores.map_step, scores.precisions, q, g)


def ranked(at: Moment, target: ReIDDataset, query: int, top: int = 5) -> list[tuple[int, bool]]:
    """The first places of a query: (place in the gallery, right?). Junk and its own camera's pictures are left out."""
    pid, camid = (column[query] for column in (target.query.pids or (), target.query.camids or ()))
    pids, camids = torch.tensor(target.gallery.pids), torch.tensor(target.gallery.camids)
    out = ((pids == pid) & (camids == camid)) | (pids == -1)
    order = (at.gallery @ at.query[query]).masked_fill(out, -torch.inf).argsort(descending=True, stable=True)[:top]
    return [(place, int(pids[place]) == pid) for place in order.tolist()]


def on_a_plane(moments: Sequence[Moment], places: Tensor) -> list[Tensor]:
    """Some pictures of the gallery in two dimensions, (n, 2) for each moment; the same plane for all of them.

    The plane is that of the two largest principal components of all moments together: no label chooses it.
    """
    chosen = torch.stack([at.gallery[places] for at in moments])  # moments n P*D
    flat = chosen.flatten(0, 1)
    axes = torch.linalg.svd(flat - flat.mean(0), full_matrices=False).Vh[:2]
    return [(features - flat.mean(0)) @ axes.T for features in chosen]


class Film:
    """The moving figure of the chapter: curves, a map of a few people, and one ranked list, moment by moment.

    Args:
        moments: of one run; the first two are before training.
        history: of that run, one row for each epoch.
        target: on whose test it was judged.
        query: place of the query whose list is shown.
        people: whose gallery pictures the map shows, at most five.
        band: of the last mAP.
    """

    def __init__(
        self,
        moments: Sequence[Moment],
        history: Sequence[Mapping[str, float]],
        target: ReIDDataset,
        query: int,
        people: Sequence[int],
        band: Band,
    ) -> None:
        self.moments, self.history, self.target = moments, history, target
        self.query, self.band = query, band
        pids = torch.tensor(target.gallery.pids)
        places = [torch.nonzero(pids == pid)[:, 0] for pid in people]
        self.counts = [len(some) for some in places]
        self.planes = on_a_plane(moments, torch.cat(places))

    def draw(self, name: str) -> Figure:
        """The picture of one moment, by its name."""
        n = [at.name for at in self.moments].index(name)
        figure, ((scores, losses), (plane, places)) = plot(2, 2, width=5.6, height=5.9)
        self._scores(scores, n)
        self._losses(losses, n)
        self._plane(plane, n)
        self._places(places, n)
        return figure

    def numbers(self) -> dict[str, list[str]]:
        """The numbers of all moments, by column."""
        rows: list[Mapping[str, float]] = [{}] * (len(self.moments) - len(self.history)) + list(self.history)
        return {
            "moment": [at.name for at in self.moments],
            "mAP, %": [f"{at.score:.1f}" for at in self.moments],
            "PEDAL": [f"{row['pedal']:.3f}" if row else "" for row in rows],
            "IPFL": [f"{row['ipfl']:.3f}" if row else "" for row in rows],
            "its matches in the list": [self.found(n) for n in range(len(self.moments))],
        }

    def list(self, n: int) -> list[tuple[int, bool]]:
        """The shown query's first five places at a moment."""
        return ranked(self.moments[n], self.target, self.query)

    def matches(self) -> int:
        """How many pictures of the query's person other cameras took."""
        pid, camid = (column[self.query] for column in (self.target.query.pids or (), self.target.query.camids or ()))
        gallery = zip(self.target.gallery.pids or (), self.target.gallery.camids or (), strict=True)
        return sum(person == pid and camera != camid for person, camera in gallery)

    def found(self, n: int) -> str:
        """How many of them are in the list at a moment."""
        return f"{sum(right for _, right in self.list(n))} of {self.matches()}"

    def spread(self, n: int) -> float:
        """Mean distance from the middle of one's own person, as a share of that from the middle of all."""
        middles = [points - points.mean(0) for points in self.planes[n].split(self.counts)]
        whole = self.planes[n] - self.planes[n].mean(0)
        return float(torch.cat(middles).norm(dim=1).mean() / whole.norm(dim=1).mean())

    def _scores(self, axes: Axes, n: int) -> None:
        last = len(self.moments) - 2
        axes.axhspan(self.band.low, self.band.high, 0.86, 1, color="grey", alpha=0.35)
        axes.plot(range(-1, n), [at.score for at in self.moments[: n + 1]], "o-", color=RIGHT)
        axes.set(xlim=(-1.5, last + 0.9), ylim=(0, max(self.band.high, *(at.score for at in self.moments)) + 6))
        axes.set_title(f"mAP {self.moments[n].score:.0f} %", loc="left", fontsize=11)
        axes.set_xticks([-1, 0, *range(2, last + 1, 2)], ["source", "filled", *map(str, range(2, last + 1, 2))])
        axes.tick_params(axis="x", rotation=45)

    def _losses(self, axes: Axes, n: int) -> None:
        rows = self.history[: max(0, n - 1)]
        for name, style, colour in (("pedal", "o-", COLOURS[0]), ("ipfl", "^--", COLOURS[1])):
            axes.plot([row["epoch"] for row in rows], [row[name] for row in rows], style, color=colour)
            axes.text(6.2, self.history[-1][name] + 0.04, name.upper(), ha="right", fontsize=10)
        axes.set(xlim=(0.5, len(self.history) + 0.5), ylim=(0, 0.8), xlabel="epoch")
        axes.set_title("losses", loc="left", fontsize=11)

    def _plane(self, axes: Axes, n: int) -> None:
        """Each picture, tied to the middle of its person's."""
        for points, colour, mark in zip(self.planes[n].split(self.counts), COLOURS, MARKS, strict=False):
            middle = points.mean(0)
            for point in points:
                axes.plot(*torch.stack([middle, point]).T, "-", color=colour, linewidth=0.8)
            axes.plot(*points.T, mark, color=colour, markersize=6)
        whole = torch.cat(self.planes)
        low, high = whole.amin(0) - 0.15, whole.amax(0) + 0.15
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
        axes.set_title("five people", loc="left", fontsize=11)

    def _places(self, axes: Axes, n: int) -> None:
        """The query, and its first five places in two rows."""
        from matplotlib.patches import Rectangle

        found = self.list(n)
        shown = [(self.target.query[self.query].image, "query", "black")]
        for place, right in found:
            shown.append((self.target.gallery[place].image, "✓" if right else "✗", RIGHT if right else WRONG))
        for i, (picture, words, colour) in enumerate(shown):
            x, y = 72 * (i % 3), 164 * (i // 3)
            axes.imshow(picture, extent=(x, x + 64, y + 128, y))
            axes.add_patch(Rectangle((x, y), 64, 128, fill=False, edgecolor=colour, linewidth=2.5))
            axes.text(x + 32, y - 3, words, ha="center", va="bottom", color=colour, fontsize=11)
        axes.set(xlim=(-4, 212), ylim=(296, -26))
        axes.set_title(f"finds {self.found(n)} matches", loc="left", fontsize=11)
        axes.axis("off")
