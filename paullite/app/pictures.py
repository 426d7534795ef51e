"""Pictures of a run: curves, patches on images, ranked lists, an embedding. Each is written as PNG to ``path``."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import Tensor

from ..data.items import ReIDDataset, Split
from ..errors import InputError
from ..evaluation import ranked_lists
from ..features import extract
from ..files import Row, replacing
from ..models import PatchNet
from ..modes import mode

File = str | Path
# Okabe and Ito's colours, told apart by colour-blind readers too
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F", "#000000")
RIGHT, WRONG = "#0072B2", "#D55E00"
MOST_QUERIES = 200  # a picture chooses among so many; ranking thousands would take minutes
SCORES = {"rank1": "rank-1", "rank5": "rank-5", "map_step": "mAP (step)", "accuracy": "patch accuracy (training)"}
LOSSES = {"pedal": "PEDAL", "ipfl": "IPFL", "identity": "cross-entropy, sum over patches", "triplet": "triplet"}
ROW_TITLE: dict[str, Any] = {"fontsize": 9, "rotation": 0, "ha": "right", "va": "center", "labelpad": 8}


def draw_curves(history: Sequence[Row], path: File, *, controls: Mapping[str, float] | None = None) -> Path:
    """Losses and scores over the epochs; rank-1 of other networks, ``controls`` by name in 0..1, as level lines.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw_curves([{"epoch": 1, "pedal": 1.0}, {"epoch": 2, "pedal": 0.5}], Path(folder, "curves.png")).name
    'curves.png'
    """
    figure, ((left, right),) = _figure(1, 2, width=13, height=4.2)
    _curves(left, history, LOSSES, 1)
    left.set(xlabel="epoch", ylabel="loss, mean over the epoch", title="What is learned from")
    _curves(right, history, SCORES, 100, marker="o")
    for colour, (label, value) in zip(reversed(COLOURS), (controls or {}).items(), strict=False):
        right.axhline(100 * value, color=colour, linestyle="--", linewidth=1.3, label=f"rank-1, {label}")
    right.set(xlabel="epoch", ylabel="%", title="How well people are found", ylim=(0, 101))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return _write(figure, path)


def draw_patches(nets: Mapping[str, PatchNet], split: Split, path: File, *, images: int = 6) -> Path:
    """The outline of every patch on the same images, spread evenly over a split; a row for each network, by name.

    Outlines start as equal stripes, and move as far as the patch generation network has learned to.
    """
    pictures = [item.image for item in split.spread(images)]
    figure, grid = _figure(len(nets), len(pictures), width=1.25 * len(pictures) + 1.3, height=2.5 * len(nets) + 0.3)
    for row, (name, net) in zip(grid, nets.items(), strict=True):
        batch = torch.stack([net.transform(picture) for picture in pictures]).to(next(net.parameters()).device)
        with mode(net, False), torch.no_grad():
            out = net(batch)
        for axes, picture, theta in zip(row, pictures, out.theta.cpu(), strict=True):
            show_image(axes, picture)
            for colour, x, y in outlines(theta, out.attention.shape[2:]):
                for ink, width, alpha in (("white", 3.2, 0.8), (colour, 1.8, 1.0)):
                    scaled = x * picture.width - 0.5, y * picture.height - 0.5
                    axes.plot(*scaled, color=ink, linewidth=width, alpha=alpha)
        row[0].set_ylabel(name, **ROW_TITLE)
    return _write(figure, path)


def draw_rankings(
    nets: Mapping[str, PatchNet], dataset: ReIDDataset, path: File, *, queries: int = 4, top: int = 8, workers: int = 0
) -> Path:
    """The same queries' ranked lists with each network, by name; right answers have a blue frame and a tick.

    Of up to 200 queries, spread over the set, those are shown that stand at even steps from the list that changes most
    for the better to the one that changes most for the worse; with one network, from its best list to its worst.
    """
    dataset = ReIDDataset(dataset.name, dataset.train, dataset.query.spread(MOST_QUERIES), dataset.gallery)
    lists = {name: ranked_lists(net, dataset, top=top, workers=workers) for name, net in nets.items()}
    # right answers weigh more at the top
    quality = np.array([[sum(hit / n for n, (_, hit) in enumerate(r, 1)) for r in one] for one in lists.values()])
    order = np.argsort(quality[-1] - quality[0] if len(nets) > 1 else quality[0], kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(queries, len(order))).astype(int)]
    rows = len(chosen) * len(nets)
    figure, grid = _figure(rows, top + 1, width=0.95 * (top + 1) + 1.6, height=1.95 * rows)
    places = [(place, name) for place in chosen[::-1].tolist() for name in nets]
    for row, (place, name) in zip(grid, places, strict=True):
        show_image(row[0], dataset.query[place].image, "query")
        row[0].set_ylabel(name, **ROW_TITLE)
        ranked_row(row[1:], dataset.gallery, lists[name][place])
    return _write(figure, path)


def draw_matches(query: Image.Image, matches: Split, scores: Sequence[float], path: File) -> Path:
    """A query and the most similar images of a folder, with their cosine similarities; "nobody" without any."""
    shown = max(len(matches), 1) + 1
    columns = min(shown, 7)
    rows = -(-shown // columns)
    figure, grid = _figure(rows, columns, width=1.5 * columns, height=3.1 * rows)
    first, *cells = grid.flat
    for axes in cells:
        axes.axis("off")
    show_image(first, query, "query")
    if not matches:
        cells[0].text(0.5, 0.5, "nobody", ha="center", va="center", fontsize=12, transform=cells[0].transAxes)
    for axes, item, score in zip(cells, matches, scores, strict=False):
        show_image(axes, item.image, f"{score:.2f}")
    return _write(figure, path)


def draw_groups(rows: Mapping[str, Split], path: File, *, columns: int = 10) -> Path:
    """A montage: one row of pictures for each name, spread evenly over those that do not fit into the columns."""
    width, height, gap, left = 64, 128, 4, 110
    across = min(columns, max(map(len, rows.values())))
    canvas = Image.new("RGB", (left + across * (width + gap), gap + len(rows) * (height + gap)), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=13)
    for row, (name, split) in enumerate(rows.items()):
        y = gap + row * (height + gap)
        pen.text((8, y + height / 2), name, "black", font, anchor="lm")
        for column, item in enumerate(split.spread(across)):
            picture = ImageOps.pad(item.image, (width, height), color="white")
            canvas.paste(picture, (left + column * (width + gap), y))
    with replacing(Path(path)) as temporary:
        canvas.save(temporary, format="png")
    return Path(path)


def draw_embedding(net: PatchNet, split: Split, path: File, *, people: int = 8, workers: int = 0) -> Path:
    """Retrieval features of a few people on their two main axes: colour is the person, the mark is the camera."""
    if split.pids is None:
        raise InputError("found images without identities", "expected labelled images to colour")
    chosen = [pid for pid in dict.fromkeys(split.pids) if pid != -1][:people]  # -1, junk, is nobody
    shown = split.where(lambda pid: pid in chosen)
    if len(shown) < 2:
        raise InputError(f"found {len(shown)} images of people", "expected two or more, junk aside", "check the labels")
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


def ranked_row(row: Sequence[Axes], gallery: Split, ranked: Sequence[tuple[int, bool]]) -> None:
    """The first places of a ranking, (place in the gallery, right or wrong), one for each axes: frame and sign."""
    for axes in row:
        axes.axis("off")
    for place, (axes, (index, right)) in enumerate(zip(row, ranked, strict=False), start=1):
        show_image(axes, gallery[index].image, f"{place} {'✓' if right else '✗'}", RIGHT if right else WRONG)


def show_image(axes: Axes, picture: Image.Image, title: str = "", colour: str | None = None) -> None:
    """A picture without ticks, with a frame if a colour is given."""
    axes.imshow(picture)
    axes.set(xticks=[], yticks=[], xlim=(-0.5, picture.width - 0.5), ylim=(picture.height - 0.5, -0.5))
    axes.axis("on")
    axes.set_title(title, fontsize=9, color=colour or "black", pad=3)
    for spine in axes.spines.values():
        spine.set(visible=colour is not None, color=colour, linewidth=3)


def outlines(theta: Tensor, cells: Sequence[int]) -> Iterator[tuple[str, Tensor, Tensor]]:
    """The closed outline of each patch through its outermost sample points, from theta (P, 2, 3).

    Yields its colour, and x and y of the corners, (5,) each, as shares of the image's width and height. -1 and 1 are
    the centres of the outer cells of a feature map with so many rows and columns, as they are for the network.

    >>> [(colour, x.tolist(), y.tolist()) for colour, x, y in outlines(torch.eye(2, 3)[None], (8, 4))]
    [('#0072B2', [0.125, 0.875, 0.875, 0.125, 0.125], [0.0625, 0.0625, 0.9375, 0.9375, 0.0625])]
    """
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1], [-1, -1, 1]])
    for colour, patch in zip(COLOURS * 8, theta, strict=False):
        x, y = ((1 + corners @ patch.T * (1 - 1 / torch.tensor(cells).flip(0))) / 2).T
        yield colour, x, y


def _curves(axes: Axes, history: Sequence[Row], columns: Mapping[str, str], factor: float, **style: Any) -> None:
    for column, label in columns.items():
        points = [(row["epoch"], factor * row[column]) for row in history if column in row]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, color=COLOURS[len(axes.lines)], **style)


def _figure(rows: int, columns: int, *, width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")  # no window, no global state
    return figure, figure.subplots(rows, columns, squeeze=False)


def _write(figure: Figure, path: File) -> Path:
    with replacing(Path(path)) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
    return Path(path)
