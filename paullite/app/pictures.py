"""Pictures of a run: curves, patches on images, ranked lists, an embedding. Every function writes one PNG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import Tensor

from ..data.items import ReIDDataset, Split
from ..errors import InputError
from ..evaluation import ranked_lists
from ..features import extract
from ..files import Row, replacing
from ..models import PatchNet
from ..modes import mode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers too
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F", "#000000")
JUNK = -1  # the one identity that is nobody
MOST_QUERIES = 200  # a picture chooses among so many; ranking thousands would take minutes
RIGHT, WRONG = "#0072B2", "#D55E00"
SCORES = {"rank1": "rank-1", "rank5": "rank-5", "map_step": "mAP (step)", "accuracy": "patch accuracy (training)"}
LOSSES = {"pedal": "PEDAL", "ipfl": "IPFL", "identity": "cross-entropy, sum over patches", "triplet": "triplet"}


def draw_curves(history: Sequence[Row], path: str | Path, *, controls: Mapping[str, float] | None = None) -> Path:
    """Losses on the left, scores on the right, over the epochs.

    Args:
        history: rows of a run.
        path: PNG to write.
        controls: rank-1 of other networks by name, drawn as level lines, in 0..1.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw_curves([{"epoch": 1, "pedal": 1.0}, {"epoch": 2, "pedal": 0.5}], Path(folder, "curves.png")).name
    'curves.png'
    """
    figure, ((left, right),) = _figure(1, 2, width=10, height=4.2)
    for column, label in LOSSES.items():
        _curve(left, history, column, label, 1)
    left.set(xlabel="epoch", ylabel="loss, mean over the epoch", title="What is learned from")
    for column, label in SCORES.items():
        _curve(right, history, column, label, 100, marker="o")
    for colour, (label, value) in zip(reversed(COLOURS), (controls or {}).items(), strict=False):
        right.axhline(100 * value, color=colour, linestyle="--", linewidth=1.3, label=f"rank-1, {label}")
    right.set(xlabel="epoch", ylabel="%", title="How well people are found", ylim=(0, 101))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, frameon=False)
    return _write(figure, path)


def draw_patches(nets: Mapping[str, PatchNet], split: Split, path: str | Path, *, images: int = 6) -> Path:
    """Where each network's patches lie: the outline of every patch on the same images, one row for each network.

    Outlines start as equal stripes, and move as far as the patch generation network has learned to.

    Args:
        nets: networks by name.
        split: images, spread evenly over it.
        path: PNG to write.
        images: how many.
    """
    pictures = [item.image for item in _spread(split, images)]
    figure, grid = _figure(len(nets), len(pictures), width=1.25 * len(pictures) + 1.3, height=2.5 * len(nets) + 0.3)
    for row, (name, net) in zip(grid, nets.items(), strict=True):
        for axes, picture, theta in zip(row, pictures, _thetas(net, pictures), strict=True):
            show_image(axes, picture)
            _outline(axes, theta, picture.size)
        _row_title(row[0], name)
    return _write(figure, path)


def draw_rankings(
    nets: Mapping[str, PatchNet],
    dataset: ReIDDataset,
    path: str | Path,
    *,
    queries: int = 4,
    top: int = 8,
    workers: int = 0,
) -> Path:
    """The same queries' ranked lists with each network; right answers have a blue frame and a tick.

    Of up to 200 queries, spread over the set, those are shown that stand at even steps from the list that changes most
    for the better to the one that changes most for the worse, so failures are shown too. With one network, they stand
    between its best list and its worst.

    Args:
        nets: networks by name, for instance before and after.
        dataset: its query and gallery.
        path: PNG to write.
        queries: how many queries.
        top: places shown of each list.
        workers: processes that read images.
    """
    dataset = ReIDDataset(dataset.name, dataset.train, _spread(dataset.query, MOST_QUERIES), dataset.gallery)
    lists = {name: ranked_lists(net, dataset, top=top, workers=workers) for name, net in nets.items()}
    first, *others = lists.values()
    change = (
        [_hits(b) - _hits(a) for a, b in zip(first, others[-1], strict=True)] if others else list(map(_hits, first))
    )
    spread = np.argsort(change, kind="stable")[np.linspace(0, len(change) - 1, min(queries, len(change))).astype(int)]
    figure, grid = _figure(
        len(spread) * len(nets), top + 1, width=0.95 * (top + 1) + 1.6, height=1.95 * len(spread) * len(nets)
    )
    rows = iter(grid)
    for place in spread[::-1]:
        for name, ranked in lists.items():
            row = next(rows)
            show_image(row[0], dataset.query[int(place)].image, "query")
            _row_title(row[0], name)
            ranked_row(row[1:], dataset.gallery, ranked[place])
    return _write(figure, path)


def draw_matches(
    query: Image.Image, gallery: Split, places: Sequence[int], scores: Sequence[float], path: str | Path
) -> Path:
    """A query and the most similar images of a folder, with their cosine similarities; "nobody" without any."""
    shown = max(len(places), 1) + 1
    columns = min(shown, 7)
    rows = -(-shown // columns)
    figure, grid = _figure(rows, columns, width=1.5 * columns, height=3.1 * rows)
    cells = list(grid.flat)
    for axes in cells:
        axes.axis("off")
    show_image(cells[0], query, "query")
    if not places:
        cells[1].text(0.5, 0.5, "nobody", ha="center", va="center", fontsize=12, transform=cells[1].transAxes)
    for axes, place, score in zip(cells[1:], places, scores, strict=False):
        show_image(axes, gallery[int(place)].image, f"{score:.2f}")
    return _write(figure, path)


def draw_groups(rows: Mapping[str, Split], path: str | Path, *, columns: int = 10) -> Path:
    """A montage: one row of pictures for each name, spread evenly over those that do not fit.

    Args:
        rows: pictures by the name of their group.
        path: PNG to write.
        columns: pictures in a row, at most.
    """
    width, height, gap, left = 64, 128, 4, 110
    across = min(columns, max(map(len, rows.values())))
    canvas = Image.new("RGB", (left + across * (width + gap), gap + len(rows) * (height + gap)), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=13)
    for row, (name, split) in enumerate(rows.items()):
        y = gap + row * (height + gap)
        pen.text((8, y + height / 2), name, "black", font, anchor="lm")
        for column, item in enumerate(_spread(split, across)):
            picture = ImageOps.contain(item.image, (width, height))
            x = left + column * (width + gap)
            canvas.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
    with replacing(Path(path)) as temporary:
        canvas.save(temporary, format="png")
    return Path(path)


def draw_embedding(net: PatchNet, split: Split, path: str | Path, *, people: int = 8, workers: int = 0) -> Path:
    """Retrieval features of a few people on their two main axes: colour is the person, the mark is the camera."""
    if split.pids is None:
        raise InputError("found images without identities", "expected labelled images to colour")
    chosen = [pid for pid in dict.fromkeys(split.pids) if pid != JUNK][:people]
    shown = split.take(i for i, pid in enumerate(split.pids) if pid in chosen)
    x = extract(net, shown, workers=workers).flatten(1).cpu()
    x = (x - x.mean(0)) @ torch.linalg.svd(x - x.mean(0), full_matrices=False)[2][:2].T
    figure, ((axes,),) = _figure(1, 1, width=6, height=5)
    cameras = sorted(set(shown.camids or [0]))
    for i, item in enumerate(shown):
        mark = "os^Dvp*X"[cameras.index(item.camid or cameras[0]) % 8]
        axes.scatter(x[i, 0], x[i, 1], color=COLOURS[chosen.index(item.pid or 0) % len(COLOURS)], marker=mark, s=32)
    axes.set(title=f"{len(chosen)} people (colour) by {len(cameras)} cameras (mark)", xlabel="axis 1", ylabel="axis 2")
    axes.grid(alpha=0.3)
    return _write(figure, path)


def _spread(split: Split, count: int) -> Split:
    """So many items, evenly over the split; all of them if there are no more."""
    return split.take(np.linspace(0, len(split) - 1, min(count, len(split))).astype(int).tolist())


def _curve(axes: Axes, history: Sequence[Row], column: str, label: str, factor: float, **style: Any) -> None:
    points = [(row["epoch"], factor * row[column]) for row in history if column in row]
    if points:
        axes.plot(*zip(*points, strict=True), label=label, color=COLOURS[len(axes.lines) % len(COLOURS)], **style)


def ranked_row(row: Sequence[Axes], gallery: Split, ranked: Sequence[tuple[int, bool]]) -> None:
    """The first places of a ranking, (place in the gallery, right or wrong), one for each axes: frame and sign."""
    for axes in row:
        axes.axis("off")
    for place, (axes, (index, right)) in enumerate(zip(row, ranked, strict=False), start=1):
        show_image(axes, gallery[index].image, f"{place} {'✓' if right else '✗'}", RIGHT if right else WRONG)


def _hits(ranked: Sequence[tuple[int, bool]]) -> float:
    """How good a short list is: right answers weigh more at the top."""
    return sum(right / place for place, (_, right) in enumerate(ranked, start=1))


@torch.no_grad()
def _thetas(net: PatchNet, pictures: Sequence[Image.Image]) -> Tensor:
    device = next(net.parameters()).device
    with mode(net, False):
        return net(torch.stack([net.transform(p) for p in pictures]).to(device)).theta.cpu()


def outlines(theta: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
    """The closed outline of each patch: its corners (-1, -1) ..., carried by its theta onto the image.

    -1 and 1 are drawn at the image's edges. The outermost sample points lie half a cell further inside; each stands for
    its whole cell.

    Args:
        theta: (P, 2, 3).

    Yields:
        The patch's colour, and x and y of its corners, (5,) each, as shares of the image's width and height.

    >>> [(colour, x.tolist(), y.tolist()) for colour, x, y in outlines(torch.eye(2, 3)[None])]
    [('#0072B2', [0.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0])]
    """
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1], [-1, -1, 1]])
    for colour, patch in zip(COLOURS * 8, theta, strict=False):
        x, y = ((corners @ patch.T + 1) / 2).T
        yield colour, x, y


def _outline(axes: Axes, theta: Tensor, size: tuple[int, int]) -> None:
    """Every patch over an image of that width and height."""
    for colour, x, y in outlines(theta):
        axes.plot(x * (size[0] - 1), y * (size[1] - 1), color="white", linewidth=3.2, alpha=0.8)
        axes.plot(x * (size[0] - 1), y * (size[1] - 1), color=colour, linewidth=1.8)


def show_image(axes: Axes, picture: Image.Image, title: str = "", colour: str | None = None) -> None:
    """A picture without ticks, with a frame if a colour is given."""
    axes.imshow(picture)
    axes.set(xticks=[], yticks=[], xlim=(-0.5, picture.width - 0.5), ylim=(picture.height - 0.5, -0.5))
    axes.axis("on")
    axes.set_title(title, fontsize=9, color=colour or "black", pad=3)
    for spine in axes.spines.values():
        spine.set(visible=colour is not None, color=colour, linewidth=3)


def _row_title(axes: Axes, text: str) -> None:
    axes.set_ylabel(text, fontsize=9, rotation=0, ha="right", va="center", labelpad=8)


def _figure(rows: int, columns: int, *, width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure  # no window, no global state; and a quick import of the package

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    grid = figure.subplots(rows, columns, squeeze=False)
    return figure, grid


def _write(figure: Figure, path: str | Path) -> Path:
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
    return path
