"""Chapter 11: what a training step takes, a finger on the stop button, and the drawings."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGINT, raise_signal
from textwrap import fill
from typing import TYPE_CHECKING

from PIL import Image

from paullite.adaptation import learning
from paullite.app.pictures import ranked_row, show_image
from paullite.config import AdaptConfig
from paullite.data.items import Opener, ReIDDataset
from paullite.data.layouts import FOLDERS, image_files
from paullite.files import Row
from paullite.models import PatchNet
from paullite.runs.cost import SPARE, Cost, try_step
from paullite.runs.machine import accelerated

from ..checking import WIDTH
from ..figures import COLOURS, WRONG, plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Ranked = Sequence[tuple[int, bool]]  # place in the gallery, whether it is the same person


def said(text: object, folder: str | Path) -> str:
    """What a report or an error says, with ROOT for the folder's own name, in lines that fit on the page.

    >>> print(said("found no images in my/folder; " + 10 * "and so on " + "; look", "my/folder"))
    found no images in ROOT
      and so on and so on and so on and so on and so on and so on and so on and so on
        and so on and so on
      look
    """
    lines = []
    for line in str(text).replace(str(folder), "ROOT").splitlines():
        parts = line.split("; ") if len(line) > WIDTH else [line]
        begins = ["", *["  "] * (len(parts) - 1)]
        lines += [
            fill(part.strip(), WIDTH, initial_indent=begin, subsequent_indent=f"{begin}  ")
            if len(line) > WIDTH
            else part
            for begin, part in zip(begins, parts, strict=True)
        ]
    return "\n".join(lines)


def cost_of_step(net: PatchNet, config: AdaptConfig) -> Cost:
    """What a step of `paullite.adapt` takes on this machine, by steps on noise. The network is copied, not changed.

    On CUDA a whole batch is measured. Elsewhere, two trials of few images: what the second keeps more is each image's
    own, the rest (16-bit copies of the weights in half precision) is fixed.

    Args:
        net: of any backbone and image size.
        config: its device, precision and batch count.

    Raises:
        InputError: the device or precision is not there, or one image does not fit.
    """
    with accelerated(config) as (accelerator, team):
        net = copy.deepcopy(net).to(team.device)
        model = accelerator.prepare_model(net, evaluation_mode=True)  # under autocast, where the precision says so
        learning(net)
        if team.device.type == "cuda":
            return try_step(model, net, net.size, config.batch, team)
        return _own_and_fixed(*(try_step(model, net, net.size, count, team) for count in FEW))


FEW = 1, 2  # images of the two trials on a CPU, the second twice as many


def _own_and_fixed(one: Cost, two: Cost) -> Cost:
    """What is each image's own and what is fixed, from what some images keep, and twice as many."""
    pair = 2 * two.pair - one.pair
    return replace(two, pair=pair, fixed=round(two.fixed + FEW[0] * (one.pair - pair)))


@dataclass
class Finger:
    """Opens pictures as before, and presses Ctrl-C when one of them is opened for the n-th time.

    In training a picture is opened more than once only if ``image_memory`` is 0.

    Attributes:
        opener: what opens a picture. path: the one that is waited for. visits: n.
        seen: how often it was opened.
    """

    opener: Opener
    path: str
    visits: int
    seen: int = field(default=0)

    def __call__(self, path: str) -> Image.Image:
        if path == self.path:
            self.seen += 1
            if self.seen == self.visits:
                raise_signal(SIGINT)
        return self.opener(path)


def with_a_finger(dataset: ReIDDataset, visits: int) -> ReIDDataset:
    """The same data set; when its second training picture is opened for the n-th time, somebody presses stop."""
    finger = Finger(dataset.train.opener, dataset.train.paths[1], visits)
    train = replace(dataset.train, opener=finger)
    return ReIDDataset(dataset.name, train, dataset.query, dataset.gallery)


def draw_sheet(root: str | Path, wanted: dict[str, Sequence[str]]) -> Figure:
    """Pictures of a folder in Market-1501's layout, one line for each of its three folders, with their file names.

    Args:
        root: the folder.
        wanted: for each of the three, how the names of the pictures begin that are to be shown; as many for each.
    """
    columns = len(next(iter(wanted.values())))
    figure, axes = plot(len(FOLDERS), columns, width=6.2, height=6.0)
    for line, folder in zip(axes, FOLDERS, strict=True):
        files, shown = image_files(Path(root, folder)), set()
        for ax, begins in zip(line, wanted[folder], strict=True):
            file = next(f for f in files if f.name.startswith(begins) and f.name not in shown)
            shown.add(file.name)
            with Image.open(file) as picture:
                show_image(ax, picture.convert("RGB"))
            ax.set_title(file.name.replace("s1_", "s1_\n"), fontsize=10)
        words = folder.replace("_", "_\n")
        line[0].text(-0.08, 0.5, words, transform=line[0].transAxes, fontsize=10, ha="right", va="center")
    return figure


def draw_memory(costs: dict[str, Cost], gib: float, batch: int) -> Figure:
    """Memory of a step by batch size, one line for each setting, and what a step may take of a GPU's memory."""
    figure, axes = plot(height=3.4)
    sizes = [8, 16, 24, 32, 42, 64, 84]
    for (name, cost), marker in zip(costs.items(), "os^", strict=False):
        axes.plot(sizes, [(cost.fixed + size * cost.pair) / 2**30 for size in sizes], f"{marker}-", label=name)
    axes.axhline(SPARE * gib, color=WRONG, linestyle="--")
    axes.text(8, 1.01 * SPARE * gib, f"{SPARE * gib:g} of {gib:g} GiB, the rest is spare", color=WRONG, va="bottom")
    axes.axvline(batch, color=COLOURS[3], linestyle=":", linewidth=1)
    axes.set(xlabel="images in a batch, each with its surrogate", ylabel="GiB of a step", ylim=0)
    axes.legend(loc="center left", fontsize=10)
    return figure


def draw_run(history: Sequence[Row], stopped: float | None = None) -> Figure:
    """Losses and score of a run by epoch, with a mark where it was stopped and taken up."""
    figure, axes = plot(1, 2, height=2.9)
    epochs = [row["epoch"] for row in history]
    axes[0].plot(epochs, [row["pedal"] for row in history], "o-", label="PEDAL")
    axes[0].plot(epochs, [row["ipfl"] for row in history], "s-", label="IPFL")
    evaluated = [row for row in history if "map_step" in row]
    for (name, label), marker in zip(
        {"map_step": "mAP (step)", "map_trapezoid": "(trapezoid)"}.items(), "os", strict=True
    ):
        score = [100 * row[name] for row in evaluated]
        axes[1].plot([row["epoch"] for row in evaluated], score, f"{marker}-", label=label)
    for ax, what, place in zip(axes, ("loss", "percent"), ("center right", "lower right"), strict=True):
        ax.set(xlabel="epoch", ylabel=what)
        if stopped is not None:
            ax.axvline(stopped, color=WRONG, linestyle="--", linewidth=1.5)
            ax.text(stopped, ax.get_ylim()[1], " stop, resume", color=WRONG, va="top", fontsize=10)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(loc=place, fontsize=10)
    return figure


def draw_lists(data: ReIDDataset, query: int, before: Ranked, after: Ranked) -> Figure:
    """A query, and the first places of its ranking by two networks, one above the other."""
    figure, axes = plot(2, 1 + len(before), width=4.4, height=3.9)
    for line, name, ranked in zip(axes, ("before", "after"), (before, after), strict=True):
        show_image(line[0], data.query[query].image, "query")
        line[0].set_ylabel(name)
        ranked_row(line[1:], data.gallery, ranked)
        for ax in line:
            ax.title.set_fontsize(12)
    return figure
