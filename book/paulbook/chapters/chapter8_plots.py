"""Chapter 8: images of a batch, distances as histograms, centers over visits, centers in the plane, and gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from paullite.config import AdaptConfig
from paullite.data.items import ReIDDataset
from paullite.data.reading import Pixels
from paullite.data.views import originals, surrogates, uniforms
from paullite.memory import FeatureMemory

from ..figures import COLOURS, RIGHT, WRONG, plot
from ..numbers import Columns
from ..studies.lines import TITLES, Line
from .chapter8 import walk

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY = "#595959"
PLAIN = ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])  # no normalisation, so that colours stay in 0..1
PLANE = {"view x": (34, 56), "0": (28, 48), "1": (48, 62), "2": (62, 40), "3": (74, 50), "4": (80, 30), "5": (20, 15)}
UNIT = 25
"""Steps of the plane that make a distance of 1."""
NUMBERS = {"mark": list(PLANE), "across": [x for x, _ in PLANE.values()], "up": [y for _, y in PLANE.values()]}


def draw_nearest(anchor: Image.Image, images: Sequence[Image.Image], distances: Sequence[float]) -> Figure:
    """An image and the images of its batch that the network considers most similar, with their distances.

    >>> from PIL import Image
    >>> len(draw_nearest(Image.new("RGB", (64, 128)), [Image.new("RGB", (64, 128))] * 2, [1.0, 2.0]).axes)
    3
    """
    figure, axes = plot(1, 1 + len(images), height=2.6)
    titles = ["the image"] + [f"{letter}: {d:.2f}" for letter, d in zip("ABCDEFG", distances, strict=False)]
    for panel, image, title in zip(axes, [anchor, *images], titles, strict=True):
        panel.imshow(image)
        _bare(panel, title)
    for side in axes[0].spines.values():
        side.set(visible=True, color="black", linewidth=3)
    return figure


def both_views(
    data: ReIDDataset, index: int, epoch: int, size: tuple[int, int], config: AdaptConfig
) -> tuple[Tensor, Tensor]:
    """The two views of a training image in an epoch, as phase 2 makes them, in colours of 0..1: (h, w, 3) each.

    >>> import paullite as pl
    >>> dolls = pl.data.PaperDolls("target", identities=2, test_identities=2)
    >>> original, surrogate = both_views(dolls, 0, 0, (128, 64), pl.PRESETS["paperdolls"].adapt)
    >>> tuple(original.shape), torch.equal(original, surrogate)
    ((128, 64, 3), False)
    """
    pixels, form = Pixels(data.train, size)[index]
    u = uniforms(config.seed, epoch, [index])
    original = originals(pixels[None], size, PLAIN, u[:, -2] < 0.5)
    surrogate = surrogates(pixels[None], torch.tensor([form]), u, size, PLAIN, config)
    return original[0].permute(1, 2, 0), surrogate[0].permute(1, 2, 0)


def draw_surrogates(image: Image.Image, made: Sequence[Tensor]) -> Figure:
    """An image and some surrogates of it, (h, w, 3) in 0..1.

    >>> len(draw_surrogates(Image.new("RGB", (64, 128)), [torch.zeros(128, 64, 3)] * 4).axes)
    5
    """
    figure, axes = plot(1, 1 + len(made), height=2.7)
    for number, (panel, shown) in enumerate(zip(axes, [image, *(view.numpy() for view in made)], strict=True)):
        panel.imshow(shown)
        _bare(panel, f"surrogate {number}" if number else "image")
    return figure


def draw_distances(distances: Mapping[str, Tensor]) -> Figure:
    """Histograms below each other with one axis of distances, and the mean of each as a line.

    Args:
        distances: of pairs of images, by what the two show.

    >>> len(draw_distances({"own surrogate": torch.rand(9), "another person": torch.rand(9)}).axes)
    2
    """
    figure, axes = plot(len(distances), 1, height=1.15 * len(distances) + 0.5)
    longest = max(float(values.max()) for values in distances.values())
    for panel, colour, (name, values) in zip(axes, COLOURS, distances.items(), strict=False):
        panel.hist(values.numpy(), bins=60, range=(0, longest), color=colour, density=True)
        mean = float(values.mean())
        panel.axvline(mean, color="black", linewidth=1.5)
        panel.set_title(f"{name}: mean {mean:.2f}", fontsize=11, loc="left")
        panel.set(yticks=[], xlim=(0, longest))
        panel.tick_params(labelbottom=panel is axes[-1])
    axes[-1].set_xlabel("distance of the two embeddings")
    return figure


def quantiles(distances: Mapping[str, Tensor]) -> Columns:
    """Of each group of distances the mean and the range of the middle 90 %, as columns for a figure's table.

    >>> quantiles({"all": torch.tensor([1.0, 2.0, 3.0])})["mean"]
    ['2.00']
    """
    low, high = ([f"{torch.quantile(v[:2_000_000], q):.2f}" for v in distances.values()] for q in (0.05, 0.95))
    means = [f"{values.mean():.2f}" for values in distances.values()]
    return {"pair": list(distances), "mean": means, "5 % are below": low, "5 % are above": high}


@dataclass(frozen=True)
class Visit:
    """The anchors of an epoch: distances to the own center and to the hard negative's, (A,), and the mean loss."""

    own: Tensor
    negative: Tensor
    loss: float


def own_distances(views: Tensor, momentum: float = 0.1) -> list[tuple[float, ...]]:
    """Distances of the views of one image, (visits, 2, E), from its center at each visit.

    >>> own_distances(torch.tensor([[[0.0], [1.0]], [[0.0], [1.0]]]))
    [(0.5, 0.5), (0.5, 0.5)]
    """
    memory, found = FeatureMemory(1, 1, views.shape[2], momentum=momentum), []
    for both in views:
        memory.update(torch.tensor([0]), both.mean(0).view(1, 1, -1))
        found.append(tuple((both - memory.features[0]).norm(dim=1).tolist()))
    return found


def draw_visit(
    number: int, visits: Sequence[Visit], views: Sequence[tuple[Tensor, Tensor]], shown: Sequence[Sequence[float]]
) -> Figure:
    """Both views of one image at a visit with their distances from its center, and all anchors' distances.

    Args:
        number: of the visit, from 1.
        visits: of all anchors. The first is drawn as an outline in every picture, to compare with.
        views: of the one image, at each visit.
        shown: distances of these views from the image's center, at each visit.

    >>> visits = [Visit(torch.rand(9), 1 + torch.rand(9), 0.2)] * 2
    >>> len(draw_visit(2, visits, [(torch.zeros(8, 4, 3),) * 2] * 2, [(0.5, 0.5), (1.1, 1.2)]).axes)
    3
    """
    figure, axes = plot(1, 3, height=3.1)
    axes[2].get_gridspec().set_width_ratios([1, 1, 3.4])
    for panel, name, view, d in zip(
        axes, ("original", "surrogate"), views[number - 1], shown[number - 1], strict=False
    ):
        panel.imshow(view.numpy())
        _bare(panel, name)
        panel.set_xlabel(f"to center: {d:.2f}")
    now, bins = visits[number - 1], np.linspace(0, 3.2, 50).tolist()
    for values, colour, name in ((now.own, RIGHT, "own center"), (now.negative, WRONG, "hard negative")):
        axes[2].hist(values.numpy(), bins=bins, color=colour, alpha=0.75, label=name)
    axes[2].hist(visits[0].own.numpy(), bins=bins, histtype="step", color="black", label="own center, visit 1")
    axes[2].set(xlabel="distance of an anchor to a center", yticks=[], title=f"visit {number}: loss {now.loss:.2f}")
    tallest = max(np.histogram(values.numpy(), bins)[0].max() for one in visits for values in (one.own, one.negative))
    axes[2].set_ylim(0, 1.05 * tallest)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def plane(margin: float = 1.0, nearest: int = 3) -> dict[str, object]:
    """What the figure of centers in the plane begins with: a view of image 0, and six centers.

    >>> [point["name"] for point in plane()["points"]][:2]
    ['view x', 'center 0']
    """
    points = [{"name": n if n == "view x" else f"center {n}", "at": at} for n, at in PLANE.items()]
    return {"points": points, "margin": margin, "nearest": nearest, "unit": UNIT}


def draw_plane(nearest: int = 3) -> Figure:
    """The still of that figure, with what cyclic ranking says of each candidate that it tries.

    >>> [text.get_text() for text in draw_plane().axes[0].texts][2]
    'center 1: vetoed'
    """
    view, *centers = torch.tensor(list(PLANE.values())).float()
    found = walk(view, torch.stack(centers), 0, nearest=nearest)
    words = {j: ": vetoed" if veto else ": hard negative" for j, veto in zip(found.order, found.vetoed, strict=False)}
    figure, axes = plot(width=4.6, height=4.2)
    for n, (name, (x, y)) in enumerate(PLANE.items()):
        own, verdict = n < 2, words.get(n - 1, "")
        colour = RIGHT if own else WRONG if "negative" in verdict else "black" if verdict else GREY
        axes.scatter([x], [y], s=70, color=colour, marker="o" if n else "D", label=name)
        text = name if n == 0 else f"center {name}{verdict}"
        below = n == 1  # the view stands right above its center
        axes.annotate(text, (x, y), (0, -18 if below else 10), textcoords="offset points", ha="center", color=colour)
    axes.set(xlim=(0, 100), ylim=(0, 80), aspect="equal", xticks=range(0, 101, UNIT), yticks=range(0, 81, UNIT))
    axes.set(xticklabels=range(5), yticklabels=range(4))
    return figure


def draw_gains(lines: Mapping[str, Mapping[str, Line]]) -> Figure:
    """Differences of two arms in points, with the 95 % confidence interval of the mean over seeds.

    Args:
        lines: for each comparison, the line of each score.

    >>> from paulbook.studies.families import lines_of
    >>> from paulbook.studies.receipts import read
    >>> len(draw_gains({"IPFL added to PEDAL": lines_of(read("ablation"), "pedal", "paul")}).axes)
    2
    """
    figure, axes = plot(1, len(TITLES), height=1.3 + 0.45 * len(lines))
    for panel, score in zip(axes, TITLES, strict=True):
        for row, found in enumerate(lines.values()):
            low, high = _ends(found[score])
            mean = 100 * (found[score].b - found[score].a)
            colour = RIGHT if found[score].significant else GREY
            panel.plot([low, high], [row, row], color=colour, linewidth=2.5)
            panel.plot([mean], [row], "o", color=colour)
        panel.axvline(0, color="black", linewidth=1)
        panel.set(xlabel=f"difference in {TITLES[score]}, points", ylim=(len(lines) - 0.5, -0.5))
        panel.set_yticks(range(len(lines)), list(lines) if panel is axes[0] else [""] * len(lines))
    return figure


def gain_numbers(lines: Mapping[str, Mapping[str, Line]]) -> dict[str, list[Any]]:
    """The numbers of that figure, as columns.

    >>> from paulbook.studies.families import lines_of
    >>> from paulbook.studies.receipts import read
    >>> gain_numbers({"IPFL": lines_of(read("ablation"), "pedal", "paul")})["comparison"]
    ['IPFL', 'IPFL']
    """
    columns: dict[str, list[Any]] = {"comparison": [], "score": [], "points": [], "from": [], "to": []}
    for name, found in lines.items():
        for score, title in TITLES.items():
            line = found[score]
            row = (name, title, 100 * (line.b - line.a), *_ends(line))
            for column, value in zip(columns.values(), row, strict=True):
                column.append(f"{value:+.1f}" if isinstance(value, float) else value)
    return columns


def said(line: Line) -> str:
    """A comparison in one line: both means, the difference with its interval, and the corrected p value.

    >>> from paulbook.studies.families import lines_of
    >>> from paulbook.studies.receipts import read
    >>> said(lines_of(read("ablation"), "pedal", "paul")["map_step"]).split(":")[0]
    'mAP'
    """
    low, high = _ends(line)
    points = f"{100 * line.a:.1f} to {100 * line.b:.1f} %"
    p = "no p value" if line.p_value is None else "p < 0.001" if line.p_value < 5e-4 else f"p = {line.p_value:.3f}"
    return f"{TITLES[line.score]}: {points}, difference {100 * (line.b - line.a):+.1f} [{low:+.1f}, {high:+.1f}], {p}"


def _bare(panel: Axes, title: str) -> None:
    """An image without axes."""
    panel.set(xticks=[], yticks=[], title=title)
    panel.grid(False)
    for side in panel.spines.values():
        side.set_visible(False)


def _ends(line: Line) -> tuple[float, float]:
    """The 95 % confidence interval of the mean difference over seeds, in points."""
    interval = line.seeds or line.people
    return 100 * interval.low, 100 * interval.high
