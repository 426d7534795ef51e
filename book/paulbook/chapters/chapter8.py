"""Chapter 8: the walk of cyclic ranking through one batch, and its drawing, the paper's figure 4 taken further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from paullite.losses import cyclic_ranking

from ..figures import RIGHT, WRONG, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY = "#1a1a1a", "#595959"
SHOWN = 5  # images of a ranking list that are drawn


@dataclass(frozen=True)
class Walk:
    """How the hard negative of one anchor is found. All numbers are rows of the batch.

    Attributes:
        own: the image that the anchor is a view of, x_i.
        order: the candidates, nearest to the anchor first.
        lists: for each candidate that was tried, the batch's other centers, nearest to that candidate's first.
        vetoed: for each candidate that was tried, whether it was ruled out.
        r: how many images of such a list are looked at.
    """

    own: int
    order: tuple[int, ...]
    lists: tuple[tuple[int, ...], ...]
    vetoed: tuple[bool, ...]
    r: int

    @property
    def negative(self) -> int | None:
        """The hard negative; ``None`` if every candidate was ruled out."""
        return None if all(self.vetoed) else self.order[len(self.vetoed) - 1]


def walk(embedding: Tensor, centers: Tensor, own: int, *, nearest: int = 3, max_candidates: int = 15) -> Walk:
    """Follow cyclic ranking for one anchor, with the vetoes of `paullite.losses.cyclic_ranking`.

    Args:
        embedding: of the anchor, (E,). centers: of the batch, (B, E). own: the anchor's own center.
        nearest, max_candidates: as in `paullite.losses.ipfl`.

    >>> found = walk(torch.tensor([0.1]), torch.tensor([[0.0], [1.0], [10.0]]), 0, nearest=2)
    >>> found.order, found.vetoed, found.lists, found.negative
    ((1, 2), (True, False), ((0, 2), (1, 0)), 2)
    """
    owner = torch.tensor([own], device=centers.device)
    order, vetoed = cyclic_ranking(embedding[None], centers, owner, nearest=nearest, max_candidates=max_candidates)
    tried = min(int(vetoed[0].cumprod(0).sum()) + 1, order.shape[1])
    candidates = order[0].tolist()
    lists = [_neighbours(centers, j) for j in candidates[:tried]]
    return Walk(own, tuple(candidates), tuple(lists), tuple(vetoed[0, :tried].tolist()), nearest - 1)


def _neighbours(centers: Tensor, j: int) -> tuple[int, ...]:
    """The other centers, nearest to center j first."""
    order = torch.cdist(centers[j : j + 1], centers, compute_mode="donot_use_mm_for_euclid_dist")[0]
    return tuple(i for i in order.argsort(stable=True).tolist() if i != j)


def draw_cycle(found: Walk, pictures: Sequence[Image.Image], people: Sequence[int] | None = None) -> Figure:
    """Draw the walk: on top the image and its ranking list, below each candidate that was tried with its own list.

    The paper's figure 4 (Yang et al., CVPR 2019) in a design of our own, taken further: there the first candidate is
    the hard negative, here it may be vetoed. At most the first three candidates are drawn.

    Args:
        found: the walk of one anchor.
        pictures: one for each center of the batch.
        people: their identities, which the method never sees; if given, every image says whether it is x_i's person.

    >>> found = walk(torch.tensor([0.1]), torch.tensor([[0.0], [1.0], [10.0]]), 0, nearest=2)
    >>> len(draw_cycle(found, [Image.new("RGB", (64, 128))] * 3).axes[0].images)    # 3 + 3 + 3
    9
    """
    tried = min(3, len(found.lists))
    height = 48 * (1 + tried) + 5
    figure, page = plot(width=5.0, height=5.0 * height / 100)
    figure.set_layout_engine("none")
    page.set(xlim=(0, 100), ylim=(height, 0), position=(0, 0, 1, 1))
    page.axis("off")
    same = None if people is None else [pid == people[found.own] for pid in people]
    _top_row(page, found, pictures, same, tried)
    for n in range(tried):
        _list_row(page, found, pictures, same, n)
    if people is not None:
        key = "✓ same person as $x_i$, ✗ another person (hidden labels)"
        page.text(50, height - 2.5, key, ha="center", va="center", color=GREY)
    return figure


Labels = Sequence[bool] | None  # whether each picture shows the anchor's person; hidden from the method


def _top_row(page: Axes, found: Walk, pictures: Sequence[Image.Image], same: Labels, tried: int) -> None:
    """The image as the query, and its ranking list with the verdict below each candidate that is drawn."""
    page.text(2, 3, "the anchor, a view of image $x_i$, and its ranking list $N_i$", va="center", fontsize=11)
    _picture(page, pictures[found.own], 2, 9, None if same is None else True, label="$x_i$", query=True)
    for place, j in enumerate(found.order[:SHOWN]):
        x = _column(place)
        _picture(page, pictures[j], x, 9, _of(same, j), label=f"{place + 1}")
        if place < tried:
            words = "vetoed" if found.vetoed[place] else "hard\nnegative"
            page.text(x + 6.5, 41, words, ha="center", va="top", fontsize=10, weight="bold", linespacing=1.1)


def _list_row(page: Axes, found: Walk, pictures: Sequence[Image.Image], same: Labels, n: int) -> None:
    """Candidate n as the query, its own list, the bracket over the first r, and where the image stands."""
    top, j, others = 48 * (n + 1) + 2, found.order[n], found.lists[n]
    page.text(2, top + 3, f"candidate {n + 1} and its own ranking list", va="center", fontsize=11)
    _picture(page, pictures[j], 2, top + 9, _of(same, j), label=f"{n + 1}", query=True)
    place = others.index(found.own)
    shown = [*range(min(SHOWN, len(others)))] if place < SHOWN else [*range(SHOWN - 1), place]
    for column, at in enumerate(shown):
        i = others[at]
        label = "$x_i$" if i == found.own else ""
        _picture(page, pictures[i], _column(column), top + 9, _of(same, i), label=label, number=at + 1)
    if place > SHOWN - 1:
        page.text(_column(SHOWN - 1) - 1.3, top + 7.4, "…", ha="center", va="center", fontsize=11)
    if found.r:
        _bracket(page, _column(0), _column(min(found.r, len(shown)) - 1) + 13, top + 37.5, f"top r = {found.r}")
    words = "inside: vetoed" if found.vetoed[n] else "outside: hard negative"
    page.text(98, top + 43, f"$x_i$ {words}", ha="right", va="center", fontsize=11, weight="bold")


def _of(same: Labels, i: int) -> bool | None:
    return None if same is None else same[i]


def _column(place: int) -> float:
    """Left edge of a place of a list."""
    return 22.5 + 15.6 * place


def _picture(
    page: Axes,
    picture: Image.Image,
    x: float,
    y: float,
    same: bool | None,
    *,
    label: str = "",
    number: int = 0,
    query: bool = False,
) -> None:
    """A picture 13 wide, framed; what the hidden labels say below; a label upon it; an arrow behind a query."""
    from matplotlib.patches import Rectangle

    page.imshow(picture, extent=(x, x + 13, y + 26, y), aspect="auto")
    colour = GREY if same is None else RIGHT if same else WRONG
    style = "-" if same or same is None else (0, (3, 1.5))
    page.add_patch(Rectangle((x, y), 13, 26, fill=False, edgecolor=colour, linestyle=style, linewidth=2.6, zorder=5))
    if label:
        box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": INK, "linewidth": 1}
        page.text(x + 1.6, y + 2, label, va="top", fontsize=11, weight="bold", bbox=box, zorder=9)
    if number:
        page.text(x + 6.5, y - 1.6, f"{number}", ha="center", va="center", fontsize=10)
    if same is not None and not query:
        page.text(x + 6.5, y + 28.4, "✓ same" if same else "✗ other", ha="center", va="center", fontsize=10)
    if query:
        arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
        page.annotate("", (x + 19.3, y + 13), (x + 14.6, y + 13), arrowprops=arrow)


def _bracket(page: Axes, left: float, right: float, y: float, words: str) -> None:
    """A bracket below some pictures, and its name."""
    y += 2
    page.plot([left, left, right, right], [y - 1.4, y, y, y - 1.4], color=INK, linewidth=1.8)
    page.text(left, y + 3.5, words, va="center", fontsize=11)
