"""Reading and transforming the images of a batch, originals and surrogates, against the step that waits for them."""

import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor
from torch.utils.data import default_collate

from paullite import PRESETS
from paullite.config import AdaptConfig
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.data.loading import ViewPairs
from paullite.data.transforms import original_transform, surrogate_transform
from paullite.models import PatchNet
from tests.benchmarks.step import DOLLS_N, drawn_step
from tests.benchmarks.timing import Row, medians, table

GOAL = 1.0  # times the step: what takes longer to read than to learn from is the bottleneck
BATCH = 42


def view_pairs(net: PatchNet, split: Split, config: AdaptConfig) -> ViewPairs:
    """Every image with its surrogate, as `paullite.adapt` reads them."""
    given = net.size, net.normalisation
    surrogate = surrogate_transform(*given, jitter=config.jitter, rotation=config.rotation, crop=config.crop)
    return ViewPairs(split, original_transform(*given), surrogate, config.seed)


def reading(net: PatchNet, split: Split, config: AdaptConfig, batch: int = BATCH) -> Callable[[], list[Tensor]]:
    """What one worker does for a batch."""
    pairs = view_pairs(net, split, config)
    return lambda: default_collate([pairs[0, place] for place in range(batch)])


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


def run() -> str:
    """Drawn people, the CPU preset, no workers."""
    split, step = PaperDolls("target").unlabelled(), drawn_step("paperdolls", batch=BATCH, n=DOLLS_N)
    seconds = medians({"step": step.whole, "read": reading(step.net, split, PRESETS["paperdolls"].adapt)}, 15)
    title = f"Data, preset paperdolls, {BATCH} + {BATCH} images of 128 x 64, 0 workers"
    read = reading_row("reading and transforming a batch", seconds["read"], seconds["step"], GOAL)
    return table(title, [Row("training step", seconds["step"], 1.0, note="base"), read])


def reading_of_files(net: PatchNet, config: AdaptConfig, split: Split, batch: int = BATCH, repeats: int = 3) -> float:
    """Seconds of one worker, one thread, for a batch of JPEG files at the size of a network."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a worker
    with TemporaryDirectory() as folder:
        work = reading(net, as_files(split, Path(folder), batch), config, batch)
        seconds = medians({"read": work}, repeats)["read"]
    torch.set_num_threads(threads)
    return seconds
