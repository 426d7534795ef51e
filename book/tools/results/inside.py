"""What the losses do with the right and the wrong people, by epoch: hidden labels, for display only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .drawing import Curve, Drawing
from .shelf import Shelf
from .words import capital, folded, listed, percent, table

Block = str | Drawing
PEDAL_ARMS = ("paul", "pedal", "ipfl")
NEGATIVE_ARMS = ("paul", "hardest", "heavy", "heavy_hardest")


AXES: dict[str, Any] = {"x": "epoch", "y": "share, %", "scale": 100.0, "within": [0, 100]}


def by_epoch(rows: Sequence[dict[str, Any]], column: str) -> dict[int, list[float]]:
    """Values of a column by epoch, one for each seed that has it."""
    found: dict[int, list[float]] = {}
    for row in rows:
        if column in row:
            found.setdefault(int(row["epoch"]), []).append(float(row[column]))
    return dict(sorted(found.items()))


def curve(rows: Sequence[dict[str, Any]], column: str, label: str, *, dashed: bool = False) -> Curve:
    """A column as a curve over the epochs."""
    values = by_epoch(rows, column)
    return Curve(label, tuple(map(float, values)), tuple(map(tuple, values.values())), dashed=dashed)


def level(rows: Sequence[dict[str, Any]], column: str, label: str) -> Curve:
    """What is only in the first row, drawn as a level line over all epochs."""
    values = by_epoch(rows, column)
    epochs = sorted({float(row["epoch"]) for row in rows})
    first = tuple(next(iter(values.values()), []))
    return Curve(label, tuple(epochs), (first,) * len(epochs), dashed=True) if first else Curve(label, (), ())


def diagnostics(shelf: Shelf) -> list[Block]:
    """The section, from the histories of two studies."""
    blocks: list[Block] = [*_neighbours(shelf), *_negatives(shelf)]
    if not blocks:
        return [
            "The histories of `ablation` and `negatives` are not there. `paulbook experiment ablation` makes the first."
        ]
    return blocks


def _neighbours(shelf: Shelf) -> list[Block]:
    """PEDAL's nearest against chance."""
    if not shelf.history("ablation", "paul"):
        return []
    blocks: list[Block] = ["### PEDAL's neighbours", NEIGHBOURS]
    for column, words in (("same_person", "show the same person"), ("same_garment", "wear the same colour there")):
        drawing = _against_chance(shelf, column, words)
        if drawing:
            blocks += [_told(drawing, words), drawing]
    return blocks


NEIGHBOURS = (
    "For each patch, PEDAL pulls the K nearest rows of the memory closer. It does not know whose they are. Here the "
    "hidden labels tell, after each epoch. *Chance* is what rows drawn at random from the other images would give. "
    "*The same colour there*: the other person wears the same colour where the patch lies."
)


def _against_chance(shelf: Shelf, column: str, words: str) -> Drawing | None:
    curves = [curve(shelf.history("ablation", arm), column, shelf.title("ablation", arm)) for arm in PEDAL_ARMS]
    curves = [one for one in curves if one.x]
    chance = level(shelf.history("ablation", "paul"), f"{column}_chance", "chance")
    if not curves:
        return None
    curves += [chance] if chance.x else []
    told = [f"{one.label} from {percent(one.means[0])} to {percent(one.means[-1])}" for one in curves]
    alt = f"Share of PEDAL's K nearest that {words}, by epoch: {'; '.join(told)}."
    caption = f"Of PEDAL's K nearest, the share that {words}. Upright lines: 95 % confidence intervals."
    return Drawing(f"inside-{column.replace('_', '-')}", alt, caption, curves, AXES)


def _told(drawing: Drawing, words: str) -> str:
    curves: list[Curve] = [one for one in drawing.rows if isinstance(one, Curve)]
    chance = next((one for one in curves if one.dashed), None)
    parts = [f"{percent(one.means[-1])} with *{one.label}*" for one in curves if not one.dashed]
    text = f"The share of the K nearest that {words} is, after the last epoch, {listed(parts)}."
    return text + (f" Chance is {percent(chance.means[0])}." if chance else "")


def _negatives(shelf: Shelf) -> list[Block]:
    """Hard negatives with the cycle and without, and whether the vetoes are right."""
    arms = [arm for arm in NEGATIVE_ARMS if shelf.history("negatives", arm)]
    study = "negatives" if arms else "ablation"
    arms = arms or [arm for arm in ("paul", "ipfl") if by_epoch(shelf.history("ablation", arm), "false_negatives")]
    if not arms:
        return []
    rows = shelf.history(study, arms[0])
    drawing = _false(rows, shelf.title(study, arms[0]))
    return ["### IPFL's negatives", NEGATIVES, *_sentences(rows), drawing, *_vetoes(shelf, study, arms)]


NEGATIVES = (
    "IPFL pushes each anchor from a hard negative. If that is the same person, the push is wrong: a *false negative*."
    " Cyclic ranking vetoes a candidate that finds the anchor among its own nearest, and tries the next. A veto is "
    "*right* if it hits the same person."
)


def _false(rows: Sequence[dict[str, Any]], title: str) -> Drawing:
    curves = [
        curve(rows, "false_negatives", "as taken, by cyclic ranking"),
        curve(rows, "false_hardest", "had the nearest been taken"),
    ]
    told = [f"{one.label} from {percent(one.means[0])} to {percent(one.means[-1])}" for one in curves if one.x]
    alt = f"Share of the anchors whose hard negative is the same person, by epoch, {title}: {'; '.join(told)}."
    caption = "Share of the anchors that are pushed from their own person. Upright lines: 95 % confidence intervals."
    return Drawing("inside-false-negatives", alt, caption, curves, AXES)


def _sentences(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The last epoch in words."""
    last = {name: _last(rows, name) for name in ("false_negatives", "false_hardest", "vetoes", "right_vetoes")}
    text = ""
    if last["false_negatives"] is not None and last["false_hardest"] is not None:
        text = f"In the last epoch {percent(last['false_negatives'])} of the anchors were pushed from their person. "
        text += f"Had the nearest candidate been taken, it would have been {percent(last['false_hardest'])}. "
    if last["vetoes"] and last["right_vetoes"] is not None:
        share = last["right_vetoes"] / last["vetoes"]
        text += f"Of the vetoes, {percent(share)} were right. "
        text += "So most of them ruled out another person, who would have been right to push away." * (share < 0.5)
    return [text.strip()] if text else []


def negatives_of(shelf: Shelf) -> tuple[float, float] | None:
    """Shares of false negatives in the last epoch of PAUL, as taken, and had the nearest been taken."""
    rows = shelf.history("negatives", "paul") or shelf.history("ablation", "paul")
    taken, nearest = _last(rows, "false_negatives"), _last(rows, "false_hardest")
    return None if taken is None or nearest is None else (taken, nearest)


def _last(rows: Sequence[dict[str, Any]], column: str) -> float | None:
    values = by_epoch(rows, column)
    last = values[max(values)] if values else []
    return sum(last) / len(last) if last else None


def _vetoes(shelf: Shelf, study: str, arms: Sequence[str]) -> list[Block]:
    blocks: list[Block] = []
    for arm in arms:
        rows = shelf.history(study, arm)
        vetoes, right = by_epoch(rows, "vetoes"), by_epoch(rows, "right_vetoes")
        cells = [_veto_row(epoch, values, right.get(epoch, [])) for epoch, values in vetoes.items() if epoch]
        if cells:
            body = table(["epoch", "vetoes an anchor", "of these right"], cells)
            blocks.append(folded(f"Vetoes by epoch: {capital(shelf.title(study, arm))}", body))
    return blocks


def _veto_row(epoch: int, vetoes: Sequence[float], right: Sequence[float]) -> list[str]:
    total = sum(vetoes)
    share = percent(sum(right) / total) if total and right else "no veto"
    return [str(epoch), f"{total / len(vetoes):.2f}", share]
