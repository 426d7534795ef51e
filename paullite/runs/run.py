"""What a phase leaves behind, and the numbers that it writes down on the way."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ..config import AdaptConfig, PretrainConfig
from ..memory import FeatureMemory
from ..models import PatchNet
from .files import Row, write_csv


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


class History:
    """Rows kept in memory and, with a folder, written to ``history.csv`` as they come."""

    def __init__(self, folder: Path | None) -> None:
        self.rows: list[Row] = []
        self.path = folder / "history.csv" if folder else None
        self.began = time.perf_counter()

    def add(self, row: Mapping[str, float]) -> None:
        """Keep a row; ``seconds`` of training so far are added. A column that appears later rewrites the file."""
        self.rows.append({**row, "seconds": round(self.seconds(), 2)})
        if self.path:
            write_csv(self.path, self.rows)

    def seconds(self) -> float:
        """Seconds of training so far, those before a stop included."""
        return time.perf_counter() - self.began

    def restore(self, rows: list[Row], seconds: float) -> None:
        """The rows, and the seconds, of a run that goes on."""
        self.rows, self.began = list(rows), time.perf_counter() - seconds


@dataclass
class Means:
    """Running means of named numbers over an epoch, weighted by the number of images.

    Attributes:
        sums: value times images, by name. count: images.
    """

    sums: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def add(self, count: int, **values: Tensor | float) -> None:
        """Add the values of a batch."""
        self.count += count
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value) * count

    def result(self) -> Row:
        """The means so far."""
        return {name: round(total / max(self.count, 1), 6) for name, total in self.sums.items()}
