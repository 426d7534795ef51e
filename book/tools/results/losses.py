"""What the losses do with the right and the wrong people, by epoch: hidden labels, for display only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from .drawing import Curve, Curves, curves_shown
from .records import Records

Rows = Sequence[dict[str, Any]]
ARMS = ("paul", "pedal", "ipfl")
NEIGHBOURS = {"same_person": "same person", "same_garment": "same colour there"}


def by_epoch(rows: Rows, column: str) -> dict[int, list[float]]:
    """Values of a column by epoch, one for each seed that has it."""
    found: dict[int, list[float]] = {}
    for row in rows:
        if column in row:
            found.setdefault(int(row["epoch"]), []).append(float(row[column]))
    return dict(sorted(found.items()))


def last(rows: Rows, column: str) -> float | None:
    """Mean over seeds in the last epoch that has the column."""
    values = by_epoch(rows, column)
    return fmean(values[max(values)]) if values else None


def curve(rows: Rows, column: str, label: str) -> Curve:
    """A column as a curve over the epochs."""
    values = by_epoch(rows, column)
    return Curve(label, tuple(map(float, values)), tuple(map(tuple, values.values())))


def level(rows: Rows, column: str, label: str) -> Curve:
    """What is only in the first row, as a level line over all epochs."""
    values, epochs = by_epoch(rows, column), sorted({float(row["epoch"]) for row in rows})
    first = tuple(next(iter(values.values()), ()))
    return Curve(label, tuple(epochs), (first,) * len(epochs), level=True) if first else Curve(label, (), ())


@dataclass(frozen=True)
class Neighbours:
    """Of PEDAL's nearest, the share that has something in common with the patch."""

    name: str
    drawing: Curves
    arms: tuple[tuple[str, float], ...]
    chance: float | None


def neighbours_of(records: Records) -> list[Neighbours]:
    """For the same person, and for the same colour at the patch."""
    rows = records.history("ablation", "paul")
    found = []
    for column, name in NEIGHBOURS.items():
        curves = [curve(records.history("ablation", arm), column, _title(records, arm)) for arm in ARMS]
        shown = curves_shown([*curves, level(rows, f"{column}_chance", "chance")])
        drawing = Curves(f"inside-{column.replace('_', '-')}", "epoch", name, shown)
        arms = tuple((one.label, one.means[-1]) for one in shown if not one.level)
        if arms:
            found.append(Neighbours(name, drawing, arms, last(rows, f"{column}_chance")))
    return found


def _title(records: Records, arm: str) -> str:
    return records.title("ablation", arm) if records.trials("ablation", arm) else arm


@dataclass(frozen=True)
class Negatives:
    """What IPFL's anchors are pushed from: in the last epoch, and by epoch.

    Attributes:
        title: of the arm.
        taken: share of the anchors that are pushed from their own person by cyclic ranking.
        nearest: that share, had the nearest candidate been taken.
        right: share of the vetoes that hit the anchor's own person; ``None`` without a veto.
        drawing: the first two by epoch.
        epochs: for each epoch its number, vetoes per anchor, and the share of right ones.
    """

    title: str
    taken: float
    nearest: float
    right: float | None
    drawing: Curves
    epochs: tuple[tuple[int, float, float | None], ...]


def negatives_of(records: Records) -> Negatives | None:
    """Of PAUL, from the study of negatives, or else from the ablation."""
    study = next((study for study in ("negatives", "ablation") if records.history(study, "paul")), "")
    rows = records.history(study, "paul") if study else []
    taken, nearest = last(rows, "false_negatives"), last(rows, "false_hardest")
    if taken is None or nearest is None:
        return None
    curves = [
        curve(rows, "false_negatives", "as taken, by cyclic ranking"),
        curve(rows, "false_hardest", "had the nearest been taken"),
    ]
    drawing = Curves("inside-false-negatives", "epoch", "anchors", tuple(curves))
    vetoes, right = by_epoch(rows, "vetoes"), by_epoch(rows, "right_vetoes")
    epochs = tuple((epoch, fmean(vetoes[epoch]), _share(right.get(epoch), vetoes[epoch])) for epoch in vetoes if epoch)
    return Negatives(records.title(study, "paul"), taken, nearest, epochs[-1][2] if epochs else None, drawing, epochs)


def _share(part: Sequence[float] | None, of: Sequence[float]) -> float | None:
    return sum(part) / sum(of) if part and sum(of) else None
