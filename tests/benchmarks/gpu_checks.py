"""What a GPU must get right, in one go: dry step, determinism, an overflow in fp16, two GPUs; a profile of ten steps.

Every function takes a device, so that all of it also runs on a CPU in small sizes.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from paullite import PRESETS, adapt
from paullite.adaptation import learning
from paullite.config import AdaptConfig
from paullite.data.items import Split
from paullite.losses import PaulLoss, paul
from paullite.models import PatchNet
from paullite.runs.cost import try_step
from paullite.runs.machine import accelerated
from paullite.step import Step
from tests.benchmarks.gpu import PRESET, noise
from tests.benchmarks.pooling import peak_mebibytes
from tests.benchmarks.step import drawn_step, net_of
from tests.benchmarks.timing import Row, table, wait
from tests.benchmarks.traffic import BYTES_GOAL, GOAL, bytes_of_batch, in_a_step
from tests.runs import first_steps, together

QUIET: dict[str, Any] = {"evaluate_every": 0, "progress": False, "dry_step": False, "workers": 0}
STEPS = 10  # of the profile
OVERFLOW = 1e30  # times the loss: too much for a gradient in 16 bits, not for the loss itself
HOST = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")  # where a program waits for a GPU
DRIFT = 1e-2  # share of the largest gradient by which two GPUs may differ from one


def settings(preset: str, batch: int, device: str, **changes: Any) -> AdaptConfig:
    """Of a preset, quiet."""
    return replace(PRESETS[preset].adapt, batch=batch, device=device, **{**QUIET, "k": 5, **changes})


def started(preset: str, **changes: Any) -> PatchNet:
    """The untrained network of a preset; the same every time."""
    torch.manual_seed(0)
    return net_of(replace(PRESETS[preset].pretrain, **changes))


def dry_step_row(preset: str, batch: int, device: str) -> Row:
    """What the dry step says of a batch, and on a GPU the memory that a real step then holds."""
    config, net = settings(preset, batch, device), started(preset)
    with accelerated(config) as (accelerator, team):
        net = net.to(team.device)
        learning(net)
        model = accelerator.prepare_model(net, evaluation_mode=True)
        cost = try_step(model, net, net.size, batch, team)
        precision = accelerator.mixed_precision
    said = (cost.fixed + batch * cost.pair) / 2**20
    note = f"{precision}: {said:,.0f} MiB, {cost.fits():,} fit"
    if device == "cpu":
        return Row(f"dry step, {batch} + {batch} images", batch * cost.seconds, note=f"{note}, an estimate")
    step = drawn_step(preset, batch=batch, n=1_000, device=device, precision="bf16" if precision == "bf16" else "no")
    held = peak_mebibytes(lambda: [step.whole(), step.whole()], device)
    return Row(f"dry step, {batch} + {batch} images", batch * cost.seconds, note=f"{note}; a real one {held:,.0f} MiB")


def deterministic_row(preset: str, generator: str, batch: int, split: Split, device: str) -> Row:
    """Two deterministic runs from one start: weights that moved, and whether the two are the same.

    Raises:
        RuntimeError: torch refuses an operation.
    """
    config = settings(preset, batch, device, epochs=2, deterministic=True)
    start = started(preset, generator=generator)
    ends = [adapt(config, split, start=start).net.state_dict() for _ in range(2)]
    name = "reduction.weight"
    moved = not torch.equal(ends[0][name].cpu(), start.state_dict()[name])
    equal = all(torch.equal(value, ends[1][key]) for key, value in ends[0].items())
    note = f"{'trained' if moved else 'NOT trained'}; {'same weights' if equal else 'NOT the same'}"
    return Row(f"deterministic, twice, {generator} generator", note=note)


def overflow_row(preset: str, batch: int, split: Split, device: str) -> Row:
    """A run in fp16 whose third step overflows: the scaler must leave that step out, and the run must go on."""
    name = "fp16, one step that overflows"
    if device == "cpu":
        return Row(name, note="needs a CUDA GPU")
    start, steps = started(preset), count(1)

    def once_too_large(step: Step) -> torch.Tensor:
        return paul(step).total * (OVERFLOW if next(steps) == 3 else 1.0)

    config = settings(preset, batch, device, epochs=2, precision="fp16")
    net = adapt(config, split, start=start, loss=once_too_large).net.cpu()
    finite = all(bool(value.isfinite().all()) for value in net.state_dict().values())
    moved = not torch.equal(net.reduction.weight, start.reduction.weight)
    verdict = "left out, trained on" if finite and moved else "NOT left out" if not finite else "NOT trained"
    return Row(name, note=f"{verdict}; {next(steps) - 1} steps")


def two_gpus_row(device: str, ranks: int = 2) -> Row:
    """The same steps by two processes with a GPU each, and by one that normalises in two groups."""
    name = f"{ranks} processes against one"
    if device == "cuda" and torch.cuda.device_count() < ranks:
        return Row(name, note=f"needs {ranks} GPUs")
    changes = {"batch": 7, "lr": 0.01, "device": device, "precision": "no"}
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for processes, more in ((ranks, {}), (1, {"bn_splits": ranks})):
            place = Path(folder) / str(processes)
            place.mkdir()
            codes = together(first_steps, processes, str(place), 4, {**changes, **more})
            if any(codes):
                return Row(name, note=f"FAILED, exit codes {codes}")
            kept = torch.load(place / "0.pt", map_location="cpu")
            found.append(torch.stack([kept[f"{i}.gradient"] for i in range(4)]))
    gap = float((found[0] - found[1]).abs().max() / found[1].abs().max())
    return Row(
        name, note=f"{'the same' if gap < DRIFT else 'NOT the same'}: gradients apart by {gap:.0e} of the largest"
    )


def traffic_rows(preset: str, batch: int, split: Split, device: str) -> list[Row]:
    """Waits and bytes of a step where there is something to wait for."""
    start, lines = started(preset), []
    for name, memory in {"kept": 8192, "read anew": 0}.items():
        config = settings(preset, batch, device, image_memory=memory)
        waits, sent = in_a_step(start, config, split)
        lines.append(Row(f"waits in a step, images {name}", ratio=float(waits), goal=GOAL, note="counted"))
        _, old = bytes_of_batch(start, config, split)
        note = f"{sent / 1e6:.3f} MB; two views in float32 {old / 1e6:.1f} MB"
        lines.append(Row(f"bytes to the device, images {name}", ratio=sent / old, goal=BYTES_GOAL, note=note))
    return lines


def profiled(preset: str, batch: int, split: Split, device: str, steps: int = STEPS) -> tuple[list[Row], str]:
    """Rows on some steps in a row of a real run, from one loss to another, and torch's table of what took longest."""
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device == "cuda")
    record, seen, seconds = profile(activities=activities), [], []
    with ExitStack() as stack:

        def between(step: Step) -> PaulLoss:
            seen.append(time.perf_counter())
            if len(seen) == 2:  # the first step sets things up
                wait()
                stack.enter_context(record)
                seconds.append(time.perf_counter())
            if len(seen) == 2 + steps:
                wait()
                seconds.append(time.perf_counter())
                stack.close()
            return paul(step)

        epochs = -(-(2 + steps) // max(-(-len(split) // batch), 1))
        adapt(settings(preset, batch, device, epochs=epochs), split, start=started(preset), loss=between)
    averages = record.key_averages()
    total = seconds[1] - seconds[0]
    busy = sum(event.self_device_time_total for event in averages) / 1e6
    waits = sum(event.count for event in averages if event.key in HOST)
    copies = sum(event.count for event in averages if "DtoH" in event.key)
    note = f"GPU busy {busy / total:.0%}; waits {waits}, copies to the host {copies}" if device == "cuda" else "no GPU"
    order = "self_cuda_time_total" if device == "cuda" else "self_cpu_time_total"
    return [Row(f"{steps} steps in a profile, each", total / steps, note=note)], averages.table(
        sort_by=order, row_limit=15
    )


def run(device: str = "cuda", preset: str = PRESET, batch: int = 42, images: int = 210, ranks: int = 2) -> str:
    """The table, and the profile below it. A check that cannot run says why, and the others go on."""
    split = noise(images, PRESETS[preset].pretrain.size)
    checks: dict[str, Callable[[], Row]] = {
        "dry step": lambda: dry_step_row(preset, batch, device),
        "deterministic, light": lambda: deterministic_row(preset, "light", batch, split, device),
        "deterministic, reference": lambda: deterministic_row(preset, "reference", batch, split, device),
        "fp16": lambda: overflow_row(preset, batch, split, device),
        "two processes": lambda: two_gpus_row(device, ranks),
    }
    lines = []
    for name, check in checks.items():
        try:
            lines.append(check())
        except (RuntimeError, ValueError) as error:
            lines.append(Row(name, note=f"FAILED: {' '.join(str(error).split())[:200]}"))
    lines += traffic_rows(preset, batch, split, device)
    rows, text = profiled(preset, batch, split, device)
    return table(f"Checks on {device}, preset {preset}, {batch} + {batch} images", lines + rows) + f"\n{text}"
