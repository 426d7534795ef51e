"""Chapter 5: its training and three controls, in the one place that chapter and bands share, and its drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from paullite.app.pictures import outlines, ranked_row, show_image
from paullite.config import PRESETS, PretrainConfig
from paullite.data import PaperDolls
from paullite.data.items import Item, ReIDDataset, Split
from paullite.evaluation import score_ranking
from paullite.losses import batch_triplet
from paullite.models import stripes
from paullite.pretraining import SourceStep, pretrain
from paullite.run import Run

from ..bands import measured
from ..figures import COLOURS, RIGHT, WRONG, Html, plot
from ..numbers import Columns, folded, given

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PEOPLE = 36
"""People to learn from, and as many others for the test: the first of the drawn source."""
PATCHES = 6
CHANCE = PATCHES * log(PEOPLE)
"""Sum of six cross-entropies if everybody gets the same probability."""
TRIPLETS = (9, 25, 10)
"""Images of the first batch whose triplets are shown: an easy one, a close one, and one that is the wrong way round."""
CELLS = (8, 4)  # rows and columns of the feature map
UNIT = 56  # pixels from 0 to 1 in y: from the centre of row 0 to that of row 7 are 112
ARMS = ("true", "exchanged", "stripes", "joint")
"""True names; names exchanged at random; true names and patches that stay stripes; and one classifier for all."""

Ranked = Sequence[tuple[int, bool]]  # index in the gallery, and right or wrong


def settings(seed: int = 0) -> PretrainConfig:
    """Six epochs on few people, short enough for a chapter; otherwise as the preset ``paperdolls``.

    The chapter spells these settings out and checks that they are these; ``tests/benchmarks/bands.py`` trains with
    them for the numbers that the chapter compares with.

    Args:
        seed: of the network's start and of the order of the images. The people stay the same.

    >>> settings().epochs, settings(3).seed
    (6, 3)
    """
    schedule = replace(PRESETS["paperdolls"].pretrain, epochs=6, generator_epochs=(2, 4), decay_epoch=4)
    return replace(schedule, evaluate_every=1, progress=False, seed=seed)


def few_people() -> ReIDDataset:
    """The first 36 people of the drawn source, and 36 others for the test."""
    return PaperDolls("source").first_people(PEOPLE)


def exchanged(split: Split, seed: int) -> Split:
    """The same images and the same names, but a name no longer belongs to its image.

    >>> split = Split.from_rows([(f"{i}.jpg", i // 2, 0) for i in range(6)])
    >>> sorted(exchanged(split, seed=0).pids) == sorted(split.pids), exchanged(split, seed=0).pids == split.pids
    (True, False)
    """
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed)).tolist()
    return replace(split, pids=tuple((split.pids or ())[i] for i in order))


def joint_loss(step: SourceStep) -> dict[str, Tensor]:
    """One classifier over all patches, whose logits are the sums of those of the six, with the weight of six."""
    identity = step.logits.shape[1] * F.cross_entropy(step.logits.sum(1), step.labels)
    triplet = batch_triplet(step.embeddings, step.labels, margin=step.config.triplet_margin)
    return {"total": identity + step.config.triplet_weight * triplet, "identity": identity, "triplet": triplet}


def trained(arm: str, seed: int, source: ReIDDataset) -> Run:
    """One training of the chapter or of a control, see `ARMS`."""
    config, data = settings(seed), source
    if arm == "stripes":
        config = replace(config, lr_generator=0.0)
    if arm == "exchanged":
        data = replace(source, train=exchanged(source.train, seed))
    return pretrain(config, data, loss=joint_loss) if arm == "joint" else pretrain(config, data)


def score(query: Tensor, gallery: Tensor, data: ReIDDataset) -> float:
    """mAP (step), 0 to 1, of features of any shape.

    >>> data = PaperDolls("source", identities=2, test_identities=2)
    >>> 0 < score(torch.rand(len(data.query), 3), torch.rand(len(data.gallery), 3), data) < 1
    True
    """
    found = score_ranking(
        query=query.flatten(1), gallery=gallery.flatten(1),
        query_pids=data.query.pids or (), gallery_pids=data.gallery.pids or (),
        query_camids=data.query.camids, gallery_camids=data.gallery.camids,
    )  # fmt: skip
    return found.map_step


def record(arm: str, column: str) -> NDArray[np.float64]:
    """What was measured beforehand, one row per seed.

    Args:
        arm: see `ARMS`, or ``untrained``.
        column: ``map_step`` (epochs 0 to 6), ``identity`` or ``accuracy`` (epochs 1 to 6), ``alone`` (mean mAP of the
            six patches alone), ``target`` (mAP of direct transfer), or ``reestimated`` (mAP of the untrained network
            with batch-norm statistics of the training images).

    >>> record("true", "map_step").shape, record("joint", "alone").shape
    ((5, 7), (5, 1))
    """
    found = {name: values for name, values in measured().items() if name.startswith(f"chapter5_{arm}/{column}_")}
    return np.array([found[name] for name in sorted(found)]).T


def table(columns: Columns) -> Html:
    """An open table of numbers that differ a little from machine to machine; its text form has none of them.

    >>> table({"training": ["true names"], "mAP, %": ["90.0"]})
    [numbers of this run: training; mAP, %]
    """
    tables = given(columns)
    shown = folded([tables], "Numbers of this run", opened=True)
    return Html(shown, f"[numbers of this run: {'; '.join(columns)}]", tuple(tables))


def draw_question(named: Sequence[Item], query: Item, ranked: Ranked, gallery: Split) -> Figure:
    """Training images with their names, and below them a query of the test with its ranked list.

    >>> source = PaperDolls("source", identities=2, test_identities=2)
    >>> len(draw_question(source.train[:3], source.query[0], [(0, True), (1, False)], source.gallery).axes)
    6
    """
    figure, axes = plot(2, len(named), height=4.6)
    for panel, item in zip(axes[0], named, strict=True):
        show_image(panel, item.image, f"person {item.pid}")
    show_image(axes[1, 0], query.image, "query: who?", "black")
    ranked_row(axes[1, 1:], gallery, ranked)
    for row, title in zip(axes, ("training", "test"), strict=True):
        row[0].set_ylabel(title, fontsize=11)
    for panel in axes.flat:
        panel.grid(False)
    return figure


def draw_triplets(rows: Sequence[tuple[Item, Item, Item]], distances: Sequence[tuple[float, float]]) -> Figure:
    """For each anchor its positive and its negative, with their distances from the anchor.

    >>> items = tuple(PaperDolls("source", identities=2, test_identities=2).train[:3])
    >>> len(draw_triplets([items] * 2, [(0.5, 0.9)] * 2).axes[0].images)
    6
    """
    figure, axes = plot(width=6.8, height=2.15)
    step, gap, height = 70, 34, 128
    for n, (images, (near, far)) in enumerate(zip(rows, distances, strict=True)):
        words = ("anchor", f"positive\n{near:.2f}", f"negative\n{far:.2f}")
        for place, (item, title, colour) in enumerate(zip(images, words, ("black", RIGHT, WRONG), strict=True)):
            left = n * (3 * step + gap) + place * step
            axes.imshow(item.image, extent=(left, left + 64, height, 0), zorder=1)
            sides = (left, left + 64, left + 64, left, left), (0, 0, height, height, 0)
            axes.plot(*sides, color=colour, linewidth=3)
            axes.text(left + 32, -8, title, ha="center", va="bottom", fontsize=9, color=colour)
    axes.set(xlim=(-4, len(rows) * (3 * step + gap) - gap), ylim=(height + 4, -50), aspect="equal")
    axes.axis("off")
    return figure


def draw_names(histories: Mapping[str, Sequence[Mapping[str, float]]], controls: Mapping[str, float]) -> Figure:
    """Loss against its chance level, and mAP on new people, over the epochs of several trainings.

    Args:
        histories: rows of a training by the name of its curve.
        controls: mAP without training by name, 0 to 1; the first is where the curves begin.

    >>> rows = [{"epoch": 1, "identity": 20.0, "map_step": 0.5}]
    >>> len(draw_names({"true names": rows}, {"untrained": 0.1}).axes)
    2
    """
    figure, (left, right) = plot(1, 2, width=6.8, height=4.0)
    start = 100 * next(iter(controls.values()))
    for (name, rows), style in zip(histories.items(), ("-o", "--s"), strict=False):
        epochs = [row["epoch"] for row in rows]
        left.plot(epochs, [row["identity"] for row in rows], style, label=name)
        right.plot([0, *epochs], [start, *(100 * row["map_step"] for row in rows)], style, label=name)
    left.axhline(CHANCE, color="black", linestyle=":", label="chance level")
    for (name, value), style in zip(controls.items(), (":", "-."), strict=False):
        right.axhline(100 * value, color="black", linestyle=style, label=name)
    left.set(xlabel="epoch", ylabel="sum of six cross-entropies", ylim=(0, 25), title="36 training people")
    right.set(xlabel="epoch", ylabel="mAP, %", ylim=(0, 103), title="36 other people")
    for panel in (left, right):
        panel.legend(loc="upper center", fontsize=9, bbox_to_anchor=(0.5, -0.2))
    return figure


def draw_before_after(query: Item, lists: Mapping[str, Ranked], gallery: Split) -> Figure:
    """One query with the first images of its list, once per network.

    >>> source = PaperDolls("source", identities=2, test_identities=2)
    >>> lists = {"untrained": [(0, False), (1, True)], "trained": [(1, True), (0, False)]}
    >>> len(draw_before_after(source.query[0], lists, source.gallery).axes)
    6
    """
    figure, axes = plot(len(lists), 1 + len(next(iter(lists.values()))), height=2.3 * len(lists))
    for row, (name, ranked) in zip(axes, lists.items(), strict=True):
        show_image(row[0], query.image, "query", "black")
        row[0].set_ylabel(name, fontsize=11)
        ranked_row(row[1:], gallery, ranked)
        for panel in row:
            panel.grid(False)
    return figure


def draw_epoch(
    pictures: Sequence[Image.Image], theta: Tensor, history: Sequence[Mapping[str, float]], window: tuple[int, int]
) -> Figure:
    """Where the patches lie after an epoch, drawn through their outermost sample points, and mAP up to there.

    Args:
        pictures: a few images.
        theta: (images, P, 2, 3) the patches on each.
        history: a row for each epoch up to this one, from 0 on.
        window: epochs in which the generator learns.

    >>> rows = [{"epoch": 0, "map_step": 0.2}, {"epoch": 1, "map_step": 0.8}]
    >>> draw_epoch([Image.new("RGB", (64, 128))], stripes(6)[None], rows, (2, 4)).axes[0].get_title()
    'epoch 1: largest vertical shift 0 px'
    """
    figure, (top, low) = plot(2, 1, width=5.2, height=5.4)
    for i, (picture, patches) in enumerate(zip(pictures, theta, strict=True)):
        left = 80 * i
        top.imshow(picture, extent=(left, left + picture.width, picture.height, 0))
        for colour, x, y in outlines(patches, CELLS):
            for ink, width in (("white", 3.5), (colour, 2)):
                top.plot(left + picture.width * x, picture.height * y, color=ink, linewidth=width)
    moved = UNIT * (theta - stripes(theta.shape[1]))[..., 1, 2].abs().max()
    title = f"epoch {len(history) - 1}: largest vertical shift {moved:.0f} px"
    top.set(xlim=(-8, 80 * len(pictures) - 8), ylim=(136, -8), title=title)
    top.axis("off")
    low.axvspan(*window, color="grey", alpha=0.2, label="generator learns")
    values = [100 * row["map_step"] for row in history]
    low.plot([row["epoch"] for row in history], values, "o-", label="mAP on new people")
    low.set(xlim=(-0.2, 6.3), ylim=(0, 103), xlabel="epoch", ylabel="mAP, %")
    low.legend(loc="lower right")
    return figure


def draw_window(moving: NDArray[Any], fixed: NDArray[Any], window: tuple[int, int]) -> Figure:
    """mAP over the epochs with and without a generator that learns, mean over seeds, and their difference per seed.

    Args:
        moving, fixed: (seeds, epochs 0 to 6) in percent; a row of both has the same seed.
        window: epochs in which the generator learns.

    >>> len(draw_window(np.ones((2, 7)), np.zeros((2, 7)), (2, 4)).axes)
    2
    """
    figure, (left, right) = plot(1, 2, width=6.8, height=3.4)
    epochs = range(moving.shape[1])
    for panel in (left, right):
        panel.axvspan(*window, color="grey", alpha=0.2)
        panel.set(xlabel="epoch")
    left.plot(epochs, moving.mean(0), "-o", label="patches move")
    left.plot(epochs, fixed.mean(0), "--s", label="patches stay stripes")
    left.set(ylabel="mAP on new people, %", ylim=(0, 103), title=f"mean of {len(moving)} seeds")
    left.legend(loc="lower right", fontsize=9)
    for seed, difference in enumerate(moving - fixed):
        right.plot(epochs, difference, "-", color="grey", linewidth=1, label="each seed" if not seed else None)
    right.plot(epochs, (moving - fixed).mean(0), "-o", color=COLOURS[0], linewidth=2.5, label="mean")
    right.axhline(0, color="black", linewidth=1)
    right.set(ylabel="gain in mAP, points", title="moving less fixed")
    right.legend(loc="lower left", fontsize=9)
    return figure
