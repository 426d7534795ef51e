"""Chapter 11: what a training step takes, a run that is interrupted, and the drawings."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGINT, raise_signal
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from paullite.adaptation import learning
from paullite.app.pictures import ranked_row, show_image
from paullite.config import AdaptConfig
from paullite.data.items import Opener, ReIDDataset
from paullite.data.layouts import FOLDERS, image_files
from paullite.files import Row
from paullite.models import PatchNet
from paullite.runs.cost import Cost, try_step
from paullite.runs.machine import accelerated

from ..checking import WIDTH
from ..figures import COLOURS, WRONG, plot
from ..studies.receipts import Receipt
from ..studies.statistics import Interval, bootstrap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Ranked = Sequence[tuple[int, bool]]  # index in the gallery, whether it is the same person


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


@contextmanager
def messages(folder: str | Path, *expected: type[BaseException]) -> Iterator[None]:
    """Prints what the library says inside, in lines that fit on the page, and ends an error of an expected kind there.

    >>> from paullite.errors import InputError
    >>> with messages("my/folder", InputError):
    ...     raise InputError("found no images in my/folder", "expected some", "look there")
    InputError: found no images in ROOT; expected some; look there
    """
    with redirect_stderr(io.StringIO()) as log, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except expected as error:
            kind = "Ctrl-C" if isinstance(error, KeyboardInterrupt) else type(error).__name__
            print(said(f"{kind}: {error}", folder))
    told = [f"warning: {warning.message}" for warning in caught] + log.getvalue().splitlines()
    for line in told:
        print(said(line, folder))


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
class Interrupt:
    """Opens images as before, and sends Ctrl-C when one of them is opened for the n-th time.

    In training an image is opened more than once only if ``image_memory`` is 0.

    Attributes:
        opener: what opens an image. path: the one that is waited for. visits: n.
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


def with_interrupt(dataset: ReIDDataset, visits: int) -> ReIDDataset:
    """The same data set, but Ctrl-C is sent when its second training image is opened for the n-th time."""
    interrupt = Interrupt(dataset.train.opener, dataset.train.paths[1], visits)
    train = replace(dataset.train, opener=interrupt)
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


def draw_run(whole: Sequence[Row], parts: Sequence[Row], stopped: float) -> Figure:
    """The two losses of an uninterrupted run as lines, those of an interrupted one as marks, and where it stopped.

    >>> rows = [{"epoch": n, "pedal": 1.1 / n, "ipfl": 0.2} for n in (1, 2, 3)]
    >>> [axes.get_ylabel() for axes in draw_run(rows, rows, 1.5).axes]
    ['PEDAL', 'IPFL']
    """
    figure, axes = plot(1, 2, height=3.1)
    for ax, name, label in zip(axes, ("pedal", "ipfl"), ("PEDAL", "IPFL"), strict=True):
        epochs = [row["epoch"] for row in whole]
        ax.plot(epochs, [row[name] for row in whole], color=COLOURS[0], linewidth=3, alpha=0.5, label="uninterrupted")
        done = [row["epoch"] for row in parts]
        ax.plot(done, [row[name] for row in parts], "x", color=WRONG, markersize=9, label="stopped and resumed")
        ax.axvline(stopped, color=WRONG, linestyle="--", linewidth=1.2)
        ax.set(xlabel="epoch", ylabel=label, xticks=epochs)
        ax.margins(y=0.15)
    axes[0].legend(loc="lower left", fontsize=9)
    return figure


def draw_lists(data: ReIDDataset, query: int, lists: Mapping[str, Ranked]) -> Figure:
    """A query, and the first ranks of the list by each network, one row per network.

    >>> import paullite as pl
    >>> data = pl.data.PaperDolls("target", identities=2, test_identities=2)
    >>> len(draw_lists(data, 0, {"source": [(0, True), (1, False)], "PAUL": [(1, False), (0, True)]}).axes)
    6
    """
    columns = 1 + len(next(iter(lists.values())))
    figure, axes = plot(len(lists), columns, width=4.4, height=1.9 * len(lists))
    for line, (name, ranked) in zip(axes, lists.items(), strict=True):
        show_image(line[0], data.query[query].image, "query")
        line[0].set_ylabel(name, fontsize=10)
        ranked_row(line[1:], data.gallery, ranked)
        for ax in line:
            ax.title.set_fontsize(11)
    return figure


def draw_real(record: Receipt) -> Figure:
    """Rank-1 of the networks of the record ``market1501``, each with its 95 % interval over the test people.

    >>> from paulbook.studies.receipts import read
    >>> len(draw_real(read("market1501")).axes[0].get_yticks())
    7
    """
    figure, axes = plot(height=3.6)
    for height, row in enumerate(reversed(real_rows(record))):
        colour = COLOURS[("ImageNet", "drawn people", "small real source").index(row.source)]
        ends = [[row.rank1.mean - row.rank1.low], [row.rank1.high - row.rank1.mean]]
        axes.errorbar(row.rank1.mean, height, xerr=ends, fmt="o", color=colour, capsize=4)
    names = [f"{row.source}: {row.method}" for row in reversed(real_rows(record))]
    axes.set_yticks(range(len(names)), names, fontsize=10)
    axes.set(xlabel="rank-1 on the official test of Market-1501, %", xlim=(0, 25))
    return figure


class RealRow(NamedTuple):
    """One network of the record: where it comes from, what was done with it, and two scores in percent."""

    source: str
    method: str
    rank1: Interval
    mean_ap: Interval
    trapezoid: float


METHODS = {"direct": "direct transfer", "batch_norm": "statistics re-estimated", "paul": "PAUL"}
SOURCES = {"features": "ImageNet", "dolls": "drawn people", "real": "small real source"}


def real_rows(record: Receipt) -> list[RealRow]:
    """The networks of the record ``market1501`` in its order, with 95 % intervals over the test people.

    >>> from paulbook.studies.receipts import read
    >>> row = real_rows(read("market1501"))[0]
    >>> row.source, row.method, round(row.rank1.mean, 1)
    ('ImageNet', 'direct transfer', 9.7)
    """
    rows = []
    for arm in record.arms:
        source, _, method = arm.partition("/")
        (trial,) = record.of(arm)
        over_people = bootstrap([trial])
        rank1, mean_ap = (_percent(over_people[score]) for score in ("rank1", "map_step"))
        trapezoid = 100 * trial.scores["map_trapezoid"]
        rows.append(RealRow(SOURCES[source], METHODS[method or "direct"], rank1, mean_ap, trapezoid))
    return rows


def real_table(record: Receipt) -> dict[str, list[str]]:
    """The columns of `real_rows`, for the folded table below the figure.

    >>> from paulbook.studies.receipts import read
    >>> real_table(read("market1501"))["rank-1, %"][0]
    '9.7 [8.5, 10.9]'
    """
    rows = real_rows(record)
    return {
        "source and method": [f"{row.source}: {row.method}" for row in rows],
        "rank-1, %": [_shown(row.rank1) for row in rows],
        "mAP (step), %": [_shown(row.mean_ap) for row in rows],
        "mAP (trapezoid), %": [f"{row.trapezoid:.1f}" for row in rows],
    }


def _percent(share: Interval) -> Interval:
    return Interval(100 * share.mean, 100 * share.low, 100 * share.high)


def _shown(interval: Interval) -> str:
    return f"{interval.mean:.1f} [{interval.low:.1f}, {interval.high:.1f}]"
