"""What both phases need around their loop: the run, its log, the device, the features of a split."""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from tqdm.auto import tqdm

from .config import AdaptConfig, PretrainConfig, RunConfig
from .data.items import Split
from .data.loading import EpochLoader, plain_batches
from .errors import InputError, at_least_one
from .memory import FeatureMemory
from .models import PatchNet

Row = dict[str, float]


@dataclass
class Run:
    """What a phase leaves behind.

    Attributes:
        net: the network after the last epoch; the one that is judged.
        history: one row per epoch, as in ``history.csv``.
        config: the settings.
        folder: where files were written; ``None`` if nowhere.
        memories: phase 2: the patch memory ("patches") and the image centers ("centers").
    """

    net: PatchNet
    history: list[Row]
    config: PretrainConfig | AdaptConfig
    folder: Path | None = None
    memories: dict[str, FeatureMemory] = field(default_factory=dict)


def start_accelerator(config: RunConfig) -> Accelerator:
    """Choose the device and the precision.

    Raises:
        InputError: the device that was asked for is not there.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(config.device, True):
        there = [name for name, here in available.items() if here] + ["cpu"]
        raise InputError(
            f"found no {config.device} device",
            f"expected one of: {', '.join(there)}",
            "use --device auto or --device cpu",
        )
    if config.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # CUDA's matrix products ask for it
    torch.use_deterministic_algorithms(config.deterministic)
    AcceleratorState._reset_state(reset_partial_state=True)  # it remembers the first run's choice otherwise
    return Accelerator(cpu=config.device == "cpu", mixed_precision=config.precision)


class History:
    """Rows kept in memory and, with a folder, appended to ``history.csv`` as they come."""

    def __init__(self, folder: Path | None) -> None:
        self.rows: list[Row] = []
        self.path = folder / "history.csv" if folder else None
        self.began = time.perf_counter()

    def add(self, row: Mapping[str, float]) -> None:
        """Keep a row; ``seconds`` since the start are added. A column that appears later rewrites the file."""
        self.rows.append({**row, "seconds": round(time.perf_counter() - self.began, 2)})
        if self.path:
            write_csv(self.path, self.rows)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows as CSV with the union of their columns; the file is replaced whole."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def read_history(path: str | Path) -> list[Row]:
    """Rows of a ``history.csv``, given as the file or its folder; empty cells are left out.

    Raises:
        InputError: there is no such file.
    """
    path = Path(path) / "history.csv" if Path(path).is_dir() else Path(path)
    if not path.is_file():
        raise InputError(f"found no file {path}", "expected the history.csv of a run", "give the --output of a run")
    with open(path, newline="", encoding="utf-8") as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]


class replacing:  # reads as a verb: with replacing(path) as temporary
    """Write to a temporary file beside ``path``; it takes the place of ``path`` only if all went well.

    Raises:
        InputError: the disk is full or the folder cannot be written. What stood at ``path`` stays.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.temporary = path, path.with_name(path.name + ".part")

    def __enter__(self) -> Path:
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.temporary.replace(self.path)
            return
        self.temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(
                f"cannot write {self.path} ({error})",
                "expected a folder with room that may be written",
                "free some room or choose another --output",
            ) from None


def output_folder(config: RunConfig) -> Path | None:
    """The output folder, made and tried before anything long is begun; ``None`` if nothing is to be written."""
    return writable_folder(config.output) if config.output is not None else None


def writable_folder(path: str | Path) -> Path:
    """Make a folder and see that it can be written."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".write-test").touch()
        (folder / ".write-test").unlink()
    except OSError as error:
        raise InputError(
            f"cannot write to {folder} ({error.strerror})",
            "expected a folder that may be written",
            "choose another --output",
        ) from None
    return folder


def batches(loader: EpochLoader, epoch: int, config: RunConfig) -> Iterable[Any]:
    """The batches of an epoch, behind a bar that shows the time left for the whole run."""
    steps, words = len(loader.batches), f"epoch {epoch + 1} of {config.epochs}"
    return tqdm(
        loader.epoch(epoch),
        words,
        config.epochs * steps,
        initial=epoch * steps,
        leave=False,
        disable=not config.progress,
        file=sys.stderr,
        dynamic_ncols=True,
        unit="step",
    )


def is_due(config: RunConfig, epoch: int) -> bool:
    """Whether the judge looks after this epoch: every n-th, and the last."""
    every = config.evaluate_every
    return every > 0 and ((epoch + 1) % every == 0 or epoch + 1 == config.epochs)


def check_batch(config: PretrainConfig | AdaptConfig, images: int) -> None:
    """Raises an `InputError` if a batch is empty or larger than the data, or there are fewer than no epochs."""
    at_least_one(batch=config.batch)
    if config.epochs < 0:
        raise InputError(f"found epochs = {config.epochs}", "expected 0 (the network as it is) or more")
    if config.batch > images:
        raise InputError(
            f"found a batch of {config.batch} with {images} training images",
            f"expected a batch of {images} or fewer",
            f"use --batch {max(images // 2, 1)}",
        )


def check_loss(loss: Tensor, split: Split, places: Sequence[int]) -> None:
    """Raises an `InputError` that names the images if the loss is not a number."""
    if not bool(torch.isfinite(loss)):
        names = ", ".join(split.paths[i] for i in places[:3])
        raise InputError(
            f"the loss is {float(loss)} in a batch with {names} and {max(len(places) - 3, 0)} more",
            "expected a finite number",
            "look at these images, or use a smaller learning rate",
        )


class Means:
    """Running means of named numbers over an epoch, weighted by the number of images."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.count = 0

    def add(self, count: int, **values: Tensor | float) -> None:
        """Add the values of a batch."""
        self.count += count
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value) * count

    def result(self) -> Row:
        """The means so far."""
        return {name: round(total / max(self.count, 1), 6) for name, total in self.sums.items()}


@torch.no_grad()
def extract(net: PatchNet, split: Split, *, batch: int = 128, workers: int = 0, train_mode: bool = False) -> Tensor:
    """Patch features of every image of a split, in order, without augmentation.

    Args:
        net: where its parameters are is where it runs.
        split: images.
        batch: images at a time.
        workers: processes that read images.
        train_mode: let batch-norm use, and move by, the statistics of each batch.

    Returns:
        (len(split), P, D) float32 on the network's device. The network is left in the mode it was in.
    """
    device, was = next(net.parameters()).device, net.training
    net.train(train_mode)
    loader = plain_batches(split, net.transform, batch=batch, workers=workers)
    features = [net(images.to(device)).features.float() for images in loader]
    net.train(was)
    if not features:
        raise InputError("found an empty split", "expected one image or more")
    return torch.cat(features)


def set_rates(optimiser: torch.optim.Optimizer, **rates: float) -> None:
    """Set the learning rate of each named parameter group."""
    for group in optimiser.param_groups:
        group["lr"] = rates[group["name"]]


def sgd(config: RunConfig, **groups: Iterable[nn.Parameter]) -> torch.optim.SGD:
    """SGD over named parameter groups; `set_rates` gives each its learning rate."""
    named = [{"name": name, "params": list(params)} for name, params in groups.items()]
    return torch.optim.SGD(named, lr=0.0, momentum=config.momentum, weight_decay=config.weight_decay)


def finish(
    accelerator: Accelerator,
    net: PatchNet,
    history: History,
    config: Any,
    folder: Path | None,
    **memories: FeatureMemory,
) -> Run:
    """The run as it is handed back; with a folder, also as ``run.safetensors`` and ``curves.png``."""
    from .checkpoints import save
    from .pictures import draw_curves

    accelerator.unwrap_model(net, keep_fp32_wrapper=False)
    run = Run(net.eval().requires_grad_(True), history.rows, config, folder, memories)
    if folder:
        save(run, folder / "run.safetensors")
        draw_curves(run.history, folder / "curves.png")
    return run
