"""What only a GPU can tell: ResNet-50 at 384 x 128 in bf16, at the batches that people train with.

Every function takes a device, so that all of it also runs on a CPU in small sizes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch import Tensor

from paullite import PRESETS
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.models import patchnet
from tests.benchmarks import loading
from tests.benchmarks.pooling import peak_mebibytes, resampled
from tests.benchmarks.step import MARKET_N, Step, drawn_step
from tests.benchmarks.timing import Row, Work, medians, table

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


@contextmanager
def deterministic() -> Iterator[None]:
    """Inside, torch refuses whatever could come out differently the next time."""
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def trained(step: Step, steps: int) -> tuple[Tensor, Tensor]:
    """The last loss and all learned weights in one row, after some deterministic steps."""
    with deterministic():
        losses = [step.whole() for _ in range(steps)]
    learned = [parameter.detach().flatten() for parameter in step.net.parameters() if parameter.requires_grad]
    return losses[-1], torch.cat(learned)


def deterministic_line(preset: str, batch: int, n: int, device: str, steps: int = 3) -> Row:
    """Two trainings from one start: finite losses, weights that moved, and whether the two are the same.

    Raises:
        RuntimeError: torch refuses an operation.
    """
    ends = [drawn_step(preset, batch=batch, n=n, device=device, precision="bf16") for _ in range(2)]
    start = torch.cat([parameter.detach().flatten() for parameter in ends[0].net.backbone.parameters()])
    (loss, weights), (again, same) = (trained(step, steps) for step in ends)
    assert torch.isfinite(loss) and not torch.equal(weights[: len(start)], start)
    equal = torch.equal(weights, same) and torch.equal(loss, again)
    return Row(f"{steps} deterministic steps, twice", note="trained; " + ("same weights" if equal else "NOT the same"))


def batch_rows(preset: str, batch: int, n: int, device: str, in_a_row: int, files: Split | None) -> list[Row]:
    """Speed at one batch; with pictures to keep as files also reading, and memory."""
    try:
        step = drawn_step(preset, batch=batch, n=n, device=device, precision="bf16")
        found = speed_rows(step, in_a_row)
        if files is not None:
            reading = loading.reading_of_files(step.net, step.config, files, batch)
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
) -> str:
    """The table. Reading, memory and determinism at the first batch."""
    lines = []
    for batch in batches:
        files = None if batch != batches[0] else pictures or PaperDolls("target").train
        lines += batch_rows(preset, batch, n, device, in_a_row, files)
        torch.cuda.empty_cache()
    lines.append(deterministic_line(preset, batches[0], n, device))
    config, name = PRESETS[preset].pretrain, torch.cuda.get_device_name() if device == "cuda" else device
    title = f"{name}, {config.backbone}, {config.size[0]} x {config.size[1]}, bf16; ratio of steps: images/s"
    return table(title, lines)
