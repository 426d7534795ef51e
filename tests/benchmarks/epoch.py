"""A whole epoch of `paullite.adapt`, views and all, against as many steps of its bare backbone on the same views."""

import copy
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import torch

from paullite import PRESETS, adapt
from paullite.config import AdaptConfig
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.models import PatchNet
from tests.benchmarks.loading import view_pairs
from tests.benchmarks.step import advanced, net_of, sgd
from tests.benchmarks.timing import Row, table, wait

GOAL = 1.25  # times the bare backbone's steps
EPOCHS = 2  # that are timed, after one to warm up


class Clock:
    """Times epochs of a run, as its ``after_epoch``, and between them the bare backbone on the epoch's views.

    Args:
        start: the network before the run; its backbone is copied.
        config: settings of the run.
        split: its images.
        device: of the run.
        bare: whether to time the bare backbone, too.
    """

    def __init__(self, start: PatchNet, config: AdaptConfig, split: Split, device: str = "cpu", *, bare: bool = True):
        self.pairs = view_pairs(start, split, config, device) if bare else None
        self.backbone = copy.deepcopy(start.backbone).to(device).train().requires_grad_()
        self.optimiser = sgd(config, list(self.backbone.parameters()))
        self.whole: list[float] = []
        self.bare: list[float] = []
        self.began = time.perf_counter()

    def __call__(self, epochs: int, net: PatchNet) -> None:
        """Called after each epoch; the next one begins when this is over."""
        wait()
        self.whole.append(time.perf_counter() - self.began)
        if self.pairs:
            self.bare.append(self.bare_epoch(epochs - 1))
        wait()
        self.began = time.perf_counter()

    def bare_epoch(self, epoch: int) -> float:
        """Seconds of the bare steps; making the views does not count."""
        seconds = 0.0
        assert self.pairs is not None
        for _, originals, surrogates in self.pairs.epoch(epoch):
            images = torch.cat([originals, surrogates])
            wait()
            began = time.perf_counter()
            advanced(self.optimiser, self.backbone(images).mean((2, 3)).float().mean())
            wait()
            seconds += time.perf_counter() - began
        return seconds


def timed(start: PatchNet, config: AdaptConfig, split: Split, device: str = "cpu", *, bare: bool = True) -> Clock:
    """A run of one epoch to warm up and `EPOCHS` that count."""
    clock = Clock(start, config, split, device, bare=bare)
    quiet = {"evaluate_every": 0, "progress": False, "dry_step": False, "workers": 0}
    adapt(replace(config, epochs=1 + EPOCHS, device=device, **quiet), split, start=start, after_epoch=clock)
    return clock


def rows(start: PatchNet, config: AdaptConfig, split: Split, threads: int) -> list[Row]:
    """An epoch with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    clock = timed(start, config, split)
    torch.set_num_threads(before)
    bare, whole = median(clock.bare[1:]), median(clock.whole[1:])
    name = f"{threads} {'thread' if threads == 1 else 'threads'}"
    return [
        Row(f"bare backbone's steps, {name}", bare, 1.0, note="base"),
        Row(f"epoch of adapt, views made, {name}", whole, whole / bare, GOAL),
    ]


def run(split: Split | None = None, threads: Sequence[int] = (2, 1)) -> str:
    """Drawn people, the CPU preset, no workers."""
    torch.manual_seed(0)
    split, preset = split or PaperDolls("target").unlabelled(), PRESETS["paperdolls"]
    start, batch = net_of(preset.pretrain), min(preset.adapt.batch, len(split))
    config = replace(preset.adapt, batch=batch, k=min(preset.adapt.k, len(split) - 2))
    lines = [row for count in threads for row in rows(start, config, split, count)]
    return table(f"Epoch, preset paperdolls, {len(split):,} images, batch {batch} + {batch}, 0 workers", lines)
