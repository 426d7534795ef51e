"""What a phase leaves behind, and the numbers that it writes down on the way."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from .config import AdaptConfig, PretrainConfig
from .errors import InputError
from .files import Row, write_csv
from .memory import FeatureMemory
from .models import PatchNet


@dataclass
class Run:
    """What a phase leaves behind."""

    net: PatchNet  #: after the last epoch; the one that is evaluated
    history: list[Row]  #: one row per epoch, as in ``history.csv``
    config: PretrainConfig | AdaptConfig
    folder: Path | None = None  #: where files were written
    memories: dict[str, FeatureMemory] = field(default_factory=dict)  #: of phase 2: ``patches`` and image ``centers``

    def __repr__(self) -> str:
        last = {name: round(value, 4) for name, value in (self.history or [{}])[-1].items() if name != "seconds"}
        return f"<run of {type(self.config).__name__}, {len(self.history)} epochs, last {last}, folder {self.folder}>"


class History:
    """Rows kept in memory and, with a folder, written to ``history.csv`` as they come."""

    def __init__(self, folder: Path | None) -> None:
        self.rows: list[Row] = []
        self.path = folder / "history.csv" if folder else None
        self.began = time.perf_counter()

    def add(self, row: Mapping[str, float]) -> None:
        """Keep a row; ``seconds`` of training so far are added. The whole file is written again."""
        self.rows.append({**row, "seconds": round(self.seconds(), 2)})
        if self.path:
            try:
                write_csv(self.path, self.rows)
            except InputError as error:  # a table that is open in Excel on Windows must not end a training
                logging.getLogger("paullite").warning("%s; the training goes on", error)

    def seconds(self) -> float:
        """Seconds of training so far, those before a stop included."""
        return time.perf_counter() - self.began

    def restore(self, rows: list[Row], seconds: float) -> None:
        """The rows, and the seconds, of a run that goes on."""
        self.rows = list(rows)
        self.began = time.perf_counter() - seconds


class Means:
    """Running means of named numbers over an epoch, weighted by the number of images.

    The sums stay on the device until `result` is asked for, so that adding to them waits for nothing.
    """

    def __init__(self, sums: Mapping[str, float] | None = None, count: int = 0) -> None:
        self.names = list(sums or ())
        self.sums = torch.tensor(list((sums or {}).values()))
        self.count = count

    def add(self, count: int, values: Mapping[str, Tensor]) -> None:
        """Add the scalars of a batch, all on one device; every batch brings the same names."""
        if self.count and self.names != list(values):
            expected = f"expected {', '.join(self.names)} in every step"
            raise InputError(f"found the columns {', '.join(values)}", expected)
        new = torch.stack([value.detach().float() for value in values.values()]) * count
        self.sums = self.sums.to(new) + new if self.count else new
        self.names = list(values)
        self.count += count

    def state(self) -> dict[str, float]:
        """The sums, by name."""
        return dict(zip(self.names, self.sums.tolist(), strict=True))

    def result(self) -> Row:
        """The means so far."""
        return {name: round(total / max(self.count, 1), 6) for name, total in self.state().items()}


class Fault(NamedTuple):
    """A batch whose numbers are not finite: where it was, its images, and the first name that is not finite."""

    where: str
    places: list[int]
    name: str


class Watch:
    """Notes of each step whether its numbers are finite, and reads the note of the step before.

    >>> watch = Watch()
    >>> watch.note("step 1", torch.tensor([4]), {"loss": torch.tensor(torch.nan)})
    >>> watch.note("step 2", torch.tensor([5]), {"loss": torch.tensor(1.0)})
    Fault(where='step 1', places=[4], name='loss')
    """

    def __init__(self) -> None:
        self.pending: tuple[str, Tensor, list[str], Tensor, torch.cuda.Event | None] | None = None

    def note(self, where: str, places: Tensor, numbers: Mapping[str, Tensor]) -> Fault | None:
        """Look at some numbers, and say what was wrong with those of the last call."""
        flags = torch.stack([torch.isfinite(number).all() for number in numbers.values()])
        arrived = torch.cuda.Event() if flags.is_cuda else None
        flags = flags.to("cpu", non_blocking=flags.is_cuda)  # queued behind the step, into pinned memory
        if arrived:
            arrived.record()
        last = self.settle()
        self.pending = where, places, list(numbers), flags, arrived
        return last

    def settle(self) -> Fault | None:
        """Say what was wrong with the numbers of the last call, now."""
        if self.pending is None:
            return None
        where, places, names, flags, arrived = self.pending
        self.pending = None
        if arrived:
            arrived.synchronize()  # waits for the step before this one, which has long been over
        wrong = [name for name, fine in zip(names, flags.numpy().tolist(), strict=True) if not fine]
        return Fault(where, places.tolist(), wrong[0]) if wrong else None
