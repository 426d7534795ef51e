"""Making the views of a batch, on the device, and reading its images, against the step that waits for them."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from paullite import PRESETS
from paullite.config import AdaptConfig
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.data.loading import SurrogatePairs
from paullite.data.reading import PixelReader
from paullite.models import PatchNet
from tests.benchmarks.step import DOLLS_N, drawn_step
from tests.benchmarks.timing import Row, medians, table

GOAL = 1.0  # times the step: what takes longer to read than to learn from is the bottleneck
VIEWS_GOAL = 0.25  # of the bare backbone's step: what is left of an epoch's goal
BATCH = 42


def view_pairs(net: PatchNet, split: Split, config: AdaptConfig, device: str = "cpu", **changes: int) -> SurrogatePairs:
    """Every image with its surrogate, as `paullite.adapt` makes them, without workers."""
    settings = replace(config, workers=0, **changes)
    return SurrogatePairs(split, net.size, net.normalisation, settings, torch.device(device))


def first_batch(pairs: SurrogatePairs) -> Callable[[], object]:
    """Makes the views of an epoch's first batch."""
    return lambda: next(pairs.epoch(0))


def as_files(split: Split, folder: Path, count: int) -> Split:
    """The first pictures as JPEG files, as a real data set keeps them."""
    paths = [folder / f"{place}.jpg" for place in range(count)]
    for place, path in enumerate(paths):
        split[place].image.save(path, quality=95)
    return Split.from_rows([(str(path), 0, 0) for path in paths])


def workers_needed(reading_seconds: float, step_seconds: float) -> int:
    """Processes that must read so that the step never waits."""
    return math.ceil(reading_seconds / step_seconds)


def reading_row(name: str, reading_seconds: float, step_seconds: float, goal: float | None = None) -> Row:
    """The reading, against the step."""
    workers = workers_needed(reading_seconds, step_seconds)
    note = f"{workers} {'worker keeps' if workers == 1 else 'workers keep'} up"
    return Row(name, reading_seconds, reading_seconds / step_seconds, goal, note=note)


def run(split: Split | None = None, batch: int = BATCH, repeats: int = 15) -> str:
    """Drawn people, the CPU preset, no workers."""
    split, config = split or PaperDolls("target").unlabelled(), replace(PRESETS["paperdolls"].adapt, batch=batch)
    step = drawn_step("paperdolls", batch=batch, n=DOLLS_N)
    kept, read = (view_pairs(step.net, split, config, image_memory=memory) for memory in (config.image_memory, 0))
    works = {"bare": step.bare, "step": step.whole, "views": first_batch(kept), "read": first_batch(read)}
    seconds = medians(works, repeats)
    bare, views = seconds["bare"], seconds["views"]
    lines = [
        Row("bare backbone", bare, 1.0, note="base"),
        Row("views of a batch, images kept", views, views / bare, VIEWS_GOAL),
        Row("training step", seconds["step"], 1.0, note="base"),
        reading_row("views of a batch, images read anew", seconds["read"], seconds["step"], GOAL),
    ]
    return table(f"Data, preset paperdolls, {batch} + {batch} images of 128 x 64, 0 workers", lines)


def reading_of_files(net: PatchNet, split: Split, batch: int = BATCH, repeats: int = 3) -> float:
    """Seconds of one worker, one thread, for a batch of JPEG files at the size of a network."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a worker
    with TemporaryDirectory() as folder:
        reader = PixelReader(as_files(split, Path(folder), batch), net.size, torch.device("cpu"))
        seconds = medians({"read": lambda: list(reader.batches([list(range(batch))]))}, repeats)["read"]
    torch.set_num_threads(threads)
    return seconds
