"""Chapter 2: images of passages, what moves a feature, who is in which split, a leak, and look-alikes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from paullite.data import PaperDolls
from paullite.data.items import ReIDDataset, Split
from paullite.data.paperdolls import Look
from paullite.features import extract
from paullite.models.patchnet import PatchNet

from ..figures import COLOURS, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Passages = Sequence[Sequence[Image.Image]]  # for each passage its images
LARGEST = 2.0  # squared distance of two features that have nothing in common: the widest gap
TRAIN, TEST, ALONE = COLOURS[0], COLOURS[1], COLOURS[6]


def draw_images(images: Sequence[Image.Image], titles: Sequence[str]) -> Figure:
    """Some images in a row, each below its title.

    >>> len(draw_images([Image.new("RGB", (64, 128))] * 3, ["A", "B", "C"]).axes)
    3
    """
    figure, axes = plot(1, len(images), height=3.4)
    for panel, image, title in zip(axes, images, titles, strict=True):
        _put(panel, image, title)
    return figure


def draw_passages(cameras: Mapping[str, Passages]) -> Figure:
    """A row for each camera: its passages, each with its images side by side.

    Args:
        cameras: passages by the camera's name; all have the same number of passages, all of these two images.

    >>> image = Image.new("RGB", (64, 128))
    >>> len(draw_passages({"camera 10": [[image, image]] * 3, "camera 12": [[image, image]] * 3}).axes)
    12
    """
    figure, axes = plot(len(cameras), sum(map(len, next(iter(cameras.values())))), height=2.1 * len(cameras))
    for row, (name, passages) in zip(axes, cameras.items(), strict=True):
        shown = [(image, k, i) for k, images in enumerate(passages, 1) for i, image in enumerate(images)]
        for panel, (image, k, i) in zip(row, shown, strict=True):
            _put(panel, image, "" if i else f"passage {k}")
        row[0].set_ylabel(name)
    return figure


def _put(panel: Axes, image: Image.Image, title: str) -> None:
    panel.imshow(image)
    panel.set_title(title, fontsize=11, loc="left")
    panel.set(xticks=[], yticks=[])
    panel.grid(False)


def draw_changes(shares: Sequence[float], changes: Mapping[str, Sequence[float]]) -> Figure:
    """How far each change moves a feature, as lines over the share of the passage.

    Args:
        shares: values of ``passage_share``.
        changes: mean distances by the name of what was changed, one for each share.

    >>> len(draw_changes([0, 1], {"another image": [0.1, 0.1], "another camera": [0.4, 0.2]}).axes[0].lines)
    2
    """
    figure, axes = plot(height=3.4)
    for (name, values), marker in zip(changes.items(), "os^Dv", strict=False):
        axes.plot(shares, values, marker=marker, label=name)
    axes.set(xlabel="passage_share", ylabel="mean distance, 1 − cosine", ylim=0)
    axes.set_xticks(shares)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


class Seen(NamedTuple):
    """A person of a data set: what they are called in a figure, and for each camera (training, query, gallery)."""

    name: str
    images: dict[int, tuple[int, int, int]]


def seen_by_cameras(data: ReIDDataset, people: Sequence[int]) -> list[Seen]:
    """How many images of some people lie in training, query and gallery, for each camera that saw them.

    >>> world = PaperDolls("source", identities=2, test_identities=2)
    >>> sorted(seen_by_cameras(world, world.query.pids[:1])[0].images) == sorted(set(world.query.camids[:4]))
    True
    """
    splits = (data.train, data.query, data.gallery)
    counts = [Counter(zip(split.pids or (), split.camids or (), strict=True)) for split in splits]
    found = []
    for pid in people:
        cameras = sorted({camera for count in counts for owner, camera in count if owner == pid})
        images = {
            camera: (counts[0][pid, camera], counts[1][pid, camera], counts[2][pid, camera]) for camera in cameras
        }
        found.append(Seen(str(pid), images))
    return found


def draw_splits(domains: Mapping[str, Sequence[Seen]]) -> Figure:
    """People and cameras as a grid for each domain: blue cells are training, orange ones query and gallery.

    Args:
        domains: people by the name of their domain.

    >>> seen = [Seen("1", {0: (4, 0, 0)}), Seen("2", {0: (0, 1, 3), 1: (0, 1, 2)})]
    >>> [text.get_text() for text in draw_splits({"source": seen}).axes[0].texts]
    ['4', '1+3', '1+2']
    """
    figure, panels = plot(len(domains), 1, height=2.6 * len(domains))
    for panel, (domain, people) in zip(np.atleast_1d(panels), domains.items(), strict=True):
        cameras = sorted({camera for person in people for camera in person.images})
        for x, person in enumerate(people):
            for camera, counts in person.images.items():
                _draw_cell(panel, x, cameras.index(camera), counts)
        panel.set(title=domain, xlim=(-0.5, len(people) - 0.5), ylim=(len(cameras) - 0.5, -0.5))
        panel.set_xticks(range(len(people)), [person.name for person in people], rotation=90)
        panel.set_yticks(range(len(cameras)), [f"camera {camera}" for camera in cameras])
        panel.grid(False)
    return figure


def _draw_cell(panel: Axes, x: int, y: int, counts: tuple[int, int, int]) -> None:
    """A cell of the grid: its colour is the split, its text the number of images."""
    train, query, gallery = counts
    colour = TRAIN if train else TEST if query else ALONE
    panel.fill([x - 0.46, x + 0.46, x + 0.46, x - 0.46], [y - 0.44, y - 0.44, y + 0.44, y + 0.44], color=colour)
    words = str(train) if train else f"{query}+{gallery}" if query else str(gallery)
    panel.text(x, y, words, ha="center", va="center", fontsize=10, color="black" if query else "white")


def draw_leak(weights: Sequence[float], scores: Mapping[str, Sequence[float]], before: float) -> Figure:
    """The score of each test over the penalty, and the score without a map as a dashed line.

    Args:
        weights: the penalties that were tried.
        scores: mAP in % by the name of the test.
        before: mAP in % without a map.

    >>> len(draw_leak([0.1, 1], {"by images": [90, 91], "by people": [70, 80]}, 27.0).axes[0].lines)
    3
    """
    figure, axes = plot(height=3.4)
    for (name, values), marker in zip(scores.items(), "o^", strict=True):
        (line,) = axes.semilogx(weights, values, marker=marker, label=name)
        best = int(np.argmax(values))
        axes.annotate("best", (weights[best], values[best]), (0, 8), textcoords="offset points", ha="center")
        line.set_markersize(7)
    axes.axhline(before, color=COLOURS[6], linestyle="--", label="_without a map")
    axes.text(weights[0], before + 2, "without a map", color=COLOURS[6])
    axes.set(xlabel="penalty λ", ylabel="mAP in %", ylim=(0, 105))
    axes.legend(loc="lower center")
    return figure


class Pair(NamedTuple):
    """Two people of two domains in the same top: images, squared distances of images and of patches, and the patch."""

    top: str
    images: tuple[Image.Image, Image.Image]
    whole: float
    part: float
    rows: tuple[slice, slice]  #: which rows of each image the patch covers


@torch.no_grad()
def look_alikes(net: PatchNet, source: PaperDolls, target: PaperDolls, patch: int = 2, most: int = 3) -> list[Pair]:
    """One pair for each colour of tops: people in the same top who share as little else as possible, first images.

    >>> from paullite.networks import shipped_net
    >>> worlds = [PaperDolls(domain, identities=12, test_identities=2) for domain in ("source", "target")]
    >>> len(look_alikes(shipped_net("source"), *worlds, most=1))
    1
    """
    one, other = _first_images(net, source, patch), _first_images(net, target, patch)
    ours, theirs = one[1], other[1]
    pairs = [(_shared(a, b), i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs) if _top(a) == _top(b)]
    chosen: dict[str, tuple[int, int]] = {}
    for _, i, j in sorted(pairs):
        chosen.setdefault(ours[i].upper, (i, j))
    return [_pair(top, one, other, i, j, patch) for top, (i, j) in list(chosen.items())[:most]]


Domain = tuple[Split, list[Look], Tensor, list[slice]]  # first images, looks, features N P D, rows of the patch


def _first_images(net: PatchNet, data: PaperDolls, patch: int) -> Domain:
    """The first training image of each person, with what a figure needs of it."""
    first = {pid: place for place, pid in reversed(list(enumerate(data.train.pids or ())))}
    split = data.train.take(sorted(first.values()))
    looks = [data.pictures[path].look for path in split.paths]
    return split, looks, extract(net, split), _patch_rows(net, split, patch)


def _pair(top: str, source: Domain, target: Domain, i: int, j: int, patch: int) -> Pair:
    """Person i of the source and person j of the target."""
    distances = (source[2][i] - target[2][j]).square().sum(-1)  # P
    images = source[0][i].image, target[0][j].image
    return Pair(top, images, float(distances.mean()), float(distances[patch]), (source[3][i], target[3][j]))


def _top(look: Look) -> tuple[str, ...]:
    return look.upper, look.pattern, look.second, look.sleeves


def _shared(one: Look, other: Look) -> int:
    """How many attributes agree."""
    return sum(vars(one)[name] == vars(other)[name] for name in vars(one))


def _patch_rows(net: PatchNet, split: Split, patch: int) -> list[slice]:
    """The rows that a patch covers on each image, by its own theta."""
    images = torch.stack([net.transform(item.image) for item in split])
    scale_and_shift: Tensor = net.eval()(images).theta[:, patch, 1, 1:]  # N 2
    half = images.shape[2] / 2
    ends = [(half * (1 + y - abs(s)), half * (1 + y + abs(s))) for s, y in scale_and_shift.tolist()]
    return [slice(max(0, round(top)), round(end)) for top, end in ends]


def draw_look_alikes(pairs: Sequence[Pair], name: str = "chest patch") -> Figure:
    """Draw pairs of look-alikes from source and target: whole images on the left, one patch of them on the right.

    The longer the line between the two images of a pair, the farther apart they are to the network. The idea is that
    of the paper's figure 1 (Yang et al., CVPR 2019), in a design of our own.

    Args:
        pairs: at most four, with squared distances from 0 to 4.
        name: what the patch is called.

    >>> image = Image.new("RGB", (64, 128))
    >>> pair = Pair("pink", (image, image), 1.5, 0.8, (slice(30, 60), slice(28, 58)))
    >>> len(draw_look_alikes([pair] * 3).axes[0].images)      # three pairs, whole and in part
    12
    """
    figure, page = plot(width=6.2, height=5.0)
    figure.set_layout_engine("none")
    page.axis("off")
    for side, title in enumerate(("whole image", name)):
        left = 11 + 45 * side
        page.text(left + 21, 1, f"{title}: ${'d_p^2' if side else 'd^2'}$", ha="center", va="top", fontsize=12)
        for k, pair in enumerate(pairs):
            parts = pair.rows if side else (slice(None), slice(None))
            crops = [np.asarray(image)[rows] for image, rows in zip(pair.images, parts, strict=True)]
            middle = left + 42 * (k + 0.5) / len(pairs)
            _draw_pair(page, crops, pair.part if side else pair.whole, middle, COLOURS[0] if side else COLOURS[5])
    page.axvline(54, color="#999999", linewidth=1)
    for y, domain in ((16, "source"), (68, "target")):
        page.text(2, y, domain, rotation=90, ha="center", va="center", fontsize=12)
    page.set(xlim=(0, 100), ylim=(82, 0), position=(0, 0, 1, 1))
    return figure


def _draw_pair(page: Axes, crops: Sequence[np.ndarray], distance: float, middle: float, colour: str) -> None:
    """Two pictures one above the other, the line between them as long as they are apart."""
    width, heights = 11, [11 * crop.shape[0] / crop.shape[1] for crop in crops]
    gap = 4 + 22 * min(distance, LARGEST) / LARGEST
    for crop, height, top in zip(crops, heights, (42 - gap / 2 - heights[0], 42 + gap / 2), strict=True):
        page.imshow(crop, extent=(middle - width / 2, middle + width / 2, top + height, top), aspect="auto")
    ends = {"arrowstyle": "|-|,widthA=.3,widthB=.3", "color": colour, "lw": 1.8, "shrinkA": 1, "shrinkB": 1}
    page.annotate("", (middle, 42 + gap / 2), (middle, 42 - gap / 2), arrowprops=ends)
    page.text(middle + 0.8, 42, f"{distance:.2f}", va="center", fontsize=12, color=colour, weight="bold")
