"""What only a GPU can tell: ResNet-50 at 384 x 128 in bf16, at the batches that people train with.

Every function takes a device, so that all of it also runs on a CPU in small sizes.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from paullite import PRESETS
from paullite.data import PaperDolls, from_items
from paullite.data.items import Split
from paullite.models import patchnet
from tests.benchmarks import epoch, loading
from tests.benchmarks.pooling import peak_mebibytes, resampled
from tests.benchmarks.step import MARKET_N, Step, drawn_step, net_of
from tests.benchmarks.timing import Row, Work, medians, table

PAIRS_GOAL = 5_000  # a second, of 384 x 128
SMALL = "test_resnet"  # a backbone that hardly counts
GOAL = 0.87  # of the images a second of the bare backbone's training step
BATCHES = (42, 84, 168)
IN_A_ROW = 10  # steps between two looks at the clock, since a GPU runs behind the program
PRESET = "market1501"


def speed(step: Step, in_a_row: int = IN_A_ROW, repeats: int = 5) -> tuple[float, float]:
    """Seconds of a bare and of a whole step."""
    seconds = medians({"bare": several(step.bare, in_a_row), "whole": several(step.whole, in_a_row)}, repeats)
    return seconds["bare"] / in_a_row, seconds["whole"] / in_a_row


def several(work: Work, times: int) -> Work:
    """Some work, again and again."""
    return lambda: [work() for _ in range(times)]


def speed_rows(step: Step, in_a_row: int = IN_A_ROW, repeats: int = 5) -> list[Row]:
    """Images a second, originals and surrogates both counted, and what the whole step reaches of the bare one's."""
    images, (bare, whole) = len(step.images), speed(step, in_a_row, repeats)
    name = f"{images // 2} + {images // 2} images"
    return [
        Row(f"bare backbone, {name}", bare, 1.0, note=f"base, {images / bare:,.0f} images/s"),
        Row(f"whole step, {name}", whole, bare / whole, GOAL, at_least=True, note=f"{images / whole:,.0f} images/s"),
    ]


@contextmanager
def resampling() -> Iterator[None]:
    """Inside, PatchNet pools its patches from resampled copies of the map, not by attention."""

    def pooled(theta: Tensor, feature_map: Tensor) -> Tensor:
        return resampled(feature_map, theta).to(feature_map.dtype)

    with (
        patch.object(patchnet, "patch_attention", lambda theta, height, width: theta),
        patch.object(patchnet, "pool_patches", pooled),
    ):
        yield


def memory_lines(step: Step) -> list[Row]:
    """The most memory that a training step holds beyond weights, gradients, momenta and data."""
    step.whole()  # the optimiser makes its momentum in the first step
    device = step.images.device.type
    ours = peak_mebibytes(step.whole, device)
    with resampling():
        theirs = peak_mebibytes(step.whole, device)
    return [
        Row("memory of a step, attention", ratio=1.0, note=f"base, holds {ours:,.0f} MiB"),
        Row("memory of a step, resampled maps", ratio=theirs / ours, note=f"holds {theirs:,.0f} MiB"),
    ]


def noise(count: int, size: tuple[int, int]) -> Split:
    """Pictures of a size that need no disk: 8 of noise, again and again."""
    pictures = np.random.default_rng(0).integers(0, 256, (8, *size, 3), dtype=np.uint8)
    return from_items([(pictures[place % 8], place) for place in range(count)]).train.unlabelled()


def path_rows(preset: str, backbones: Sequence[str], batch: int, count: int, device: str) -> list[Row]:
    """Pairs a second of the whole data path: the views alone, and epochs of `paullite.adapt`, images on the device.

    With a small backbone what is left is all that stands around it.
    """
    size = PRESETS[preset].pretrain.size
    split, lines = noise(count, size), []
    config = replace(PRESETS[preset].adapt, batch=batch, k=min(10, count - 2), image_memory=8192)
    for backbone in backbones:
        torch.manual_seed(0)
        start = net_of(replace(PRESETS[preset].pretrain, backbone=backbone))
        if not lines:
            pairs = loading.view_pairs(start, split, config, device)
            seconds = medians({"views": lambda pairs=pairs: deque(pairs.epoch(0), maxlen=0)}, 3)["views"]
            lines.append(pairs_row("views alone", seconds, count, goal=True))
        clock = epoch.timed(start, config, split, device, bare=False)
        lines.append(pairs_row(f"adapt, {backbone}", median(clock.whole[1:]), count, goal=backbone == SMALL))
    return lines


def pairs_row(name: str, seconds: float, count: int, *, goal: bool) -> Row:
    """An image with its surrogate is a pair; the ratio is to the goal."""
    speed = count / seconds
    asked = {"ratio": speed / PAIRS_GOAL, "goal": 1.0, "at_least": True} if goal else {}
    return Row(f"{name}, {count:,} pairs", seconds, **asked, note=f"{speed:,.0f} pairs/s, goal {PAIRS_GOAL:,}")


def batch_rows(preset: str, batch: int, n: int, device: str, in_a_row: int, files: Split | None) -> list[Row]:
    """Speed at one batch; with pictures to keep as files also reading, and memory."""
    try:
        step = drawn_step(preset, batch=batch, n=n, device=device, precision="bf16")
        found = speed_rows(step, in_a_row)
        if files is not None:
            reading = loading.reading_of_files(step.net, files, batch)
            found.append(loading.reading_row("reading these as JPEG files, 1 worker", reading, found[1].seconds or 0.0))
            found += memory_lines(step)
        return found
    except torch.OutOfMemoryError:
        return [Row(f"{batch} + {batch} images", note="does not fit")]


def run(
    device: str = "cuda",
    preset: str = PRESET,
    batches: Sequence[int] = BATCHES,
    n: int = MARKET_N,
    in_a_row: int = IN_A_ROW,
    pictures: Split | None = None,
    pairs: int = 4_200,
) -> str:
    """The table. Reading, memory and the data path at the first batch."""
    lines = []
    for batch in batches:
        files = None if batch != batches[0] else pictures or PaperDolls("target").train
        lines += batch_rows(preset, batch, n, device, in_a_row, files)
        torch.cuda.empty_cache()
    own = PRESETS[preset].pretrain.backbone
    lines += path_rows(preset, list(dict.fromkeys((SMALL, own))), batches[0], pairs, device)
    config, name = PRESETS[preset].pretrain, torch.cuda.get_device_name() if device == "cuda" else device
    title = f"{name}, {config.backbone}, {config.size[0]} x {config.size[1]}, bf16; ratio of steps: images/s"
    return table(title, lines)
